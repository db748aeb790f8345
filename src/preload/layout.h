/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface between sooth and the library in a process: the memory into which each thread
 * writes its calls, and the messages by which a process gets it. The observed program can write all
 * of it: sooth first copies, then checks.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/heap.h"

#define PRELOAD_LIBRARY "sooth-preload.so"
/* The socket's path, a colon, the token, and a digit: how many seccomp filters sooth has. A program
 * that it launched, or a child of one, with the same number has the same filters. */
#define PRELOAD_VARIABLE "SOOTH_PRELOAD"
#define PRELOAD_MEMORY	 "sooth-heap" /* name of sooth's memory in mappings */
#define PRELOAD_VERSION	 5

/* Name of a file beside the socket: a program that cannot connect opens it. */
#define PRELOAD_UNSEEN "unseen"
/* A program proves by the token that it has the environment of the command. */
#define PRELOAD_TOKEN_BYTES 32u /* hexadecimal digits */
#define PRELOAD_FILTERS_MAX 9u

/*
 * A program gets all its memory at the start, because later the library may make no system call
 * that the program would not make itself. Threads and forked children take slots of this memory.
 * Only the first slots have a large ring; the first free slot is taken.
 */
#define PRELOAD_PAGE 4096u
#define PRELOAD_SLOTS                                                                              \
	512u /* number of slots: one per thread of a program and its forked children */
#define PRELOAD_LARGE	   32u /* slots with a large ring */
#define PRELOAD_RING_WORDS (1u << 15)
#define PRELOAD_FEW_WORDS  (1u << 11) /* words of a small ring; both are powers of two */
#define PRELOAD_FRAMES_MAX 128u
#define PRELOAD_WORDS_MAX  (PRELOAD_FRAMES_MAX + 8u) /* words of the largest record */

/* --- sooth's page: one of all processes, which only sooth can write --- */

#define PRELOAD_MUTEX_BYTES 64u
#define PRELOAD_OWNER_DIED  0x40000000u /* FUTEX_OWNER_DIED */

struct preload_page {
	/* A robust mutex that sooth holds (pthread_mutexattr_setrobust(3)): when sooth is killed,
	 * the kernel sets a bit in its first word, which programs read. */
	_Alignas(64) union {
		atomic_uint owner;
		unsigned char mutex[PRELOAD_MUTEX_BYTES];
	};
	atomic_uint version;
	atomic_uint is_on;   /* 0: sooth has ended */
	atomic_uint streams; /* each call is written if not 0; else calls are only counted */
	atomic_uint stacks;  /* calls that allocate are written with their stack */
	atomic_uint waits; /* threads wait while a ring is full; else the call is counted as lost */
	atomic_ullong second; /* ticks */
	/* Written often. Read by threads that wait, or have no clock. */
	_Alignas(64) atomic_uint heartbeat;
	atomic_ullong ticks; /* the time of the last beat */
};

/* --- a segment: its head, slots, then their rings --- */

struct preload_head {
	atomic_uint used;	/* slots, from the first, that were ever taken */
	atomic_uint around;	/* PRELOAD_AROUND_* of requests without an answer */
	atomic_ullong left_out; /* calls of threads that found no slot */
	atomic_uint gave_up;	/* sooth's heartbeat stopped: later calls are missing */
};

enum preload_slot_state {
	PRELOAD_SLOT_FREE,
	PRELOAD_SLOT_TAKING,
	PRELOAD_SLOT_TAKEN, /* the thread `tid` has the slot; sooth frees it after the thread's end
			     */
};

/* Like struct heap_count, but in ticks. */
struct preload_count {
	uint64_t count, failed, overflows, bytes, total_ticks, max_ticks;
	uint32_t histogram[HEAP_BUCKETS];
};

/* Requests. A thread writes its request into its slot, and waits there for the answer. */
enum preload_ask {
	PRELOAD_ASK_CODE = 1, /* code was loaded: until sooth has read the mappings */
	PRELOAD_ASK_MAPPING,  /* the mapping of an address: its start and end */
	PRELOAD_ASK_AROUND,   /* calls will bypass the library: until they are probed */
	PRELOAD_ASK_PROCESS,  /* until sooth knows the PID, which the process itself does not */
};

#define PRELOAD_ASK_KIND   0xffu
#define PRELOAD_ASK_NUMBER 8u /* shift of the number of the request, from 1 on */

/* Why calls bypass the library: new libraries define an allocator; or RTLD_DEEPBIND binds them to
 * the C library; or the program has looked up a library's function with RTLD_NEXT. */
#define PRELOAD_AROUND_OWN  1u
#define PRELOAD_AROUND_DEEP 2u
#define PRELOAD_AROUND_NEXT 4u
#define PRELOAD_AROUND_ALL  7u

