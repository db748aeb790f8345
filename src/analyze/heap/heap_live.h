/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live set of heaps: the blocks of each process, from every call in the order of the stream.
 * Blocks and processes are bounded; those that do not fit count in `refused`, and then all values
 * are lower bounds.
 *
 * A block belongs to one process: a forked child's copies of its parent's blocks are not counted
 * again, and freeing them counts apart (frees_inherited).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyze/heap/heap_estimate.h"
#include "analyze/heap/heap_growth.h"
#include "base/map.h"
#include "model/process_id.h"
#include "model/stream_records.h"
#include "probes/heap.h"

#define HEAP_BLOCKS_MAX                                                                            \
	((size_t)8 << 20) /* number of blocks of all processes together: some 500 MB */
#define HEAP_HANDOVERS_MAX 256

/* Why a process frees blocks whose allocation was not seen. */
enum heap_origin {
	HEAP_FROM_BEFORE, /* allocated before attach */
	HEAP_FROM_EXEC,	  /* observed since its exec: the allocation was missed */
	HEAP_FROM_FORK,	  /* a copy of its parent's block */
};

/*
 * The memory that each stack held at the peak. A stack saves its value at its first change after a
 * peak; a stack without a change since then still has that value. So a new peak costs nothing,
 * however many there are.
 */
struct heap_at_peak {
	uint64_t bytes, blocks;
	uint64_t number; /* number of the peak, from 1; 0: the stack never changed */
};

struct heap_events {
	uint64_t events;
	uint64_t allocated_bytes; /* size requested by successful calls */
};

struct heap_process {
	struct map blocks;  /* address -> struct heap_block; empty after the process left */
	struct map foreign; /* addresses of blocks that were freed, and allocated before attach */
	uint64_t live_bytes, live_blocks;
	uint64_t peak_bytes;
	struct heap_events seen;    /* events known from single calls */
	struct heap_events counted; /* events known from aggregates */
	uint8_t origin;		    /* enum heap_origin */
	bool has_left;
	/* values aggregated in the kernel; a program is numbered by exec */
	uint32_t program, held_program;	  /* the latest in a sum; in heap.held; 0: none */
	uint32_t over_program;		  /* an exec has ended programs up to this number */
	uint64_t over_bytes, over_blocks; /* live at that exec, as far as known */
	uint64_t held_freed, held_unknown, held_untracked, held_unsummed;
	/* Sums of the stacks of one program, summed_program: used instead of the values above if
	 * there are samples. */
	uint32_t summed_program;
	bool is_sampled;
	uint64_t summed_bytes, summed_blocks, summed_freed;
	char name[PROCESS_NAME_SIZE]; /* empty: unknown */
};

struct heap_block {
	uint64_t size;
	uint64_t time_ns; /* time of the allocation */
	uint32_t stack;	  /* number of a heap.stack record; 0: unknown */
	uint32_t tid;
};

/* The allocations of one stack, and what is left of them. */
struct heap_stack_sum {
	uint64_t calls, allocated_bytes; /* successful calls */
	uint64_t live_bytes, live_blocks;
	uint64_t freed_blocks, freed_bytes;
	uint64_t short_blocks, short_bytes; /* freed within HEAP_SHORT_NS */
	uint64_t gone_bytes,
		gone_blocks; /* part of the live blocks: those of processes that have ended */
	struct heap_at_peak at_peak;
	struct heap_gains gains;
	double allocated_variance, live_variance; /* variances of bytes estimated from samples */
};

/* Key of allocations by stack, process and size class (bpf/log2.h). Sums made in the kernel are
 * also by program, which an exec ends. */
struct heap_part_key {
	struct process_id process;
	uint32_t program, stack, size_class, unused;
};

struct heap_part {
	uint64_t calls, allocated_bytes;
	uint64_t live_bytes, live_blocks;
};

/*
 * A block whose address was allocated again while it was live: its free was missed, or a realloc
 * that has not returned yet moved out of it.
 */
struct heap_handover {
	struct process_id process;
	uint64_t address, size, time_ns;
};

/* Blocks by the thread that allocated them, or by their exact size. Needs records of single calls:
 * the kernel's sums have neither. */
enum heap_grouping {
	HEAP_GROUPS_NONE,
	HEAP_GROUPS_BY_THREAD,
	HEAP_GROUPS_BY_SIZE,
};

/* A thread of a process, or a size, with zeros as process. */
struct heap_group_key {
	struct process_id process;
	uint64_t value; /* thread id; size */
};

