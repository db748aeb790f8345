/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched by ktrace(2): a record when a thread stops running, and one when it runs again. Needs no
 * privilege for processes of the caller.
 *
 * Cannot be seen: when a thread is woken (it counts as waiting until it has a CPU), and by which
 * thread; whether it waits for a disk; moves to another CPU. A thread without a record counts as in
 * the state that it had at the beginning.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/units.h"
#include "os/bsd/source.h"
#include "os/freebsd/ktrace_follow.h"
#include "os/os.h"
#include "probes/sched.h"

#define THREADS_MAX 65536
#define WINDOW_NS   NS_PER_S
#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

struct switching {
	struct process_id process;
	uint64_t since_ns; /* start of the state */
	bool is_old;	   /* the state began before the observation */
	uint8_t state;	   /* enum sched_state */
	struct sched_times times;
};

struct sched_ktrace {
	struct ktrace_follow follow; /* first */
	struct map threads;	     /* uint64_t, tid -> struct switching */
	uint64_t written_ns;
};

static int sched_open(struct backend_run *run, struct sooth_error *err)
{
	struct sched_ktrace *s = run->state;
	int status = ktrace_follow_open(&s->follow, run, KTRACE_POINT(KTRACE_CSW), err);

	map_init(&s->threads, sizeof(uint64_t), sizeof(struct switching), THREADS_MAX);
	s->written_ns = run->os->now_ns(run->os);
	return status;
}

static void sched_close(struct backend_run *run)
{
	struct sched_ktrace *s = run->state;

	ktrace_follow_close(&s->follow);
	map_fini(&s->threads);
}

/* --- the states of one thread --- */

static uint64_t *time_of_state(struct sched_times *t, uint8_t state)
{
	switch (state) {
	case SCHED_RUNS:
		return &t->running_ns;
	case SCHED_PREEMPTED:
		return &t->preempted_ns;
	case SCHED_BLOCKS:
		return &t->blocked_ns;
	case SCHED_STOPPED:
		return &t->stopped_ns;
	default:
		return &t->sleeping_ns;
	}
}

/* Adds the time up to `time_ns` to the current state. */
static void add_state_time(struct sched_ktrace *s, struct switching *w, uint64_t time_ns)
{
	uint64_t from_ns = w->since_ns > s->written_ns ? w->since_ns : s->written_ns;

	if (time_ns > from_ns)
		*time_of_state(&w->times, w->state) += time_ns - from_ns;
}

static void note_preempted(struct switching *w, uint64_t time_ns)
{
	uint64_t took_ns = time_ns > w->since_ns ? time_ns - w->since_ns : 0;

	if (w->state != SCHED_PREEMPTED || took_ns <= w->times.longest_ns)
		return;
	w->times.longest_ns = took_ns;
	w->times.longest_at_ns = time_ns;
}

static void stream_change(struct backend_run *run, const struct switching *w, uint64_t tid,
	uint64_t time_ns, int next)
{
	struct sched_change c = { .record = { .time_ns = time_ns,
					  .start_ticks = w->process.start_ticks,
					  .pid = w->process.pid,
					  .tid = (uint32_t)tid,
					  .kind = SCHED_CHANGE,
					  .cpu = SOOTH_CPU_NONE },
		.duration_ns = time_ns > w->since_ns ? time_ns - w->since_ns : 0,
		.state = w->state,
		.next = next < 0 ? 0 : (uint8_t)next,
		.flags = (uint8_t)((w->is_old ? SCHED_OLD : 0) | (next < 0 ? SCHED_OPEN : 0)),
		.waker_state = UNSUPPORTED,
		.next_state = next < 0 ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE };

	memcpy(c.process, w->times.process, sizeof(c.process));
	memcpy(c.thread, w->times.thread, sizeof(c.thread));
	RECORD_APPEND(&run->out, &c, NULL, 0);
}

