/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks that programs walked themselves. Their addresses become files and offsets by the mappings
 * of the program, which sooth reads while the program waits. All functions are called with the
 * run's lock held; all take NULL, and then do nothing. */
#pragma once

#include "collect/backend.h"
#include "os/linux/profile/stack_walker.h"
#include "preload/layout.h"

struct heap_stacks;

#define PRELOAD_RECENT 4096 /* a power of two */

/* The number of a program in a run, from 1 on. */
typedef uint64_t preload_program;

struct preload_stacks {
	struct stack_walker walker;
	/* Where stacks and files are kept: in the walker, or with those of the kernel's engine. */
	struct profile_stacks *stacks;
	struct profile_files *files;
	struct heap_stacks *shared; /* NULL: in the walker */
	struct map programs;	    /* preload_program -> struct preload_mapped */
	struct map tables;	    /* file -> struct preload_table */
	struct map numbers;	    /* program and hash -> uint32_t, of a heap.stack */
	struct preload_number {	    /* the last stacks that were looked up */
		uint64_t program, hash;
		uint32_t number, unused;
	} recent[PRELOAD_RECENT];
	uint64_t refused, reported_refused;
	uint64_t whole, all; /* numbers of complete stacks and of all stacks, for the log */
};

struct preload_stack {
	preload_program program;
	uint64_t hash, time_ns;
	const uint64_t *frames;
	uint32_t count, end; /* enum preload_end */
};

struct preload_stacks *preload_stacks_open(
	const struct probe_options *options, struct sooth_error *err);
/* Lets stacks be numbered and named together with those of the kernel's engine. Call this before
 * the first stack. */
void preload_stacks_share(struct preload_stacks *s, struct heap_stacks *with);
void preload_stacks_close(struct preload_stacks *s);
/* Reads the mappings of a program that has begun or loaded code. */
void preload_stacks_map(
	struct preload_stacks *s, preload_program program, const struct process_id *process);
/* Gives the program of a forked process the mappings of its parent's program. */
void preload_stacks_forked(struct preload_stacks *s, preload_program program,
	preload_program parent, const struct process_id *process);
void preload_stacks_ended(struct preload_stacks *s, preload_program program);
/* Adds a stack that a program wrote. A new stack is defined in `out`. */
void preload_stacks_add(
	struct preload_stacks *s, const struct preload_stack *from, struct buffer *out);
/* Returns the number of a stack; 0: not known. */
uint32_t preload_stacks_number(struct preload_stacks *s, preload_program program, uint64_t hash);
/* Names all stacks, after the last record. */
int preload_stacks_name(struct preload_stacks *s, struct backend_run *run, struct sooth_error *err);
