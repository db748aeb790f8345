/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a thread waits for, by the call that it sleeps in and that call's arguments. The memory
 * that arguments point to is not looked into: of a time-out behind a pointer it is known that
 * there is one, not how long it is.
 */
#ifndef SOOTH_ANALYZE_THREAD_WAITS_H
#define SOOTH_ANALYZE_THREAD_WAITS_H

#include "probes/threads.h"

enum thread_wait {
	THREAD_WAIT_UNKNOWN, /* in no call, or in one that could not be seen */
	THREAD_WAIT_OTHER,   /* in a call that does not show it */
	THREAD_WAIT_NOTHING, /* it runs, or is ready to */
	THREAD_WAIT_LOCK,    /* a futex: another thread with its memory has to wake it */
	THREAD_WAIT_TIME,
	THREAD_WAIT_READY, /* one of several descriptors */
	THREAD_WAIT_DATA,  /* one descriptor, or what a file system answers */
	THREAD_WAIT_TURN,  /* a lock or queue that other processes have too */
	THREAD_WAIT_CHILD,
	THREAD_WAIT_SPAWN, /* a child to begin */
	THREAD_WAIT_SIGNAL,
	THREAD_WAIT_YIELD, /* gave the processor away */
	THREAD_WAITS,
};

#define THREAD_WAIT_NO_FD UINT32_MAX

struct thread_waiting {
	enum thread_wait what;
	bool has_timeout;    /* the call ends by itself */
	bool is_of_others;   /* of a futex: memory that it may share with other processes */
	bool is_mutex;	     /* of a futex: a lock that is held, as glibc makes them */
	uint32_t timeout_ms; /* 0: none, or not known */
	uint32_t descriptor; /* or THREAD_WAIT_NO_FD */
	uint64_t address;    /* of a futex; 0: several */
};

/* Of readings by what they met: those in which it was seen to wait in a call. */
static inline uint32_t thread_waits_seen(const uint32_t waits[THREAD_WAITS], uint32_t input)
{
	return input - waits[THREAD_WAIT_UNKNOWN] - waits[THREAD_WAIT_NOTHING];
}

/* `has_arguments`: the record is as long as this build knows it. */
struct thread_waiting thread_waiting_of(const struct threads_thread *t, bool has_arguments);

#endif
