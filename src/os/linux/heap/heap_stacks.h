/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of allocations: numbers the stacks that the kernel side sends under a hash. Two threads
 * call its functions, the collector's and the pauser's. All functions take NULL, and then do
 * nothing. */
#pragma once

#include "bpf/heap.h"
#include "os/linux/profile/profile_walks.h"

struct heap_stacks {
	pthread_mutex_t lock;
	struct profile_walks walks;
	struct map numbers;		/* hash of a walk -> uint32_t, of a heap.stack */
	struct buffer raw;		/* records while they are numbered */
	const struct walk_memos *memos; /* memos of the kernel side */
	uint64_t reported_lost, reported_unwalked, reported_differing;
};

/* Opens the stacks after the programs are loaded. NULL: failed, err is filled. */
struct heap_stacks *heap_stacks_open(
	struct bpf_code *code, const struct probe_options *options, struct sooth_error *err);
/* Makes the unwind tables of all files that a process has mapped, and waits for them. The process
 * has not allocated yet, or runs on meanwhile. */
void heap_stacks_ahead(struct heap_stacks *s, pid_t pid);
/* Rewrites the kernel side's records from `from` on: stacks become definitions, calls get their
 * numbers. */
void heap_stacks_number(struct heap_stacks *s, struct buffer *out, size_t from);
/* Returns the number of the stack with that hash; 0: it is not known. */
uint32_t heap_stacks_number_of(struct heap_stacks *s, uint64_t hash);
void heap_stacks_emit(
	struct heap_stacks *s, struct backend_run *run, const struct heap_control *control);
/* Names all stacks, after the last record. */
int heap_stacks_stop(struct heap_stacks *s, struct backend_run *run, struct sooth_error *err);
/* Closes the stacks before the programs are unloaded. */
void heap_stacks_close(struct heap_stacks *s);