struct preload_slot {
	atomic_uint state;
	atomic_uint tid, pid;	   /* ids from the C library; 0: not known */
	atomic_uint parent;	   /* the process that `pid` was forked from; 0: not forked */
	atomic_ullong begin_ticks; /* time when the slot was taken; 0: not yet set */
	atomic_ullong head;	   /* words written */
	atomic_uint is_late;	   /* a record already has its time, but is not written yet */
	atomic_uint is_coarse;	/* the program turned the time-stamp counter off: records have the
				   time of sooth's last beat */
	atomic_ullong lost;	/* records that were not written */
	atomic_uint ask;	/* enum preload_ask and its number; 0: no request */
	atomic_ullong argument; /* an address, or PRELOAD_AROUND_* */
	atomic_uint is_waiting; /* the thread waits in the kernel for `space` */
	_Alignas(64) atomic_ullong tail; /* words read; sooth writes this member and those below */
	atomic_uint answered;		 /* number of the last answered request */
	atomic_ullong answer[2];
	atomic_uint space;	 /* a futex: sooth changes it with `tail` and `answered` */
	atomic_uint is_filtered; /* the kernel reports a seccomp filter that sooth lacks */
	_Alignas(64) struct preload_count counts[HEAP_FUNCTIONS];
};

#define PRELOAD_SLOT_BYTES PRELOAD_PAGE

_Static_assert(sizeof(struct preload_slot) <= PRELOAD_SLOT_BYTES, "a page each");
_Static_assert(sizeof(struct preload_page) <= PRELOAD_PAGE, "a page");

#define PRELOAD_SLOT_AT(slot) (PRELOAD_PAGE + (size_t)(slot)*PRELOAD_SLOT_BYTES)
#define PRELOAD_LARGE_BYTES   ((size_t)PRELOAD_RING_WORDS * 8u)
#define PRELOAD_FEW_BYTES     ((size_t)PRELOAD_FEW_WORDS * 8u)
#define PRELOAD_SMALL_AT(slot)                                                                     \
	(PRELOAD_SLOT_AT(PRELOAD_SLOTS) + PRELOAD_LARGE * PRELOAD_LARGE_BYTES +                    \
		(size_t)((slot)-PRELOAD_LARGE) * PRELOAD_FEW_BYTES)
#define PRELOAD_SEGMENT_BYTES PRELOAD_SMALL_AT(PRELOAD_SLOTS)

static inline size_t preload_ring_at(unsigned slot)
{
	return slot < PRELOAD_LARGE ? PRELOAD_SLOT_AT(PRELOAD_SLOTS) + slot * PRELOAD_LARGE_BYTES
				    : PRELOAD_SMALL_AT(slot);
}

static inline uint32_t preload_ring_words(unsigned slot)
{
	return slot < PRELOAD_LARGE ? PRELOAD_RING_WORDS : PRELOAD_FEW_WORDS;
}

/* --- records --- */

/*
 * Words of a call: the head, the address; as the head says, the size, the block passed to realloc,
 * an error, a duration that does not fit into the head, a stack. A free has only the address.
 */
#define PRELOAD_HEAD_FUNCTION	   0x0000000fu /* enum heap_function, or PRELOAD_TIME */
#define PRELOAD_HEAD_HAS_OLD	   0x00000010u
#define PRELOAD_HEAD_HAS_ERROR	   0x00000020u
#define PRELOAD_HEAD_HAS_DURATION  0x00000040u
#define PRELOAD_HEAD_HAS_STACK	   0x00000080u
#define PRELOAD_HEAD_IS_OVERFLOW   0x00000100u
#define PRELOAD_HEAD_ALIGNMENT	   9u  /* six bits: exponent of two */
#define PRELOAD_HEAD_DURATION	   15u /* 17 bits: ticks */
#define PRELOAD_HEAD_DURATION_BITS 17u
#define PRELOAD_HEAD_DELTA	   32u /* 32 bits: ticks since the previous record */

#define PRELOAD_TIME 15u /* second word: the time in ticks, from which the next delta counts */

/* Words of a stack, before its first call: head, hash, frames, innermost first: the called
 * function, then addresses in calls. The head has the number of frames, and how the walk ended. */
#define PRELOAD_STACK	    14u
#define PRELOAD_STACK_COUNT 8u	/* eight bits */
#define PRELOAD_STACK_END   16u /* eight bits: enum preload_end */

_Static_assert(HEAP_FUNCTIONS <= PRELOAD_STACK && PRELOAD_FRAMES_MAX < 256, "their bits");

/* Same values as enum profile_end (probes/profile.h). */
enum preload_end {
	PRELOAD_END_WHOLE,
	PRELOAD_END_DEPTH,
	PRELOAD_END_UNREADABLE,
	PRELOAD_END_NO_CODE,
	PRELOAD_END_NO_ROW,
	PRELOAD_END_NO_TABLE,
	PRELOAD_END_RULE,
	PRELOAD_END_STUCK,
	PRELOAD_ENDS,
};

/* --- messages: when a program starts, before anything of it runs --- */

enum preload_request {
	PRELOAD_STARTED = 1, /* a program has started */
	PRELOAD_FAILED,	     /* the memory could not be mapped; `error` */
};

struct preload_hello {
	uint32_t version;
	uint32_t request; /* enum preload_request */
	int32_t error;
	uint32_t pid; /* PID of the program in its own PID namespace, as in its slots */
	char token[PRELOAD_TOKEN_BYTES];
};

/* Comes with two descriptors: sooth's page, read-only, and the segment. */
struct preload_welcome {
	uint32_t version;
	uint32_t unused;
};

/* --- time --- */

static inline uint64_t preload_ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
#error "no clock is known for this architecture"
#endif
}
