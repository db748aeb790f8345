/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of processes and their share of CPU between the last two snapshots. A thread that is not
 * in both has no share: it counts as started or ended.
 */
#pragma once

#include "analyze/snapshots.h"
#include "probes/threads.h"

struct thread_times {
	struct snapshots now, before;
};

struct thread_time {
	const struct threads_thread *thread; /* record of the last snapshot */
	double cpu_percent;		     /* CPU use in percent of one CPU */
	uint8_t cpu_state;
	bool has_come; /* the thread was not in the previous snapshot */
};

struct thread_sums {
	uint32_t threads; /* number of threads in the last snapshot */
	uint8_t threads_state;
	uint32_t came, went; /* threads that came and went since the previous snapshot */
	uint8_t changes_state;
	double cpu_percent;   /* CPU use of the threads that are in both snapshots */
	uint8_t cpu_state;    /* not measured: one snapshot only */
	uint64_t interval_ns; /* time between the snapshots; state: changes_state */
};

void thread_times_init(struct thread_times *t);
void thread_times_fini(struct thread_times *t);
void thread_times_add_record(struct thread_times *t, const struct sooth_record *r);

static inline const struct snapshot *thread_times_get(
	const struct thread_times *t, const struct process_id *id)
{
	return snapshots_get(&t->now, id);
}

/* Appends a struct thread_time of each thread, busiest first; `sums` may be NULL. Returns 0 or
 * -ENOMEM. */
int thread_times_list(const struct thread_times *t, const struct snapshot *process,
	struct buffer *out, struct thread_sums *sums);
