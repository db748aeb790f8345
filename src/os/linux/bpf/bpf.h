/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads BPF objects that are embedded in the library, with libbpf. Its print hook is
 * process-global; it is replaced while an object is opened and loaded, so that its messages become
 * the error's reason, and restored afterwards.
 */
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"

/* Generated from src/bpf/<name>.bpf.c: the object file, compressed by zstd. */
struct bpf_image {
	const char *name;
	const unsigned char *packed;
	size_t packed_size, size;
};

#define BPF_OBJECT(id) extern const struct bpf_image bpf_image_##id;
#include "bpf/objects.def"
#include "collect/backend.h"
#include "os/linux/bpf/bpf_fitted.h"

/*
 * Second programs. The kernel runs no program at a tracepoint for a thread while another thread is
 * within that program on the same CPU. Up to Linux 6.19 only an interrupt can cause that; from 7.0
 * on programs are preempted (7.2 was checked: bpf_trace_run() takes an RCU lock and stays on its
 * CPU, no more), so it happens as soon as threads share CPUs: a call, or a whole thread with its
 * fork, would be missed in every third run of ten threads on two CPUs. So on these kernels a
 * program NAME at a tracepoint has a second one called NAME_again attached behind it, which does
 * what the first was skipped for. Other kernels do not load it.
 */

/* Reports as loss the events for which both programs were skipped; the number is an upper bound.
 * Called at the end, while the object is loaded. */
void again_emit(const struct bpf_object *object, struct backend_run *run, const char *reason);
#undef BPF_OBJECT

#define BPF_LINKS_MAX	  16
#define BPF_VARIABLES_MAX 8
#define BPF_LATER_MAX	  8

struct bpf_code {
	struct bpf_object *object;
	struct bpf_fitted fitted;
	struct bpf_link *links[BPF_LINKS_MAX];
	size_t link_count;
	struct bpf_variables {
		void *data;
		size_t size;
	} variables[BPF_VARIABLES_MAX];
	size_t variables_count;
	struct bpf_later {
		const struct bpf_program *program; /* program whose load is postponed */
		struct bpf_object *object;	   /* object in which it is loaded; NULL: not yet */
	} later[BPF_LATER_MAX];
	size_t later_count;
	const struct log *log;
};

int bpf_code_open(struct bpf_code *b, const struct bpf_image *image, const struct log *log,
	struct sooth_error *err);
/* Returns the initial contents of a read-only section (".rodata.config"); called before the load.
 */
void *bpf_code_constants(
	struct bpf_code *b, const char *section, size_t size, struct sooth_error *err);
/* The memory of a writable section (".data.control"), shared with the programs; after load, until
 * bpf_code_close(). */
void *bpf_code_variables(
	struct bpf_code *b, const char *section, size_t size, struct sooth_error *err);
/* Sets the attach type of a program, an enum bpf_attach_type; called before the load. */
int bpf_code_expect(
	struct bpf_code *b, const char *program, unsigned type, struct sooth_error *err);
int bpf_code_map(struct bpf_code *b, const char *map);
int bpf_code_resize(struct bpf_code *b, const char *map, uint64_t entries, struct sooth_error *err);
/* Makes a hash of so many entries with all its memory there from the start. */
int bpf_code_preallocate(
	struct bpf_code *b, const char *map, uint64_t entries, struct sooth_error *err);
/* Postpones the load of a program to the first call of bpf_code_program() for it: the kernel's
 * check of a large one takes 10 ms and more. Called before the load. */
int bpf_code_postpone(struct bpf_code *b, const char *program, struct sooth_error *err);
int bpf_code_load(struct bpf_code *b, struct sooth_error *err);
/* Loads it, and returns the memory of its section ".data.control". NULL: failed, err is filled. */
void *bpf_code_load_control(struct bpf_code *b, size_t size, struct sooth_error *err);
int bpf_code_attach(struct bpf_code *b, const char *program, struct sooth_error *err);
/* Attaches a program of type raw_tp to the first of these tracepoints (NULL at the end) that
 * exists. -ENOENT: none exists. */
int bpf_code_attach_raw(struct bpf_code *b, const char *program, const char *const *tracepoints,
	struct sooth_error *err);
/*
 * Iterate over the first thread of a process and append what the program writes; kernels that
 * cannot select one (before 6.1) iterate over all, so the program has to check as well. -EPERM: the
 * caller may not watch the process; -ESRCH: it has ended.
 */
int bpf_code_walk_thread(struct bpf_code *b, const char *program, const struct process_id *process,
	struct buffer *out, struct sooth_error *err);
/* Iterates in the same way over all threads of the process. */
int bpf_code_walk_process(struct bpf_code *b, const char *program, const struct process_id *process,
	struct buffer *out, struct sooth_error *err);
/* Returns the descriptor of a program, for attaching it by other means, or a negative errno. */
int bpf_code_program(struct bpf_code *b, const char *program);
/* Run an attached iterator program to its end; its output is appended to out, NULL: no output is
 * expected. */
int bpf_code_walk(struct bpf_code *b, const struct bpf_link *iterator, struct buffer *out,
	struct sooth_error *err);
void bpf_code_detach(struct bpf_code *b);
void bpf_code_close(struct bpf_code *b);
