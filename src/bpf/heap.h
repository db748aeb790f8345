/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the allocation programs and their loader. */
#pragma once

#include "probes/heap.h"

/*
 * The low bits of a probed instruction's address identify its function: these bits are the same in
 * every process, wherever the file is mapped. Two sites with the same low bits are in different
 * tables, each with its own program and event.
 */
#define HEAP_TABLES	 4
#define HEAP_PLACE_COUNT (1u << 12) /* bytes of the smallest page */
#define HEAP_PLACE_MASK	 (HEAP_PLACE_COUNT - 1)

/*
 * The forms of functions: the reported function; the numbers, from 1, of the arguments that are the
 * size, the number of elements of that size, the replaced block, the alignment (0: none); what the
 * call returns. Some functions have a leading argument, the heap: they have their own forms.
 */
#define HEAP_FORMS(X)                                                                              \
	X(MALLOC, HEAP_MALLOC, 1, 0, 0, 0, HEAP_RETURNS_ADDRESS)                                   \
	X(FREE, HEAP_FREE, 0, 0, 1, 0, HEAP_RETURNS_NOTHING)                                       \
	X(CALLOC, HEAP_CALLOC, 2, 1, 0, 0, HEAP_RETURNS_ADDRESS)                                   \
	X(REALLOC, HEAP_REALLOC, 2, 0, 1, 0, HEAP_RETURNS_ADDRESS)                                 \
	X(REALLOCARRAY, HEAP_REALLOCARRAY, 3, 2, 1, 0, HEAP_RETURNS_ADDRESS)                       \
	X(ALIGNED_ALLOC, HEAP_ALIGNED_ALLOC, 2, 0, 0, 1, HEAP_RETURNS_ADDRESS)                     \
	X(POSIX_MEMALIGN, HEAP_POSIX_MEMALIGN, 3, 0, 1, 2, HEAP_RETURNS_ERROR)                     \
	X(MEMALIGN, HEAP_MEMALIGN, 2, 0, 0, 1, HEAP_RETURNS_ADDRESS)                               \
	X(VALLOC, HEAP_VALLOC, 1, 0, 0, 0, HEAP_RETURNS_ADDRESS)                                   \
	X(PVALLOC, HEAP_PVALLOC, 1, 0, 0, 0, HEAP_RETURNS_ADDRESS)                                 \
	X(MALLOC_ARRAY, HEAP_MALLOC, 2, 1, 0, 0, HEAP_RETURNS_ADDRESS)                             \
	X(ZALLOC, HEAP_CALLOC, 1, 0, 0, 0, HEAP_RETURNS_ADDRESS)                                   \
	X(SIZE_ALIGNMENT, HEAP_ALIGNED_ALLOC, 1, 0, 0, 2, HEAP_RETURNS_ADDRESS)                    \
	X(CALLOC_ALIGNED, HEAP_ALIGNED_ALLOC, 2, 1, 0, 3, HEAP_RETURNS_ADDRESS)                    \
	X(REALLOC_ALIGNED, HEAP_REALLOC, 2, 0, 1, 3, HEAP_RETURNS_ADDRESS)                         \
	X(RECALLOC_ALIGNED, HEAP_REALLOCARRAY, 3, 2, 1, 4, HEAP_RETURNS_ADDRESS)                   \
	X(OF_HEAP_MALLOC, HEAP_MALLOC, 2, 0, 0, 0, HEAP_RETURNS_ADDRESS)                           \
	X(OF_HEAP_ZALLOC, HEAP_CALLOC, 2, 0, 0, 0, HEAP_RETURNS_ADDRESS)                           \
	X(OF_HEAP_CALLOC, HEAP_CALLOC, 3, 2, 0, 0, HEAP_RETURNS_ADDRESS)                           \
	X(OF_HEAP_MALLOC_ARRAY, HEAP_MALLOC, 3, 2, 0, 0, HEAP_RETURNS_ADDRESS)                     \
	X(OF_HEAP_REALLOC, HEAP_REALLOC, 3, 0, 2, 0, HEAP_RETURNS_ADDRESS)                         \
	X(OF_HEAP_REALLOCARRAY, HEAP_REALLOCARRAY, 4, 3, 2, 0, HEAP_RETURNS_ADDRESS)               \
	X(OF_HEAP_SIZE_ALIGNMENT, HEAP_ALIGNED_ALLOC, 2, 0, 0, 3, HEAP_RETURNS_ADDRESS)            \
	X(OF_HEAP_CALLOC_ALIGNED, HEAP_ALIGNED_ALLOC, 3, 2, 0, 4, HEAP_RETURNS_ADDRESS)            \
	X(OF_HEAP_REALLOC_ALIGNED, HEAP_REALLOC, 3, 0, 2, 4, HEAP_RETURNS_ADDRESS)                 \
	X(OF_HEAP_RECALLOC_ALIGNED, HEAP_REALLOCARRAY, 4, 3, 2, 5, HEAP_RETURNS_ADDRESS)           \
	X(MALLOCX, HEAP_MALLOC, 1, 0, 0, 2 | HEAP_IN_FLAGS, HEAP_RETURNS_ADDRESS)                  \
	X(RALLOCX, HEAP_REALLOC, 2, 0, 1, 3 | HEAP_IN_FLAGS, HEAP_RETURNS_ADDRESS)                 \
	X(XALLOCX, HEAP_REALLOC, 2, 0, 1, 4 | HEAP_IN_FLAGS, HEAP_RETURNS_SIZE)

