/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes an object for libbpf fit the running kernel before libbpf sees it: its instructions are
 * relocated (bpf_fit.h), and the places that its programs attach to are given by number, so libbpf
 * need not read the kernel's types.
 *
 * Such programs are in sections of their own: SEC("kernel_tp/NAME") for libbpf's tp_btf/NAME, and
 * SEC("kernel_iter/NAME") for iter/NAME. Their handlers are registered with libbpf once in the life
 * of the process (libbpf_register_prog_handler(), since 1.0), under names that no other handler
 * has; a program that embeds sooth registers handlers of its own before it uses sooth, or between
 * two observations.
 */
#pragma once

#include <bpf/libbpf.h>

#include "base/error.h"
#include "os/linux/bpf/kernel_types.h"

#define BPF_ENTRIES_MAX 16

struct bpf_image;

/* Returns the object file of an image, of image->size bytes; the caller frees it. NULL: no memory,
 * or its bytes are damaged. */
unsigned char *bpf_image_unpack(const struct bpf_image *image);

struct bpf_fitted {
	unsigned char *bytes; /* bytes of the image, made to fit */
	size_t size;
	struct bpf_entry {
		char section[64];   /* "kernel_tp/sys_enter" */
		char name[64];	    /* "btf_trace_sys_enter" */
		uint32_t id;	    /* number among the kernel's types; 0: this kernel lacks it */
		uint32_t arguments; /* number that this kernel passes at the tracepoint */
	} entries[BPF_ENTRIES_MAX];
	size_t count;
};

/* Loads the image. The caller owns *f until bpf_fitted_close(). */
int bpf_load_fitted(struct bpf_fitted *f, const struct bpf_image *image, struct sooth_error *err);
void bpf_fitted_close(struct bpf_fitted *f);
/* Returns how many arguments "kernel_tp/sched_switch" has; 0: unknown. */
uint32_t bpf_fitted_arguments(const struct bpf_fitted *f, const char *section);
/* Registers handlers with libbpf, before an object over the bytes is opened. Returns a negative
 * errno if libbpf has no memory. */
int bpf_fitted_register(void);
/* Does bpf_object__load() for an object that was opened over the bytes. */
int bpf_fitted_load(const struct bpf_fitted *f, struct bpf_object *object);
