/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * heap: the calls of a process to its allocator. Counted calls are aggregated by thread and
 * function in the kernel. A streamed call has a record, made when the outermost call returns (free:
 * when it is called); calls inside the allocator belong to the outermost call. Shared with the
 * kernel side.
 */
#pragma once

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

#define HEAP_BUCKETS 32 /* log2 of requested bytes: slot i counts sizes from 2^i to 2^(i+1) */

/*
 * The outermost calls of one function by one thread in a time window. Only calls that returned are
 * counted (free: all calls); free(NULL) is not counted. Slot 0 also counts the size 0, the last
 * slot all sizes from 2 GiB on.
 */
struct heap_count {
	struct sooth_record record; /* time_ns: end of the window */
	uint64_t from_ns;
	uint64_t count;
	uint64_t failed;     /* calls of `count` that requested memory and got none */
	uint64_t overflows;  /* calls of `count`: number times size does not fit 64 bits */
	uint64_t unfinished; /* calls that had not returned by the end, or never return */
	uint64_t bytes;	     /* requested by successful calls; free: unknown here, 0 */
	uint64_t total_ns;
	uint64_t max_ns;
	uint32_t function; /* enum heap_function */
	/* some calls, besides samples, returned unseen: they count as successful */
	uint8_t is_partial;
	uint8_t unused[3];
	uint32_t histogram[HEAP_BUCKETS]; /* requested sizes; free: empty */
};

struct heap_call {
	struct sooth_record record; /* time_ns: when it returned; free: when it was called */
	uint64_t address;	    /* the returned address, 0 on failure; free: its argument */
	uint64_t size;		    /* requested bytes; an overflow: all bits set */
	uint64_t old_address;	    /* realloc's argument; 0: NULL */
	uint64_t duration_ns;	    /* free: 0 */
	uint8_t function;	    /* enum heap_function */
	uint8_t error;		    /* errno */
	uint8_t is_overflow;
	uint8_t alignment_log2;	   /* log2 of the alignment that the function got; 0: none */
	uint8_t size_state;	   /* absent: free */
	uint8_t old_address_state; /* absent: all but realloc */
	uint8_t error_state;	   /* absent: the call did not fail */
	uint8_t unused;
	/* The record ends here if no stacks were requested, and for a free. */
	union {
		struct {
			uint32_t stack; /* number of a heap.stack */
			uint8_t stack_state;
			uint8_t more_unused[3];
		};
		uint64_t stack_hash; /* hash; only in records from the kernel side to the collector
				      */
	};
};

/*
 * Allocations of one stack and one size class within a window, aggregated in the kernel. Each exec
 * of the process increments `program`: the blocks of an earlier program are gone.
 */
struct heap_sum {
	struct sooth_record record; /* time_ns: end of the window */
	uint64_t from_ns;
	uint64_t calls, allocated_bytes; /* sums of the calls that got memory */
	uint64_t freed_blocks, freed_bytes;
	uint64_t short_blocks, short_bytes; /* blocks that were freed within HEAP_SHORT_NS */
	uint32_t program;
	uint32_t size_class; /* size_class_of() of bpf/log2.h */
	uint32_t stack;	     /* number of a heap.stack */
	uint8_t stack_state;
	uint8_t unused[3];
	/* Older captures have nothing from here on. */
	uint64_t sample_bytes; /* 0: all blocks; else these are samples: average number of bytes
				* allocated between two samples */
	uint32_t sampled_size; /* size of each of these blocks, but for the last of nine bits */
	uint32_t more_unused;
};

#define HEAP_SUM_LEAST offsetof(struct heap_sum, sample_bytes)

/* Memory that a process held at the record's time, and its calls that no heap.sum counts. */
struct heap_held {
	struct sooth_record record;
	uint64_t live_bytes, live_blocks;
	uint64_t peak_bytes; /* highest value since the program was followed */
	uint64_t freed_bytes;
	uint64_t frees_unknown;	   /* frees of blocks whose allocation was not seen */
	uint64_t untracked_blocks; /* allocated, but not tracked: a table was full */
	uint64_t untracked_bytes;
	uint64_t unsummed_blocks; /* blocks in the process's values, but in no heap.sum */
	uint64_t unsummed_bytes;
	uint32_t program;
	uint8_t is_forked; /* forked, and no exec since: the process frees copies of blocks */
	uint8_t unused[3];
	/* Older captures have nothing from here on. */
	uint64_t sample_bytes; /* size per sample, as in heap.sum; not 0: all values are of
				  unweighted samples */
};

