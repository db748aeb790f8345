/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/threads/thread_times.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/map.h"
#include <sooth/field.h>

#define THREADS_MAX 65536

#define ONE_SNAPSHOT SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL)

void thread_times_init(struct thread_times *t)
{
	assert(t);
	snapshots_init(&t->now, THREADS_PROCESS);
	snapshots_init(&t->before, THREADS_PROCESS);
}

void thread_times_fini(struct thread_times *t)
{
	assert(t);
	snapshots_fini(&t->now);
	snapshots_fini(&t->before);
}

static void keep_snapshot(struct thread_times *t, const struct snapshot *s)
{
	struct batch batch = snapshot_records(s);

	batch_for_each (r, &batch)
		snapshots_add_record(&t->before, r);
	snapshots_add_record(&t->before, (const void *)s->end.data);
}

void thread_times_add_record(struct thread_times *t, const struct sooth_record *r)
{
	assert(r);

	struct process_id id = process_id_of(r);
	const struct snapshot *last;

	assert(t);
	if (r->kind == THREADS_PROCESS) {
		last = snapshots_get(&t->now, &id);
		/* A snapshot of an ended process is empty: keep the last one. */
		if (last && last->pending.size)
			keep_snapshot(t, last);
	}
	snapshots_add_record(&t->now, r);
}

struct thread_key {
	uint64_t tid;
	uint64_t start_ticks; /* a tid may be reused */
};

static struct thread_key key_of(const struct threads_thread *t)
{
	return (struct thread_key){ t->record.tid, t->thread_start_ticks };
}

static const struct threads_thread *thread_of(const struct sooth_record *r)
{
	return record_as(r, THREADS_THREAD, THREADS_THREAD_LEAST);
}

static void index_threads(struct map *index, const struct snapshot *s)
{
	struct batch batch = snapshot_records(s);

	batch_for_each (r, &batch) {
		const struct threads_thread *t = thread_of(r), **to;
		struct thread_key key;

		if (!t)
			continue;
		key = key_of(t);
		to = map_put(index, &key, NULL);
		if (to)
			*to = t;
	}
}

static void compute_cpu_percent(struct thread_time *to, const struct threads_thread *before)
{
	const struct threads_thread *now = to->thread;

	if (now->cpu_state != SOOTH_STATE_VALUE) {
		to->cpu_state = now->cpu_state;
		return;
	}
	/* Nanoseconds and ticks are not comparable: a file was unreadable at one sample. */
	if (before->cpu_state != SOOTH_STATE_VALUE || before->cpu_is_ticks != now->cpu_is_ticks ||
		now->cpu_ns < before->cpu_ns || now->record.time_ns <= before->record.time_ns) {
		to->cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
		return;
	}
	to->cpu_state = SOOTH_STATE_VALUE;
	to->cpu_percent = 100.0 * (double)(now->cpu_ns - before->cpu_ns) /
			  (double)(now->record.time_ns - before->record.time_ns);
}

static void add_thread(struct thread_time *one, const struct map *former, bool has_former,
	struct thread_sums *sums)
{
	struct thread_key key = key_of(one->thread);
	const struct threads_thread *const *before = map_get(former, &key);

	sums->threads++;
	one->cpu_state = ONE_SNAPSHOT;
	if (!before) {
		one->has_come = has_former;
		sums->came += has_former;
		return;
	}
	compute_cpu_percent(one, *before);
	if (one->cpu_state == SOOTH_STATE_VALUE)
		sums->cpu_percent += one->cpu_percent;
}

static int busiest_first(const void *a, const void *b)
{
	const struct thread_time *x = a, *y = b;
	uint64_t cpu_x = x->thread->cpu_ns, cpu_y = y->thread->cpu_ns;

	if (x->cpu_percent != y->cpu_percent)
		return x->cpu_percent < y->cpu_percent ? 1 : -1;
	if (cpu_x != cpu_y)
		return cpu_x < cpu_y ? 1 : -1;
	return (x->thread->record.tid > y->thread->record.tid) -
	       (x->thread->record.tid < y->thread->record.tid);
}

static uint32_t count_gone(const struct map *former, const struct snapshot *now)
{
	struct batch batch = snapshot_records(now);
	uint32_t still = 0;

	batch_for_each (r, &batch) {
		const struct threads_thread *t = thread_of(r);
		struct thread_key key;

		if (!t)
			continue;
		key = key_of(t);
		still += map_get(former, &key) != NULL;
	}
	return (uint32_t)former->count - still;
}

static void fill_sums(struct thread_sums *sums, const struct snapshot *now,
	const struct snapshot *former, const struct map *index)
{
	const struct threads_process *end = snapshot_end(now, sizeof(*end));
	const struct sooth_record *first = former ? (const void *)former->end.data : NULL;

	sums->threads_state = end ? end->threads_state : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	sums->changes_state = sums->cpu_state = former ? SOOTH_STATE_VALUE : ONE_SNAPSHOT;
	if (!former)
		return;
	sums->went = count_gone(index, now);
	sums->interval_ns = ((const struct sooth_record *)now->end.data)->time_ns - first->time_ns;
	if (sums->came == sums->threads)
		sums->cpu_state = ONE_SNAPSHOT; /* no thread was in both snapshots */
}

int thread_times_list(const struct thread_times *t, const struct snapshot *process,
	struct buffer *out, struct thread_sums *sums)
{
	assert(t);
	assert(process);

	const struct snapshot *former = snapshots_get(&t->before, &process->id);
	struct batch batch = snapshot_records(process);
	struct thread_sums ignored;
	struct map index;

	assert(out);
	if (!sums)
		sums = &ignored;
	*sums = (struct thread_sums){ 0 };
	map_init(&index, sizeof(struct thread_key), sizeof(const struct threads_thread *),
		THREADS_MAX);
	if (former)
		index_threads(&index, former);
	batch_for_each (r, &batch) {
		struct thread_time one = { .thread = thread_of(r) };

		if (!one.thread)
			continue;
		add_thread(&one, &index, former != NULL, sums);
		buffer_append(out, &one, sizeof(one));
	}
	fill_sums(sums, process, former, &index);
	map_fini(&index);
	if (buffer_failed(out))
		return -ENOMEM;
	if (out->size)
		qsort(out->data, out->size / sizeof(struct thread_time), sizeof(struct thread_time),
			busiest_first);
	return 0;
}
