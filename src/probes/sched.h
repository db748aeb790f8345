/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sched: the states of a thread, and how long each lasts. When counted, the kernel sums the times
 * of a thread by state. When streamed, each state has a record, made at its end. Shared with the
 * kernel side.
 */
#pragma once

#include <sooth/record.h>

enum sched_kind {
	SCHED_TIMES = 0x1200,
	SCHED_CHANGE = 0x1201,
};

enum sched_state {
	SCHED_RUNS,	 /* the thread is on a CPU */
	SCHED_WOKEN,	 /* the thread could run, after a wait: wake-up latency */
	SCHED_PREEMPTED, /* the thread could run on, but another thread has the CPU */
	SCHED_SLEEPS,	 /* the thread waits until something happens, or a signal comes */
	SCHED_BLOCKS, /* the thread waits until something happens: mostly a disk or a page of memory
		       */
	SCHED_STOPPED, /* the thread is stopped by a signal, a debugger, or its control group */
	SCHED_STATES,
};

#define SCHED_BUCKETS	 32 /* log2 of ns: the last holds 2 s and more */
#define SCHED_NAME_BYTES 16

/* The times of a thread over a window. The times of all states add up to the window. */
struct sched_times {
	struct sooth_record record; /* time_ns: end of the window */
	uint64_t from_ns;
	uint64_t running_ns;
	uint64_t woken_ns;
	uint64_t preempted_ns;
	uint64_t sleeping_ns;
	uint64_t blocked_ns;
	uint64_t stopped_ns;
	uint64_t voluntary;   /* switches because the thread had to wait */
	uint64_t involuntary; /* switches to another thread, though it could have run on */
	uint64_t wakeups;
	uint64_t migrations;	/* moves to another CPU */
	uint64_t longest_ns;	/* longest time in which the thread could have run, and did not */
	uint64_t longest_at_ns; /* time at which longest_ns ended */
	uint32_t histogram[SCHED_BUCKETS]; /* histogram of the wake-up latency */
	char process[SCHED_NAME_BYTES];
	char thread[SCHED_NAME_BYTES];
};

enum sched_flags {
	SCHED_OPEN = 1, /* the state had not ended when the observation did */
	SCHED_OLD = 2,	/* the state began before the observation: the duration is a part */
	SCHED_LAST = 4, /* the thread ended with this state */
};

/* A state that a thread has left. */
struct sched_change {
	struct sooth_record record; /* time_ns: end of the state */
	uint64_t duration_ns;
	uint32_t waker_pid, waker_tid; /* thread that ended a wait */
	uint8_t state;		       /* enum sched_state */
	uint8_t next;  /* the next state; undefined with SCHED_OPEN and SCHED_LAST */
	uint8_t flags; /* enum sched_flags */
	uint8_t waker_state;
	uint8_t next_state;
	uint8_t unused[3];
	char process[SCHED_NAME_BYTES];
	char thread[SCHED_NAME_BYTES];
	char waker[SCHED_NAME_BYTES];
};

#ifndef __bpf__
extern const struct sooth_names sched_state_names;
#endif

_Static_assert(sizeof(struct sched_times) == 296, "the layout is part of the capture format");
_Static_assert(sizeof(struct sched_change) == 104, "the layout is part of the capture format");
