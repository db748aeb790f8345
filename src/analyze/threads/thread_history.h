/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each thread of a process did over an observation: its counters at the first and at
 * the last reading, and in which states, calls and waits it was met between. It takes
 * records of the probe threads.
 */
#ifndef SOOTH_ANALYZE_THREAD_HISTORY_H
#define SOOTH_ANALYZE_THREAD_HISTORY_H

#include "analyze/records.h"
#include "analyze/threads/thread_waits.h"
#include "base/map.h"
#include "probes/threads.h"

#define THREAD_HISTORY_MET  4 /* different calls and wait channels that are told apart */
#define THREAD_HISTORY_NAME 32

struct thread_met_call {
	uint32_t syscall, abi;
	uint32_t input;
};

struct thread_met_channel {
	char name[THREAD_HISTORY_NAME]; /* cut when longer; not escaped */
	uint32_t input;
};

struct thread_counters {
	uint64_t time_ns, cpu_ns, waited_ns;
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t system_ns, faults;
	uint64_t moved_bytes, io_calls; /* by read, write and their kin */
};

struct thread_history {
	struct process_id process;
	uint32_t tid;
	uint32_t input; /* since the interval began */
	char name[THREAD_HISTORY_NAME];
	char state; /* the last */
	uint8_t cpu_state, waited_state, switches_state, syscall_state, channel_state; /* last */
	uint8_t times_state, io_state;
	struct thread_counters first, last;
	uint32_t running, sleeping, uninterruptible, stopped; /* readings in which it was */
	struct thread_met_call calls[THREAD_HISTORY_MET];
	struct thread_met_channel channels[THREAD_HISTORY_MET];
	uint32_t met;		       /* readings since the interval began; of those: */
	uint32_t waits[THREAD_WAITS];  /* what it waited for */
	uint32_t with_timeout;	       /* in a call that ends by itself */
	uint32_t of_others;	       /* for a futex that others may have too */
	uint32_t bare;		       /* without arguments of calls: written by an older version */
	uint32_t short_timeouts;       /* of a known length */
	double short_timeouts_hz;      /* sum over those of how many of them fit a second */
	struct thread_waiting waiting; /* the last */
};

struct thread_histories {
	struct map threads;   /* struct of thread_history.c -> struct thread_history */
	struct map processes; /* process_id -> struct of thread_history.c */
	uint64_t refused;
};

void thread_histories_init(struct thread_histories *h);
void thread_histories_fini(struct thread_histories *h);
/* Records of other probes are no matter. */
void thread_histories_take(struct thread_histories *h, const struct sooth_record *r);
void thread_histories_next_interval(struct thread_histories *h);
/* The next thread of a process that is there; *position starts at 0. */
const struct thread_history *thread_histories_next(
	const struct thread_histories *h, const struct process_id *id, size_t *position);

/* Why it is not known what a thread waited in; 0: it is. */
uint8_t thread_history_unseen(const struct thread_history *t);
/* Why it is not known whether it stayed in what it waited in; 0: it is. */
uint8_t thread_history_stay_unseen(const struct thread_history *t);
/* Why of no thread of a process it is known how it ran. */
uint8_t thread_histories_uncounted(const struct thread_histories *h, const struct process_id *id);

/* Over the interval; 0: there were not two readings. */
static inline uint64_t thread_history_ns(const struct thread_history *t)
{
	return t->last.time_ns - t->first.time_ns;
}

/* Percent of one processor; negative: not measured. */
double thread_history_cpu(const struct thread_history *t);
/* Of the time: it ran, or could have run while others did. */
double thread_history_selected(const struct thread_history *t);
/* Of its CPU time, in the kernel. */
double thread_history_system(const struct thread_history *t);
double thread_history_faults(const struct thread_history *t); /* a second */
/* ns of CPU time from one switch against its will to the next; negative: not measured, or none. */
double thread_history_bucket(const struct thread_history *t);
/* A second, by read, write and their kin. */
double thread_history_moved_bytes(const struct thread_history *t);
double thread_history_io_calls(const struct thread_history *t);
/* A second, voluntary and involuntary; negative: not measured. */
double thread_history_voluntary(const struct thread_history *t);
double thread_history_involuntary(const struct thread_history *t);

#endif
