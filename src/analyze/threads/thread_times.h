/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of processes and their share of CPU between the last two readings. A thread
 * that was not in both has no share: it is told as one that came or went.
 */
#ifndef SOOTH_ANALYZE_THREAD_TIMES_H
#define SOOTH_ANALYZE_THREAD_TIMES_H

#include "analyze/snapshots.h"
#include "probes/threads.h"

struct thread_times {
	struct snapshots now, before;
};

struct thread_time {
	const struct threads_thread *thread; /* of the last reading */
	double cpu_percent;		     /* of one CPU */
	uint8_t cpu_state;
	bool has_come; /* it was not there at the reading before */
};

struct thread_sums {
	uint32_t threads; /* of the last reading */
	uint8_t threads_state;
	uint32_t came, went; /* since the reading before */
	uint8_t changes_state;
	double cpu_percent;   /* of the threads that were in both readings */
	uint8_t cpu_state;    /* not measured: with one reading only */
	uint64_t interval_ns; /* between the readings; state as for changes */
};

void thread_times_init(struct thread_times *t);
void thread_times_fini(struct thread_times *t);
/* Records of other probes are no matter. */
void thread_times_take(struct thread_times *t, const struct sooth_record *r);

static inline const struct snapshot *thread_times_get(
	const struct thread_times *t, const struct process_id *id)
{
	return snapshots_get(&t->now, id);
}

/* struct thread_time of each thread, the busiest first; sums may be NULL. 0 or -ENOMEM. */
int thread_times_list(const struct thread_times *t, const struct snapshot *process,
	struct buffer *out, struct thread_sums *sums);

#endif
