/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a process used its allocator during the observation, from the kernel's aggregates: how much
 * was allocated and for how long, which blocks are left by size, which code keeps more and more,
 * and invalid frees. Sums of samples are marked; a program that an exec has ended no longer counts.
 */
#ifndef SOOTH_ANALYZE_HEAP_USE_H
#define SOOTH_ANALYZE_HEAP_USE_H

#include "analyze/heap/heap_growth.h"
#include "analyze/profile/profile_sums.h"
#include "probes/heap.h"

struct heap_use_sum {
	uint64_t calls, allocated_bytes;
	uint64_t live_blocks, live_bytes;
	uint64_t short_blocks, short_bytes; /* freed within 10 ms */
};

/* Errors of one kind. */
struct heap_use_errors {
	uint64_t count;
	struct heap_bad_free first;
};

struct heap_use_process {
	uint64_t from_ns, to_ns;
	uint32_t program;
	uint32_t held_program; /* program that `older_freed` is about */
	uint64_t older_freed;  /* freed blocks that were allocated before attach */
	bool is_sampled;
	bool has_gap;		  /* calls of a new library were missed */
	bool has_calls, has_sums; /* calls were recorded or counted; sums by stack were made */
	struct heap_clock clock;
	struct heap_use_sum all;
	struct heap_use_errors errors[HEAP_BAD_WHATS];
};

struct heap_use {
	struct map processes; /* process_id -> struct heap_use_process */
	struct map parts;     /* process, program, stack, size class -> struct heap_use_sum */
	struct map gains;     /* process, program, stack -> struct heap_gains */
	struct profile_sums names;
	bool has_any;
};

/* The blocks of one size class, or of one stack. */
struct heap_use_part {
	uint32_t stack, size_class;
	struct heap_use_sum sum;
};

/* The stacks of a process that kept more memory all the time. */
struct heap_use_growth {
	uint64_t time_ns; /* length of the observation of the process */
	bool is_measured; /* time_ns is long enough */
	unsigned stacks;  /* number of stacks that grew */
	int64_t bytes, blocks;
	double bytes_per_s;
	uint32_t top; /* the stack that grew most */
	double top_bytes_per_s;
};

typedef uint64_t (*heap_use_weight)(const struct heap_use_sum *sum);

void heap_use_init(struct heap_use *u);
void heap_use_fini(struct heap_use *u);
void heap_use_add_record(struct heap_use *u, const struct sooth_record *r);
/* NULL: no allocator use of the process was recorded. */
const struct heap_use_process *heap_use_of(const struct heap_use *u, const struct process_id *id);
/* Returns whether the calls of the process were recorded, but not added up by stack: detectors
 * cannot use them. */
bool heap_use_is_unsummed(const struct heap_use *u, const struct process_id *id);
/* Finds the size class with the largest weight, and in this class the stack with the largest. */
void heap_use_top_class(const struct heap_use *u, const struct process_id *id,
	heap_use_weight weight, struct heap_use_part *out);
/* Finds the stack with the largest weight in the size class, or (UINT32_MAX) in all classes. */
void heap_use_top_stack(const struct heap_use *u, const struct process_id *id, uint32_t size_class,
	heap_use_weight weight, struct heap_use_part *out);
/* Finds the growth up to `until_ns`. A process that no longer allocates has no records up to then.
 */
void heap_use_growth(const struct heap_use *u, const struct process_id *id, uint64_t until_ns,
	struct heap_use_growth *out);
/* Appends "parse < handle < main"; a long stack is shortened. */
void heap_use_put_stack(const struct heap_use *u, uint32_t stack, struct buffer *out);

#endif