static void change_state(struct backend_run *run, const struct ktrace_process *p,
	struct switching *w, uint64_t tid, uint8_t next, uint64_t time_ns)
{
	struct sched_ktrace *s = run->state;

	add_state_time(s, w, time_ns);
	note_preempted(w, time_ns);
	if (p->interest & INTEREST_STREAM)
		stream_change(run, w, tid, time_ns, next);
	w->times.wakeups += w->state == SCHED_SLEEPS && next == SCHED_RUNS;
	w->times.voluntary += next == SCHED_SLEEPS;
	w->times.involuntary += next == SCHED_PREEMPTED;
	w->state = next;
	w->since_ns = time_ns;
	w->is_old = false;
}

static struct switching *thread_of(struct sched_ktrace *s, const struct process_id *process,
	uint64_t tid, const char *name, uint64_t time_ns)
{
	bool is_new;
	struct switching *w = map_put(&s->threads, &tid, &is_new);

	if (!w || !is_new)
		return w;
	*w = (struct switching){ .process = *process, .since_ns = time_ns, .state = SCHED_RUNS };
	memcpy(w->times.process, name, strnlen(name, sizeof(w->times.process) - 1));
	return w;
}

/* Handles a record: a thread that stops in the kernel waits; in user mode it was preempted. */
static void handle_record(struct backend_run *run, struct ktrace_process *p,
	const struct ktrace_record *r, uint64_t time_ns)
{
	struct sched_ktrace *s = run->state;
	struct ktrace_switch sw;
	struct switching *w;

	if (r->type != KTRACE_CSW || !ktrace_switch(&sw, r))
		return;
	w = thread_of(s, &p->id, r->tid, r->name, time_ns);
	if (w)
		change_state(run, p, w, r->tid,
			!sw.is_out   ? SCHED_RUNS
			: sw.is_user ? SCHED_PREEMPTED
				     : SCHED_SLEEPS,
			time_ns);
}

/* --- processes --- */

static uint8_t state_of(char letter)
{
	switch (letter) {
	case 'S':
		return SCHED_SLEEPS;
	case 'D':
		return SCHED_BLOCKS;
	case 'T':
	case 't':
		return SCHED_STOPPED;
	default:
		return SCHED_RUNS;
	}
}

/* Adds the existing threads, which may wait during the whole observation. */
static void add_threads(struct backend_run *run, const struct process_id *process, uint64_t time_ns)
{
	const struct bsd_source *source = bsd_source_of(run->os);
	struct sched_ktrace *s = run->state;
	struct buffer all = { 0 };
	struct bsd_process p;

	if (source->process(source, (pid_t)process->pid, &p) || !source->threads ||
		source->threads(source, (pid_t)process->pid, &all))
		buffer_reset(&all);
	buffer_each (const struct bsd_thread, t, &all) {
		struct switching *w = thread_of(s, process, t->tid, p.name, time_ns);

		if (!w)
			continue;
		w->state = state_of(t->state);
		w->is_old = true;
		memcpy(w->times.thread, t->name, strnlen(t->name, sizeof(w->times.thread) - 1));
	}
	buffer_fini(&all);
}

static int sched_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct sched_ktrace *s = run->state;
	int status = ktrace_follow_set_interest(&s->follow, run, process, interest, err);

	/* A command that waits for its exec is a copy of sooth. */
	if (!status && interest && !(interest & INTEREST_FROM_EXEC))
		add_threads(run, process, run->os->now_ns(run->os));
	return status;
}

/* --- windows --- */

static void write_thread(
	struct backend_run *run, struct switching *w, uint64_t tid, uint64_t now_ns)
{
	struct sched_ktrace *s = run->state;
	struct sched_times kept = w->times;

