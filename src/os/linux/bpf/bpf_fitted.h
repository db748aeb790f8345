/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object for libbpf that fits the running kernel before libbpf sees it: its instructions are
 * relocated (bpf_fit.h), and the places that its programs attach to are known by their number, so
 * that libbpf has no reason to read the kernel's types.
 *
 * Such programs stand in sections of their own, SEC("kernel_tp/NAME") for what libbpf calls
 * tp_btf/NAME and SEC("kernel_iter/NAME") for iter/NAME. Their handlers are registered with libbpf
 * once in the life of the process (libbpf_register_prog_handler(), since 1.0), under names that are
 * no others'; a program that embeds sooth registers handlers of its own before it uses sooth, or
 * between two observations.
 */
#ifndef SOOTH_OS_LINUX_BPF_FITTED_H
#define SOOTH_OS_LINUX_BPF_FITTED_H

#include <bpf/libbpf.h>

#include "base/error.h"
#include "os/linux/bpf/kernel_types.h"

#define BPF_ENTRIES_MAX 16

struct bpf_image;

struct bpf_fitted {
	unsigned char *bytes; /* of the image, as it fits */
	size_t size;
	struct bpf_entry {
		char section[64];   /* "kernel_tp/sys_enter" */
		char name[64];	    /* "btf_trace_sys_enter" */
		uint32_t id;	    /* among the kernel's types; 0: this kernel lacks it */
		uint32_t arguments; /* number that this kernel passes at the tracepoint */
	} entries[BPF_ENTRIES_MAX];
	size_t count;
};

/* Owned by the caller until bpf_fitted_close(). */
int bpf_load_fitted(struct bpf_fitted *f, const struct bpf_image *image, struct sooth_error *err);
void bpf_fitted_close(struct bpf_fitted *f);
/* "kernel_tp/sched_switch": how many arguments there are; 0: unknown. */
uint32_t bpf_fitted_arguments(const struct bpf_fitted *f, const char *section);
/* To be called before an object over the bytes is opened. A negative errno: libbpf has no
 * memory. */
int bpf_fitted_register(void);
/* bpf_object__load() of an object that was opened over the bytes. */
int bpf_fitted_load(const struct bpf_fitted *f, struct bpf_object *object);

#endif