struct heap_group {
	uint64_t calls, allocated_bytes;
	uint64_t live_bytes, live_blocks;
};

struct heap_groups {
	enum heap_grouping by;
	struct map all; /* struct heap_group_key -> struct heap_group */
};

struct heap_live {
	struct map processes; /* process_id -> struct heap_process */
	struct process_id last_id;
	struct heap_process *last; /* process of last_id: cached, since records come in runs */
	size_t blocks_max;
	struct map stacks;  /* uint32_t -> struct heap_stack_sum; empty: not requested */
	uint64_t unstacked; /* allocations without a stack, in a run with stacks */
	struct map parts;   /* heap_part_key -> struct heap_part */
	bool with_parts;    /* `parts` are filled from single calls too */
	struct heap_groups groups;
	uint64_t min_age_ns; /* blocks younger than this at the end count in no stack, part or group
			      */
	bool has_held;	     /* the kernel has added up values */
	uint64_t untracked;  /* blocks that found no room in the kernel's tables */
	struct heap_estimates estimates; /* estimates; used if the kernel adds up only samples */
	double live_variance;		 /* variance of the estimates; an exec does not reduce it */
	struct process_id last_left;
	struct heap_clock clock;
	struct heap_gains older; /* frees of blocks allocated before attach */
	uint64_t end_ns;	 /* time of the last record */
	uint64_t blocks;	 /* blocks of all live processes */
	uint64_t bytes;		 /* bytes of processes that have not left */
	uint64_t present;	 /* processes that have not left */
	uint64_t last_bytes;	 /* live bytes of the process that left last, if all have left */
	uint64_t peak_bytes;	 /* the maximum of bytes */
	uint64_t peak_ns;	 /* time of the peak */
	uint64_t peak_number;	 /* incremented at each new peak */
	uint64_t peak_look;	 /* maximum of `bytes` after a kernel-made sum */
	uint64_t freed_bytes;
	uint64_t frees_unknown, frees_from_before, frees_inherited;
	uint64_t replaced_blocks, replaced_bytes; /* blocks whose address was allocated again */
	uint64_t exec_blocks, exec_bytes;	  /* blocks discarded by an exec */
	uint64_t refused;
	bool is_launched;
	struct heap_handover handovers[HEAP_HANDOVERS_MAX];
	size_t handover_count; /* number of handovers in total; the remainder is the index in the
				  ring */
};

void heap_live_init(struct heap_live *l, size_t blocks_max);
void heap_live_add_record(struct heap_live *l, const struct sooth_record *r);
/* Fetches into the cache what records that come soon will need: `far` later than `near`; NULL:
 * none. */
void heap_live_fetch(
	const struct heap_live *l, const struct sooth_record *near, const struct sooth_record *far);
/* Returns the live bytes of the processes that existed at the end: when the last process left, or
 * now. */
uint64_t heap_live_at_end(const struct heap_live *l);
/* Sets the live bytes and blocks of all processes, each at its end or now. */
void heap_live_total(const struct heap_live *l, uint64_t *bytes, uint64_t *blocks);
/* Returns the process of a record and makes it l->last; NULL: there is no room, and the record is
 * counted. For code that handles other kinds of records. */
struct heap_process *heap_live_process(struct heap_live *l, const struct sooth_record *r);
/* Adds to what the stack holds, and to its gains in a window; values of memory that was freed
 * wrap around. */
void heap_live_gain(const struct heap_live *l, struct heap_stack_sum *stack, uint64_t bytes,
	uint64_t blocks, unsigned window);
/* Returns the memory that the stack held when most memory was live. */
struct heap_at_peak heap_live_at_peak(
	const struct heap_live *l, const struct heap_stack_sum *stack);
/* Returns the window of a time, in which gains are counted. Earlier gains are folded to the length
 * of the windows. */
unsigned heap_live_window(struct heap_live *l, uint64_t time_ns);
/* Ends l->last's parts of programs before number `before`, which an exec has ended. */
void heap_live_end_parts(struct heap_live *l, uint32_t before, uint64_t time_ns);
/* Forgets the young blocks of the processes that still run, where min_age_ns is set. Called after
 * the last record. */
void heap_live_forget_young(struct heap_live *l);
void heap_live_fini(struct heap_live *l);

/* --- sums made in the kernel (heap_held.c) ---
 *
 * By stack and size class, and per process. Such records come from time to time, so when the last
 * one arrives the process may have ended, or run another program. */

void heap_held_add_sum(struct heap_live *l, const struct heap_sum *s);
void heap_held_add(struct heap_live *l, const struct heap_held *h);