#define HEAP_IN_FLAGS 8 /* jemalloc's flags: their low six bits are log2 of the alignment */

enum heap_returns {
	HEAP_RETURNS_ADDRESS,
	HEAP_RETURNS_NOTHING,
	HEAP_RETURNS_ERROR, /* an error; the address is stored where argument 1 points */
	HEAP_RETURNS_SIZE,  /* the new size of the block, which has not moved */
};

enum heap_form {
#define HEAP_FORM_NAME(name_, ...) HEAP_FORM_##name_,
	HEAP_FORMS(HEAP_FORM_NAME)
#undef HEAP_FORM_NAME
		HEAP_FORM_COUNT,
};

struct heap_form_layout {
	uint8_t function; /* enum heap_function */
	uint8_t size, number, old, alignment;
	uint8_t returns; /* enum heap_returns */
};

enum heap_place {
	HEAP_PLACE_NONE = 0,
	HEAP_PLACE_FUNCTION = 1, /* and higher: 1 + enum heap_form */
	/* added to any: the file was loaded late, and is probed only for marked threads */
	HEAP_PLACE_LATE = 0x20,
	/* added to functions that may throw: their own return instructions are probed */
	HEAP_PLACE_THROWS = 0x40,
	HEAP_PLACE_LOADER = 0x80, /* the dynamic loader reports that its list has changed */
	HEAP_PLACE_RESULT,	  /* a return instruction of a function that may throw */
	HEAP_PLACE_EXCEPTION,	  /* a function that may throw may end here, without a return */
	/* the C library frees the cache of an ending thread */
	HEAP_PLACE_THREAD_END,
};

_Static_assert(HEAP_PLACE_FUNCTION + HEAP_FORM_COUNT <= HEAP_PLACE_LATE, "a place each");

#define HEAP_COOKIE_SHIFT 8 /* session cookie: the place, above it the offset in its page */

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
	uint64_t skipped; /* skipped calls, a part of these: calls whose return was not probed */
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

/* The time that probes cost a process: hits, and run time of the programs. */
struct heap_probed_key {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t unused;
};

struct heap_probed_value {
	uint64_t from_ns, to_ns; /* the time range in which hits were timed */
	uint64_t entries, returns, stepped;
	uint64_t programs_ns;
	uint64_t cpu_ns; /* CPU time of the process, from threads that have ended or were flushed */
	char name[16];	 /* name of the process at its last timed hit */
};

#define HEAP_PROBED_ENTRIES 4096

struct heap_control {
	uint64_t checks_frees; /* report wrong frees */
	uint64_t sample_bytes; /* allocated bytes between two samples on average; 0: all blocks */
	uint64_t lost_aggregates; /* calls whose aggregates found no room, in the ring or beside it
				   */
	uint64_t lost_stacks;	  /* stacks that did not fit the ring */
	uint64_t unwalked;	  /* calls without a stack: all memory for walks was in use */
	uint64_t unheld;	  /* calls of processes without room in `held` */
	uint64_t has_pauser;	  /* a thread reads `begun` */
	uint64_t has_sessions;	  /* sessions probe the places with a return */
	uint64_t may_sample;	  /* sample_bytes may be set later: `met` is kept */
	uint64_t unfollowed;	  /* samples whose free may be missed */
};