	w->times.record = (struct sooth_record){ .time_ns = now_ns,
		.start_ticks = w->process.start_ticks,
		.pid = w->process.pid,
		.tid = (uint32_t)tid,
		.kind = SCHED_TIMES,
		.cpu = SOOTH_CPU_NONE };
	w->times.from_ns = s->written_ns;
	RECORD_APPEND(&run->out, &w->times, NULL, 0);
	w->times = (struct sched_times){ 0 };
	memcpy(w->times.process, kept.process, sizeof(kept.process));
	memcpy(w->times.thread, kept.thread, sizeof(kept.thread));
}

/* Finds the threads that still exist: the end of a thread leaves no record. */
static void find_alive(struct backend_run *run, struct map *alive)
{
	const struct bsd_source *source = bsd_source_of(run->os);
	struct sched_ktrace *s = run->state;
	struct buffer all = { 0 };
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&s->follow.processes, &position, &key, &value)) {
		buffer_reset(&all);
		if (source->threads(source, (pid_t) * (const uint32_t *)key, &all))
			continue;
		for (size_t i = 0; i < all.size / sizeof(struct bsd_thread); i++) {
			const struct bsd_thread *t = (const void *)all.data;

			map_put(alive, &t[i].tid, NULL);
		}
	}
	buffer_fini(&all);
}

/* Writes all threads. If a thread is gone, the time after its last record is unknown. */
static void write_all(struct backend_run *run, uint64_t now_ns)
{
	struct sched_ktrace *s = run->state;
	struct map alive;
	size_t position = 0;
	const void *key;
	void *value;

	map_init(&alive, sizeof(uint64_t), sizeof(bool), THREADS_MAX);
	find_alive(run, &alive);
	while (map_next(&s->threads, &position, &key, &value)) {
		uint64_t tid = *(const uint64_t *)key;
		bool is_alive = map_get(&alive, &tid) != NULL;

		if (is_alive)
			add_state_time(s, value, now_ns);
		write_thread(run, value, tid, now_ns);
		if (!is_alive)
			map_remove(&s->threads, key);
	}
	map_fini(&alive);
	s->written_ns = now_ns;
}

static void process_ended(struct backend_run *run, const struct ktrace_process *p)
{
	struct sched_ktrace *s = run->state;
	uint64_t now_ns = run->os->now_ns(run->os);
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&s->threads, &position, &key, &value)) {
		struct switching *w = value;

		if (w->process.pid != p->id.pid)
			continue;
		add_state_time(s, w, now_ns);
		write_thread(run, w, *(const uint64_t *)key, now_ns);
		map_remove(&s->threads, key);
	}
}

static int sched_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run,
		"time from a wake-up to a CPU, which is part of the wait; waits for a disk "
		"apart from others; moves to another CPU (shown as 0)",
		"ktrace(2) has no record of these", "");
	return 0;
}

static int sched_drain(struct backend_run *run, struct sooth_error *err)
{
	struct sched_ktrace *s = run->state;
	int status = ktrace_follow_drain(&s->follow, run, handle_record, process_ended, err);
	uint64_t now_ns = run->os->now_ns(run->os);

	if (!status && run->options.interest & INTEREST_COUNT &&
		now_ns - s->written_ns >= WINDOW_NS)
		write_all(run, now_ns);
	return status;
}

static int sched_stop(struct backend_run *run, struct sooth_error *err)
{
	struct sched_ktrace *s = run->state;
	int status;

	ktrace_follow_stop(&s->follow, run);
	status = ktrace_follow_drain(&s->follow, run, handle_record, process_ended, err);
	if (run->options.interest & INTEREST_COUNT)
		write_all(run, run->os->now_ns(run->os));
	return status;
}

const struct backend backend_sched_ktrace = {
	.name = "ktrace",
	.probe = "sched",
	.help = "ktrace(2): own processes without privilege, all as root",
	.lateness_ns = 100 * NS_PER_MS,
	.state_size = sizeof(struct sched_ktrace),
	.open = sched_open,
	.set = sched_set,
	.start = sched_start,
	.drain = sched_drain,
	.stop = sched_stop,
	.close = sched_close,
};
