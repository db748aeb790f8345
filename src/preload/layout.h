/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the library in a process and sooth share: the memory in which each thread writes its calls,
 * and the messages by which a process gets it. All of it is written by the observed program too:
 * sooth copies, then checks.
 */
#ifndef SOOTH_PRELOAD_LAYOUT_H
#define SOOTH_PRELOAD_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/heap.h"

#define PRELOAD_LIBRARY	 "sooth-preload.so"
#define PRELOAD_VARIABLE "SOOTH_PRELOAD" /* the path of the socket */
#define PRELOAD_VERSION	 4

#define PRELOAD_PAGE	   4096u
#define PRELOAD_SLOTS	   32u	      /* threads of a segment */
#define PRELOAD_RING_WORDS (1u << 15) /* of a thread; a power of two */
#define PRELOAD_RING_BYTES (PRELOAD_RING_WORDS * 8u)
#define PRELOAD_OWN_BYTES  16384u /* of a slot: the thread's own */
#define PRELOAD_SENT	   16384u /* stacks that a slot has written, by their hash */
#define PRELOAD_FRAMES_MAX 128u
#define PRELOAD_WORDS_MAX  (PRELOAD_FRAMES_MAX + 8u) /* of a record */

/* --- the session: one page, of all processes --- */

struct preload_session {
	atomic_uint version;
	atomic_uint is_on;   /* 0: sooth has ended */
	atomic_uint streams; /* each call; else they are only counted */
	atomic_uint stacks;  /* of calls that allocate */
	atomic_uint waits;   /* while a ring is full; else the call is counted as lost */
	/* Written often, and read where a thread waits. */
	_Alignas(64) atomic_uint heartbeat;
	_Alignas(64) atomic_uint wake; /* a futex: sooth sleeps on it */
	atomic_uint is_asleep;
	atomic_uint unconnected; /* forked processes that did not reach sooth */
};

/* --- a segment: slots, then their rings --- */

enum preload_slot_state {
	PRELOAD_SLOT_FREE,
	PRELOAD_SLOT_TAKEN, /* by the thread `tid`; sooth frees it when that has ended */
};

/* As struct heap_count, in ticks. */
struct preload_count {
	uint64_t count, failed, overflows, bytes, total_ticks, max_ticks;
	uint32_t histogram[HEAP_BUCKETS];
};

struct preload_slot {
	atomic_uint state, tid;
	uint64_t begin_ticks;		 /* when it was taken */
	atomic_ullong head;		 /* words written */
	atomic_uint is_late;		 /* a record has its time, and is not written yet */
	atomic_ullong lost;		 /* records that were not */
	_Alignas(64) atomic_ullong tail; /* words read; by sooth */
	atomic_uint space;		 /* a futex: raised with it */
	atomic_uint is_waiting;		 /* the thread, for it */
	_Alignas(64) struct preload_count counts[HEAP_FUNCTIONS];
};

#define PRELOAD_SLOT_BYTES PRELOAD_PAGE

_Static_assert(sizeof(struct preload_slot) <= PRELOAD_SLOT_BYTES, "a page each");

#define PRELOAD_SLOT_AT(slot) ((size_t)(slot)*PRELOAD_SLOT_BYTES)
#define PRELOAD_RING_AT(slot)                                                                      \
	((size_t)PRELOAD_SLOTS * PRELOAD_SLOT_BYTES + (size_t)(slot)*PRELOAD_RING_BYTES)
#define PRELOAD_SENT_AT(slot)                                                                      \
	(PRELOAD_RING_AT(PRELOAD_SLOTS) + (size_t)(slot)*PRELOAD_SENT * sizeof(uint64_t))
#define PRELOAD_OWN_AT(slot)  (PRELOAD_SENT_AT(PRELOAD_SLOTS) + (size_t)(slot)*PRELOAD_OWN_BYTES)
#define PRELOAD_SEGMENT_BYTES PRELOAD_OWN_AT(PRELOAD_SLOTS)

/* --- records --- */

/*
 * Words: the head, then the address, and as the head says: the size, the block that was passed to
 * realloc, an error, a duration that does not fit the head, a stack. Of a free only the address.
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
#define PRELOAD_HEAD_DELTA	   32u /* 32 bits: ticks since the record before */

#define PRELOAD_TIME 15u /* the second word is the time, in ticks; the next counts from there */

/* The hash, then the frames, the innermost first: the called function, then addresses in calls. In
 * the head how many, and how the walk ended. It comes before the first call with that stack. */
#define PRELOAD_STACK	    14u
#define PRELOAD_STACK_COUNT 8u	/* eight bits */
#define PRELOAD_STACK_END   16u /* eight bits: enum preload_end */

_Static_assert(HEAP_FUNCTIONS <= PRELOAD_STACK && PRELOAD_FRAMES_MAX < 256, "their bits");

/* As enum profile_end (probes/profile.h). */
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

/* --- messages --- */

enum preload_request {
	PRELOAD_STARTED = 1, /* a program has started */
	PRELOAD_FORKED,	     /* a process was forked */
	PRELOAD_MORE,	     /* all slots are taken */
	PRELOAD_CODE,	     /* code was loaded; the answer has no descriptors */
	PRELOAD_AROUND,	     /* calls will go around the library, and none has yet; the same */
	PRELOAD_FAILED,	     /* the memory could not be mapped; `error` */
};

struct preload_hello {
	uint32_t version;
	uint32_t request; /* enum preload_request */
	int32_t error;
	uint32_t parent; /* the process that it was forked from; 0: not known */
	uint32_t around; /* PRELOAD_AROUND_*: of PRELOAD_AROUND */
	uint32_t unused;
};

/* Why: libraries that were just loaded define an allocator; or are bound to the C library, by
 * RTLD_DEEPBIND; or the program has looked up the function behind that of a library. */
#define PRELOAD_AROUND_OWN  1u
#define PRELOAD_AROUND_DEEP 2u
#define PRELOAD_AROUND_NEXT 4u
#define PRELOAD_AROUND_ALL  7u

/* With two descriptors: the session's and the segment's. */
struct preload_welcome {
	uint32_t version;
	uint32_t is_probed; /* all calls of the process are from now on, those of the library too */
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

#endif