/* Stacks that were walked before; all 0 on kernels before 5.12. */
struct walk_memos {
	uint32_t generation; /* incremented when the kept walks become invalid */
	uint32_t unused;
	uint64_t walked, recognised;
	uint64_t checked, differing; /* recognized stacks that were walked again, as a check */
};

#define HEAP_BEGUN_BYTES (64u << 10) /* size of the ring for HEAP_BEGUN and HEAP_LOADED only */

/*
 * Sums by stack and size class in the kernel: live blocks by address, and the sums. A process is
 * identified with its program, a number that each exec increments.
 */
#define HEAP_SUM_ENTRIES   (1u << 18)
#define HEAP_HELD_ENTRIES  4096
#define HEAP_BLOCK_ENTRIES (1u << 20)
/* Sizes if all of the memory has to be allocated at load. */
#define HEAP_BLOCKS_LEAST (1u << 18)
#define HEAP_SUMS_LEAST	  (1u << 16)

struct heap_block_key {
	uint64_t address;
	uint32_t pid;
	uint32_t program;
};

struct heap_block_kept {
	uint64_t size : 63;
	uint64_t is_sample : 1; /* else it was allocated while all blocks were counted */
	uint64_t time_ns;	/* time of the allocation */
	uint64_t stack_hash;	/* 0: the block is in no sum */
	uint64_t code;		/* the probed instruction of its allocator; 0: not known */
};

/* Sampled live blocks, counted by a hash of their addresses; blocks of ended processes stay
 * counted. */
#define HEAP_ALIKE_BITS 16

/* Calls of a form whose return was probed. */
struct heap_nesting {
	uint32_t returned; /* at least so many calls returned */
	uint32_t contains; /* a call contained another one */
};

struct heap_samples {
	uint32_t alike[1u << HEAP_ALIKE_BITS];
	struct heap_nesting nesting[32]; /* enum heap_form */
};

/*
 * Needed if sampling may begin later: a byte for each hash of an address at which a block was
 * allocated. It distinguishes a free of an older block from frees of blocks that are no samples.
 * Blocks with equal hashes cannot be distinguished.
 */
#define HEAP_MET_BYTES	 64
#define HEAP_MET_ENTRIES (1u << 15)

struct heap_met {
	uint8_t is_met[HEAP_MET_BYTES];
};

/* A block that was freed. */
struct heap_freed {
	uint64_t time_ns;
	uint64_t size;
};

#define HEAP_FREED_ENTRIES (1u << 17)

struct heap_sum_key {
	uint64_t stack_hash;
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t program;
	uint32_t size_class;   /* size_class_of() */
	uint32_t sampled_size; /* sampled_size_of(); 0: all blocks */
};

struct heap_sum_value {
	uint64_t calls, allocated_bytes;
	uint64_t freed_blocks, freed_bytes;
	uint64_t short_blocks, short_bytes; /* freed within HEAP_SHORT_NS */
};

struct heap_held_key {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t program;
};

struct heap_held_value {
	uint64_t live_bytes, live_blocks;
	uint64_t peak_bytes;
	uint64_t freed_bytes;
	uint64_t frees_unknown;
	uint64_t untracked_blocks, untracked_bytes; /* no room for the block */
	uint64_t unsummed_blocks, unsummed_bytes;   /* no room for the sum */
	uint64_t is_forked; /* the process was forked, and has not exec'd since */
};

#define HEAP_WALKS_OF_CPU 16
#define HEAP_STACKS_SENT  (1u << 17)

/* Internal to the backend: the process's mappings may have changed. */
#define HEAP_LOADED 0x047e /* libraries */
#define HEAP_BEGUN  0x047f /* all mappings: the process runs another program */

#define HEAP_LOADED_AT_START 2 /* glibc reports this twice while it starts a program, musl once */
#define HEAP_PATH_BYTES	     200

struct heap_loaded {
	struct sooth_record record;
	uint64_t is_start; /* the report belongs to the start of the program */
	uint64_t address;  /* address of the probed instruction */
	uint64_t returns;  /* the address behind the call; 0: not known */
};

struct heap_begun {
	struct sooth_record record;
	uint64_t inode; /* inode of the program */
	uint32_t device_major;
	uint32_t device_minor;
	char path[HEAP_PATH_BYTES]; /* path as the exec requested it; cut when it is longer */
};
