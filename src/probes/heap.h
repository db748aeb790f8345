/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * heap: the calls of a process to its allocator. Counted: aggregates by thread and
 * function, made in the kernel. Streamed: one record per outermost call, when it
 * returns (free: when it is called); calls inside the allocator are part of it.
 * Shared with the kernel side.
 */
#ifndef SOOTH_PROBES_HEAP_H
#define SOOTH_PROBES_HEAP_H

#include <stddef.h>

#include <sooth/record.h>

enum heap_kind {
	HEAP_COUNT = 0x0400,
	HEAP_CALL = 0x0401,
	HEAP_GAP = 0x0402,
	HEAP_PAUSE = 0x0403, /* struct pause_event */
	HEAP_COST = 0x0404,
	HEAP_SUM = 0x0405,
	HEAP_HELD = 0x0406,
	HEAP_BAD_FREE = 0x0407,
	HEAP_OVERHEAD = 0x0408,
	HEAP_SITE = 0x0480,
	HEAP_STACK = 0x0481, /* struct profile_stack */
	HEAP_FRAME = 0x0482, /* struct profile_frame */
};

enum heap_function {
	HEAP_MALLOC,
	HEAP_FREE,
	HEAP_CALLOC,
	HEAP_REALLOC,
	HEAP_REALLOCARRAY,
	HEAP_ALIGNED_ALLOC,
	HEAP_POSIX_MEMALIGN,
	HEAP_MEMALIGN,
	HEAP_VALLOC,
	HEAP_PVALLOC,
	HEAP_FUNCTIONS,
};

#define HEAP_BUCKETS 32 /* log2 of bytes asked for: slot i counts sizes from 2^i to 2^(i+1) */

/*
 * A thread's outermost calls of one function over a window. Only calls that
 * returned are counted (free: that were made); free(NULL) is none. A size of 0
 * stands in slot 0, one of 2 GiB and more in the last.
 */
struct heap_count {
	struct sooth_record record; /* time_ns: end of the window */
	uint64_t from_ns;
	uint64_t count;
	uint64_t failed;     /* of these: no memory was given though some was asked for */
	uint64_t overflows;  /* of these: number times size does not fit 64 bits */
	uint64_t unfinished; /* entered, not returned by the end, or never */
	uint64_t bytes;	     /* asked for by calls that got it; of free: not known here, 0 */
	uint64_t total_ns;
	uint64_t max_ns;
	uint32_t function; /* enum heap_function */
	/* of some, that were no samples, the return was not seen: they are counted as successful */
	uint8_t is_partial;
	uint8_t unused[3];
	uint32_t histogram[HEAP_BUCKETS]; /* sizes asked for; of free: empty */
};

struct heap_call {
	struct sooth_record record; /* time_ns: when it returned; free: when it was called */
	uint64_t address;	    /* what it returned, 0 on failure; free: its argument */
	uint64_t size;		    /* bytes asked for; of an overflow all bits */
	uint64_t old_address;	    /* realloc's argument; 0: NULL */
	uint64_t duration_ns;	    /* free: 0 */
	uint8_t function;	    /* enum heap_function */
	uint8_t error;		    /* errno */
	uint8_t is_overflow;
	uint8_t alignment_log2;	   /* of the functions that take one; 0: none */
	uint8_t size_state;	   /* absent: free */
	uint8_t old_address_state; /* absent: all but realloc */
	uint8_t error_state;	   /* absent: it did not fail */
	uint8_t unused;
	/* The record ends here unless stacks were requested, and of a free. */
	union {
		struct {
			uint32_t stack; /* of a heap.stack */
			uint8_t stack_state;
			uint8_t more_unused[3];
		};
		uint64_t stack_hash; /* from the kernel side to the collector */
	};
};

/*
 * Allocations of one stack and one size class within a window, added up in the kernel. `program`
 * is raised by each exec of the process: a block of an earlier one is gone.
 */
struct heap_sum {
	struct sooth_record record; /* time_ns: end of the window */
	uint64_t from_ns;
	uint64_t calls, allocated_bytes; /* that got memory */
	uint64_t freed_blocks, freed_bytes;
	uint64_t short_blocks, short_bytes; /* of these: freed within HEAP_SHORT_NS */
	uint32_t program;
	uint32_t size_class; /* size_class_of() of bpf/log2.h */
	uint32_t stack;	     /* of a heap.stack */
	uint8_t stack_state;
	uint8_t unused[3];
	/* Older captures have nothing from here on. */
	uint64_t sample_bytes; /* 0: all blocks; else those are samples, and so many bytes were
				  allocated between two of them, on average */
	uint32_t sampled_size; /* of each of these blocks, but for the last of nine bits */
	uint32_t more_unused;
};

#define HEAP_SUM_LEAST offsetof(struct heap_sum, sample_bytes)

/* Memory that a process held at that time, and its calls that are in no sum. */
struct heap_held {
	struct sooth_record record;
	uint64_t live_bytes, live_blocks;
	uint64_t peak_bytes; /* since its program was followed */
	uint64_t freed_bytes;
	uint64_t frees_unknown;	   /* of blocks whose allocation was not seen */
	uint64_t untracked_blocks; /* allocated, and not known later: a table was full */
	uint64_t untracked_bytes;
	uint64_t unsummed_blocks; /* in the process's values, but in no heap.sum */
	uint64_t unsummed_bytes;
	uint32_t program;
	uint8_t is_forked; /* it was forked, and runs no other program yet: it frees copies */
	uint8_t unused[3];
	/* Older captures have nothing from here on. */
	uint64_t sample_bytes; /* as of heap.sum: then all values are of samples, without weights */
};

