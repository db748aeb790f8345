/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The activity of each thread of a process over a run: its counters at the first and the last
 * snapshot, and the states, calls and waits in the snapshots between. It takes records of the probe
 * threads.
 *
 * What a thread waits for follows from the call that it sleeps in, and the call's arguments. Memory
 * that arguments point to is not read: a timeout passed by pointer is known to exist, but not its
 * length.
 */
#pragma once

#include "analyze/records.h"
#include "base/map.h"
#include "base/walk.h"
#include "probes/threads.h"

enum thread_wait {
	THREAD_WAIT_UNKNOWN, /* the thread is in no call, or the call could not be seen */
	THREAD_WAIT_OTHER,   /* the thread is in a call that does not show what it waits for */
	THREAD_WAIT_NOTHING, /* the thread runs, or is ready to */
	THREAD_WAIT_LOCK,    /* a futex: another thread has to wake it */
	THREAD_WAIT_TIME,
	THREAD_WAIT_READY, /* the thread waits for one of several descriptors */
	THREAD_WAIT_DATA,  /* data of one descriptor, or an answer of a file system */
	THREAD_WAIT_TURN,  /* a lock or queue shared with other processes */
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
	bool is_of_others;   /* futex: its memory may be shared with other processes */
	bool is_mutex;	     /* futex: a locked mutex in glibc's format */
	uint32_t timeout_ms; /* 0: none, or not known */
	uint32_t descriptor; /* THREAD_WAIT_NO_FD: none */
	uint64_t address;    /* address of the futex; 0: several */
};

/* Returns the number of samples, of `input`, in which the thread was seen to wait in a call. */
static inline uint32_t thread_waits_seen(const uint32_t waits[THREAD_WAITS], uint32_t input)
{
	return input - waits[THREAD_WAIT_UNKNOWN] - waits[THREAD_WAIT_NOTHING];
}

/* Returns what a thread waits for. `has_arguments`: the record has all fields that this build
 * knows. */
struct thread_waiting thread_waiting_of(const struct threads_thread *t, bool has_arguments);

#define THREAD_HISTORY_MET  4 /* distinct calls and wait channels that are counted */
#define THREAD_HISTORY_NAME 32

struct thread_met_call {
	uint32_t syscall, abi;
	uint32_t input;
};

struct thread_met_channel {
	char name[THREAD_HISTORY_NAME]; /* truncated if longer; not escaped */
	uint32_t input;
};

struct thread_counters {
	uint64_t time_ns, cpu_ns, waited_ns;
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t system_ns, faults, major_faults;
	uint64_t moved_bytes, io_calls; /* sums of read, write and related calls */
	uint64_t reads, writes;		/* calls of io_calls that read, that wrote */
};

struct thread_history {
	struct process_id process;
	uint32_t tid;
	uint32_t input; /* samples since the interval started */
	char name[THREAD_HISTORY_NAME];
	char state;	 /* state at the last sample */
	uint32_t policy; /* policy at the last sample: enum threads_policy */
	int32_t nice;
	uint8_t cpu_state, waited_state, switches_state, syscall_state, channel_state; /* last */
	uint8_t times_state, io_state, major_state;
	struct thread_counters first, last;
	uint32_t running, sleeping, uninterruptible, stopped; /* snapshots in that state */
	struct thread_met_call calls[THREAD_HISTORY_MET];
	struct thread_met_channel channels[THREAD_HISTORY_MET];
	uint32_t met;		      /* samples since the interval started; of these, samples: */
	uint32_t waits[THREAD_WAITS]; /* samples with each kind of wait */
	uint32_t with_timeout;	      /* samples in a call that returns by itself */
	uint32_t of_others;	  /* samples in a wait for a futex that other processes may share */
	uint32_t mutexes;	  /* samples in a wait for a locked mutex in glibc's format */
	uint32_t bare;		  /* without call arguments: recorded by an older version */
	uint32_t short_timeouts;  /* samples in a wait with a timeout of known length */
	double short_timeouts_hz; /* sum of 1 s / timeout over those samples */
	struct thread_waiting waiting; /* the last */
};

struct thread_histories {
	struct map threads;   /* struct of thread_history.c -> struct thread_history */
	struct map processes; /* process_id -> struct of thread_history.c */
	uint64_t refused;
};

void thread_histories_init(struct thread_histories *h);
void thread_histories_fini(struct thread_histories *h);
void thread_histories_add_record(struct thread_histories *h, const struct sooth_record *r);
void thread_histories_next_interval(struct thread_histories *h);
/* Returns the next live thread of a process; *position starts at 0. */
const struct thread_history *thread_histories_next(
	const struct thread_histories *h, const struct process_id *id, size_t *position);
#define thread_histories_for_each(h, id, t)                                                        \
	walk_each (const struct thread_history *, t, thread_histories_next, h, id)

/* Returns the sum of a value over the threads of the process for which it was measured; negative:
 * for none of them. */
double thread_histories_sum(const struct thread_histories *h, const struct process_id *id,
	double (*value)(const struct thread_history *t));
/* Returns why the waits of a thread are unknown; 0: they are known. */
uint8_t thread_history_unseen(const struct thread_history *t);
/* Returns why it is unknown whether the thread stayed in its wait; 0: it is known. */
uint8_t thread_history_stay_unseen(const struct thread_history *t);
/* Returns why no thread of a process has CPU counters. */
uint8_t thread_histories_uncounted(const struct thread_histories *h, const struct process_id *id);

/* Returns the length of the interval; 0: fewer than two snapshots. */
static inline uint64_t thread_history_ns(const struct thread_history *t)
{
	return t->last.time_ns - t->first.time_ns;
}

/* Returns the CPU use in percent of one core; negative: not measured. */
double thread_history_cpu(const struct thread_history *t);
/* Returns the percent of the time in which the thread ran or was runnable; negative: not measured.
 */
double thread_history_demand(const struct thread_history *t);
/* Returns the percent of the thread's CPU time spent in the kernel; negative: not measured. */
double thread_history_system(const struct thread_history *t);
double thread_history_faults(const struct thread_history *t); /* per second */
double thread_history_major_faults(const struct thread_history *t);
/* Returns the CPU time in ns between two involuntary switches; negative: not measured, or none. */
double thread_history_bucket(const struct thread_history *t);
/* Returns the bytes per second of read, write and related calls. */
double thread_history_moved_bytes(const struct thread_history *t);
double thread_history_io_calls(const struct thread_history *t);
double thread_history_reads(const struct thread_history *t);
double thread_history_writes(const struct thread_history *t);
/* Returns the voluntary switches per second; negative: not measured. */
double thread_history_voluntary(const struct thread_history *t);
double thread_history_involuntary(const struct thread_history *t);
