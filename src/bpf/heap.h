/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the allocation programs and their loader. */
#ifndef SOOTH_BPF_HEAP_H
#define SOOTH_BPF_HEAP_H

#include "probes/heap.h"

/*
 * The low bits of a probed instruction's address say which function it belongs to: they are the
 * same in every process, wherever the file is mapped. Two sites with the same low bits are in
 * different tables, each with its own program and event.
 */
#define HEAP_TABLES	 4
#define HEAP_PLACE_COUNT (1u << 12) /* bytes of the smallest page */
#define HEAP_PLACE_MASK	 (HEAP_PLACE_COUNT - 1)

enum heap_place {
	HEAP_PLACE_NONE = 0,
	HEAP_PLACE_FUNCTION = 1,  /* and above: 1 + enum heap_function */
	HEAP_PLACE_LOADER = 0x80, /* the dynamic loader reports that its list has changed */
};

struct heap_places {
	uint8_t of[HEAP_TABLES][HEAP_PLACE_COUNT];
};

#define HEAP_FUNCTION_SLOTS 16 /* a power of two, so that the verifier understands the mask */

_Static_assert(HEAP_FUNCTIONS <= HEAP_FUNCTION_SLOTS, "each function has a slot");

struct heap_aggregate {
	uint64_t count;
	uint64_t failed;
	uint64_t overflows;
	uint64_t unfinished;
	uint64_t bytes;
	uint64_t total_ns;
	uint64_t max_ns;
	uint32_t histogram[HEAP_BUCKETS];
};

/* Aggregates of threads that ended while the ring was full, by process. */
struct heap_kept_key {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t function;
};

struct heap_kept {
	uint64_t from_ns;
	struct heap_aggregate aggregate;
};

#define HEAP_KEPT_ENTRIES 4096

struct heap_control {
	uint64_t lost_aggregates; /* calls whose aggregates found no room, in the ring or beside it
				   */
	uint64_t lost_stacks;	  /* stacks that did not fit the ring */
	uint64_t unwalked;	  /* calls without a stack: all memory for walks was in use */
};

#define HEAP_WALKS_OF_CPU 16
#define HEAP_STACKS_SENT  (1u << 15)

/* Internal to the backend: the process's mappings may have changed. */
#define HEAP_LOADED 0x047e /* libraries */
#define HEAP_BEGUN  0x047f /* everything: it runs another program */

#define HEAP_LOADED_AT_START 2 /* glibc reports this twice while it starts a program, musl once */
#define HEAP_PATH_BYTES	     200

struct heap_loaded {
	struct sooth_record record;
	uint64_t ordinal; /* from 1, counted from the exec or the start of following */
};

struct heap_begun {
	struct sooth_record record;
	uint64_t inode; /* of the program */
	uint32_t device_major;
	uint32_t device_minor;
	char path[HEAP_PATH_BYTES]; /* as requested by the exec; cut when it is longer */
};

#endif
