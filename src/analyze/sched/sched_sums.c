/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/sched/sched_sums.h"

#include "analyze/records.h"

#define THREADS_MAX (1u << 16)

struct thread_key {
	struct process_id process;
	uint64_t tid;
};

void sched_sums_init(struct sched_sums *s)
{
	map_init(&s->threads, sizeof(struct thread_key), sizeof(struct sched_times), THREADS_MAX);
}

void sched_sums_fini(struct sched_sums *s)
{
	map_fini(&s->threads);
}

void sched_times_add(struct sched_times *to, const struct sched_times *from)
{
	to->running_ns += from->running_ns;
	to->woken_ns += from->woken_ns;
	to->preempted_ns += from->preempted_ns;
	to->sleeping_ns += from->sleeping_ns;
	to->blocked_ns += from->blocked_ns;
	to->stopped_ns += from->stopped_ns;
	to->voluntary += from->voluntary;
	to->involuntary += from->involuntary;
	to->wakeups += from->wakeups;
	to->migrations += from->migrations;
	if (from->longest_ns > to->longest_ns) {
		to->longest_ns = from->longest_ns;
		to->longest_at_ns = from->longest_at_ns;
	}
	for (size_t i = 0; i < SCHED_BUCKETS; i++)
		to->histogram[i] += from->histogram[i];
}

uint64_t sched_wall_ns(const struct sched_times *t)
{
	return t->running_ns + t->woken_ns + t->preempted_ns + t->sleeping_ns + t->blocked_ns +
	       t->stopped_ns;
}

static void add_times(struct sched_sums *s, const struct sched_times *t)
{
	struct thread_key key = { process_id_of(&t->record), t->record.tid };
	bool is_new = false;
	struct sched_times *sum = map_put(&s->threads, &key, &is_new);

	if (sum && is_new)
		*sum = *t;
	else if (sum)
		sched_times_add(sum, t);
}

void sched_sums_add_batch(struct sched_sums *s, const struct batch *batch)
{
	batch_for_each (r, batch) {
		const struct sched_times *t = record_as(r, SCHED_TIMES, sizeof(*t));

		if (t)
			add_times(s, t);
	}
}

const struct sched_times *sched_sums_next(const struct sched_sums *s, size_t *position)
{
	void *value;

	return map_next(&s->threads, position, NULL, &value) ? value : NULL;
}