#define HEAP_HELD_LEAST offsetof(struct heap_held, sample_bytes)

#define HEAP_SHORT_NS 10000000ull

enum heap_bad_what {
	HEAP_FREED_TWICE,  /* the block is free already */
	HEAP_FREED_INSIDE, /* no block begins there: it is odd, or inside of a block */
	HEAP_FREED_STACK,  /* a variable on the stack */
	HEAP_BAD_WHATS,
};

/* A block was freed, or resized, that is none. */
struct heap_bad_free {
	struct sooth_record record;
	uint64_t address;
	uint64_t size;	       /* that the block had */
	uint64_t freed_ago_ns; /* since it was freed before */
	union {
		struct {
			uint32_t stack; /* of a heap.stack: who frees it now */
			uint8_t stack_state;
			uint8_t more_unused[3];
		};
		uint64_t stack_hash; /* from the kernel side to the collector */
	};
	uint8_t what;	     /* enum heap_bad_what */
	uint8_t block_state; /* of size and freed_ago_ns */
	uint8_t unused[6];
};

#define HEAP_CALL_LEAST offsetof(struct heap_call, stack)

/* Calls into one file are missing from from_ns to the record's time: the file was just mapped and
 * its probes were not attached yet. */
struct heap_gap {
	struct sooth_record record;
	uint64_t from_ns;
	struct sooth_text path;
	/* Older captures have nothing from here on. */
	uint8_t is_of_samples; /* all calls are counted; of samples it is not known when they were
				   freed, and `path` is empty */
	uint8_t unused[7];
};

#define HEAP_GAP_LEAST offsetof(struct heap_gap, is_of_samples)

/* Cost of the observation, recorded at its end. */
struct heap_cost {
	struct sooth_record record;
	uint64_t attach_ns;    /* of all attaching */
	uint64_t forgotten_ns; /* of taking the probes out, without what is left to the guard */
	uint32_t sites;
	uint32_t events;
	uint32_t descriptors;
	uint32_t sessions; /* session links, which probe a return only if it is
			      needed; 0 in older captures */
};

/* Time that the probes took from a process, recorded at the end. */
struct heap_overhead {
	struct sooth_record record;
	uint64_t from_ns;     /* of its first hit, about */
	uint64_t hits_ns;     /* from then to its last one */
	uint64_t cpu_ns;      /* that it used while it was observed */
	uint64_t probes_ns;   /* of these: hits times what one takes, and programs_ns */
	uint64_t programs_ns; /* sooth's programs, of one hit in 61, times 61 */
	uint64_t entries, returns, stepped; /* hits, to 61 a thread; stepped: at return
					       instructions */
	/* The kernel's time for one hit, measured by sooth in itself when the recording ended. */
	uint32_t entry_ns, return_ns, stepped_ns;
	uint8_t cost_state;   /* of these, and of probes_ns */
	uint8_t return_state; /* of return_ns: without it returns are not in probes_ns */
	uint8_t unused[2];
	char name[16]; /* of the process */
};

/* A definition: where a function of a file is probed. */
struct heap_site {
	struct sooth_record record; /* its process: the first in which the file was found mapped */
	uint64_t device;
	uint64_t inode;
	uint64_t entry;	     /* offset of the function in the file */
	uint64_t offset;     /* of the probed instruction; the same for the return probe */
	uint8_t function;    /* enum heap_function */
	uint8_t has_return;  /* its return is probed too */
	uint8_t is_emulated; /* 0: the instruction is single-stepped, 20 times the overhead */
	uint8_t unused[5];
	struct sooth_text path;
	struct sooth_text why; /* of the choice */
};

_Static_assert(HEAP_CALL_LEAST == 72 && sizeof(struct heap_call) == 80,
	"the layout is part of the capture format");
_Static_assert(HEAP_SUM_LEAST == 32 + 8 * 7 + 16 && sizeof(struct heap_sum) == HEAP_SUM_LEAST + 16,
	"no padding");
_Static_assert(HEAP_HELD_LEAST == 32 + 8 * 9 + 8 && sizeof(struct heap_held) == HEAP_HELD_LEAST + 8,
	"no padding");
_Static_assert(sizeof(struct heap_overhead) == 32 + 8 * 8 + 16 + 16, "no padding");
_Static_assert(sizeof(struct heap_bad_free) == 32 + 8 * 5, "no padding");
_Static_assert(sizeof(struct heap_count) == 32 + 8 * 9 + 4 * HEAP_BUCKETS, "no padding");

#ifndef __bpf__
extern const struct sooth_schema heap_stack_schema, heap_frame_schema;
extern const struct sooth_names heap_bad_whats;
#endif

/* The limit of a process in which nothing can be probed: what is missing of it. */
#define HEAP_NO_ALLOCATOR "allocations of a program without allocator symbols"

/* The limit that says why samples were added up instead. */
#define HEAP_EVERY_CALL "every call"
/* The limit of a program that only probes in the kernel could see. */
#define HEAP_NOT_LOADED "allocations of a program that did not load sooth's library"
/* The limit of forked processes whose calls are missing. */
#define HEAP_UNCONNECTED "allocations of forked processes that sooth's library did not reach"

/* The instructions behind a call that sooth's library in the program records: they do nothing. */
#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#define HEAP_THROUGH_CODE 0xd289ea9fd28a69ff /* movz xzr, #0x534f; movz xzr, #0x4f54 */
#else
#define HEAP_THROUGH_CODE 0x544f4f5300841f0f /* nopl 0x544f4f53(%rax,%rax,1) */
#endif

#endif
