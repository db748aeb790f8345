/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a process used memory during the observation. The kernel's aggregates show which code keeps
 * more and more of the allocator's memory, and invalid frees. Sums of samples are marked; a program
 * that an exec has ended no longer counts. A sample of the page faults shows the function in which
 * the process first touched most of its new pages: there its memory grows, whatever the allocator.
 */
#pragma once

#include "analyze/heap/heap_growth.h"
#include "analyze/profile/profile_sums.h"
#include "base/map.h"
#include "probes/heap.h"

/* Errors of one kind. */
struct heap_use_errors {
	uint64_t count;
	struct heap_bad_free first;
};

struct heap_use_process {
	uint32_t program;
	uint32_t held_program; /* program that `older_freed` is about */
	uint64_t older_freed;  /* freed blocks that were allocated before attach */
	bool is_sampled;
	bool has_gap;		  /* calls of a new library were missed */
	bool has_calls, has_sums; /* calls were recorded or counted; sums by stack were made */
	struct heap_clock clock;
	uint64_t live_blocks; /* allocated and not freed */
	struct heap_use_errors errors[HEAP_BAD_WHATS];
};

struct heap_use {
	struct map processes; /* process_id -> struct heap_use_process */
	struct map gains;     /* process, program, stack -> struct heap_gains */
	struct profile_sums names;
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

void heap_use_init(struct heap_use *u);
void heap_use_fini(struct heap_use *u);
void heap_use_add_record(struct heap_use *u, const struct sooth_record *r);
/* NULL: no allocator use of the process was recorded. */
const struct heap_use_process *heap_use_of(const struct heap_use *u, const struct process_id *id);
/* Returns whether the calls of the process were recorded, but not added up by stack: detectors
 * cannot use them. */
bool heap_use_is_unsummed(const struct heap_use *u, const struct process_id *id);
/* Finds the growth up to `until_ns`. A process that no longer allocates has no records up to then.
 */
void heap_use_growth(const struct heap_use *u, const struct process_id *id, uint64_t until_ns,
	struct heap_use_growth *out);
/* Returns whether the code that called the allocator is known: libraries without unwind tables end
 * a stack in the allocator. */
bool heap_use_has_caller(const struct heap_use *u, uint32_t stack);
/* Returns the stack that starts threads whose memory is kept; 0: none. */
uint32_t heap_use_starter(const struct heap_use *u, const struct process_id *id);
/* Appends "parse < handle < main"; a long stack is shortened. */
void heap_use_put_stack(const struct heap_use *u, uint32_t stack, struct buffer *out);

struct page_touches {
	struct map stacks;	   /* process and stack -> its page faults */
	struct profile_sums names; /* with lines, if these were read */
	uint64_t page_bytes;
};

struct memory_place {
	struct span function, file; /* borrowed; file: with the line where most was touched */
	unsigned percent;	    /* share of the pages that were touched */
	uint64_t touched_bytes;	    /* bytes that the whole process touched */
};

void page_touches_init(struct page_touches *t);
void page_touches_fini(struct page_touches *t);
void page_touches_add_record(struct page_touches *t, const struct sooth_record *r);
void page_touches_next_interval(struct page_touches *t);
/* False: there are too few page faults, no function has a third of them, or they do not fit the
 * growth (`grown_bytes`), as when memory is freed and allocated again. */
bool memory_place_find(struct memory_place *out, const struct page_touches *t,
	const struct process_id *id, uint64_t grown_bytes);