#define HEAP_HELD_LEAST offsetof(struct heap_held, sample_bytes)

#define HEAP_SHORT_NS 10000000ull

enum heap_bad_what {
	HEAP_FREED_TWICE,  /* the block is free already */
	HEAP_FREED_INSIDE, /* no block begins there: the address is odd, or inside a block */
	HEAP_FREED_STACK,  /* a variable on the stack */
	HEAP_BAD_WHATS,
};

/* A free or a resize of an address that is no allocated block. */
struct heap_bad_free {
	struct sooth_record record;
	uint64_t address;
	uint64_t size;	       /* size of the block */
	uint64_t freed_ago_ns; /* time since the first free */
	union {
		struct {
			uint32_t stack; /* number of the heap.stack of the call that frees the block
					   now */
			uint8_t stack_state;
			uint8_t more_unused[3];
		};
		uint64_t stack_hash; /* hash; only in records from the kernel side to the collector
				      */
	};
	uint8_t what;	     /* enum heap_bad_what */
	uint8_t block_state; /* state of size and freed_ago_ns */
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
	uint8_t is_of_samples; /* all calls are counted, but the time when samples were freed is
				* unknown; `path` is empty */
	uint8_t unused[7];
};

#define HEAP_GAP_LEAST offsetof(struct heap_gap, is_of_samples)

/* Cost of the observation, recorded at its end. */
struct heap_cost {
	struct sooth_record record;
	uint64_t attach_ns;    /* time to attach all probes */
	uint64_t forgotten_ns; /* time to remove the probes, without those left to the guard */
	uint32_t sites;
	uint32_t events;
	uint32_t descriptors;
	uint32_t sessions; /* session links, which probe a return only if it is
			      needed; 0 in older captures */
};

/* Time that the probes took from a process, recorded at the end. */
struct heap_overhead {
	struct sooth_record record;
	uint64_t from_ns;     /* approximate time of the first hit */
	uint64_t hits_ns;     /* time from the first hit to the last one */
	uint64_t cpu_ns;      /* CPU time of the process while it was observed */
	uint64_t probes_ns;   /* part of cpu_ns: hits times the cost of one hit, plus programs_ns */
	uint64_t programs_ns; /* sooth's BPF programs: measured for 1 hit in 61, times 61 */
	uint64_t entries, returns, stepped; /* hits, exact to 61 per thread; stepped: at a return */
	/* The kernel's time for one hit, measured by sooth in itself when the recording ended. */
	uint32_t entry_ns, return_ns, stepped_ns;
	uint8_t cost_state;   /* state of the three values above, and of probes_ns */
	uint8_t return_state; /* state of return_ns; without a value, probes_ns has no returns */
	uint8_t unused[2];
	char name[16]; /* name of the process */
};

/* A definition: where a function of a file is probed. */
struct heap_site {
	struct sooth_record record; /* pid: the first process that had the file mapped */
	uint64_t device;
	uint64_t inode;
	uint64_t entry;	     /* offset of the function in the file */
	uint64_t offset;     /* offset of the probed instruction; the same for the return probe */
	uint8_t function;    /* enum heap_function of the probed function */
	uint8_t has_return;  /* the return of the function is probed too */
	uint8_t is_emulated; /* 0: the instruction is single-stepped, 20 times the overhead */
	uint8_t unused[5];
	struct sooth_text path;
	struct sooth_text why; /* reason of the choice */
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

/* Name of the limit that is reported for a process in which nothing can be probed. */
#define HEAP_NO_ALLOCATOR "allocations of a program without allocator symbols"

/* Name of the limit that says why samples were aggregated instead. */
#define HEAP_EVERY_CALL "every call"
/* Name of the limit for a program that only probes in the kernel could see. */
#define HEAP_NOT_LOADED "allocations of a program that did not load sooth's library"
/* Name of the limit for recordings of resident memory only. */
#define HEAP_NOT_RECORDED "allocations"
/* Name of the limit for forked processes whose calls are missing. */
#define HEAP_UNCONNECTED "allocations of forked processes that sooth's library did not reach"

/* Instructions after a call that sooth's library in the program records. They do nothing. */
#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#define HEAP_THROUGH_CODE 0xd289ea9fd28a69ff /* movz xzr, #0x534f; movz xzr, #0x4f54 */
#else
#define HEAP_THROUGH_CODE 0x544f4f5300841f0f /* nopl 0x544f4f53(%rax,%rax,1) */
#endif
