/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU time by thread role, and bytes moved: differences between two snapshots of the probe threads.
 * What a thread did after its last snapshot is missing.
 */
#include <string.h>

#include "analyze/timeline/timeline_tracker.h"
#include "probes/threads.h"

struct thread_key {
	uint64_t start_ticks;
	uint64_t tid;
};

struct thread_known {
	uint64_t cpu_ns, read_bytes, written_bytes;
	uint32_t round;
	uint32_t unused;
};

void timeline_threads_fini(struct timeline_threads *t)
{
	map_fini(&t->known);
}

static double more(uint64_t now, uint64_t before)
{
	return now > before ? (double)(now - before) : 0;
}

static struct thread_known *thread_known(
	struct timeline_threads *t, const struct threads_thread *r, bool *is_new)
{
	struct thread_key key = { r->thread_start_ticks, r->record.tid };

	if (!t->known.key_size)
		map_init(&t->known, sizeof(key), sizeof(struct thread_known), TIMELINE_THREADS_MAX);
	return map_put(&t->known, &key, is_new);
}

/* A thread that is new in this snapshot has done all of its work since the last one. */
static void take_thread(struct timeline_process *p, const struct threads_thread *r)
{
	struct timeline_threads *t = &p->threads;
	struct span name = record_text(&r->record, &r->name);
	struct span process = span_of(p->name, strnlen(p->name, sizeof(p->name)));
	enum thread_role role = thread_role_of(name, process, r->record.tid == r->record.pid);
	bool has_io = record_holds(&r->record, THREADS_THREAD_WITH_TIMES) && !r->io_state;
	struct thread_known *known, before;
	bool is_new;

	known = thread_known(t, r, &is_new);
	if (!known) {
		t->is_partial = true;
		return;
	}
	before = *known;
	known->round = t->round;
	if (!r->cpu_state) {
		t->cpu_ns[role] += more(r->cpu_ns, before.cpu_ns);
		t->has_role[role] = t->has_cpu = true;
		known->cpu_ns = r->cpu_ns;
	}
	if (has_io) {
		t->read_bytes += more(r->read_bytes, before.read_bytes);
		t->written_bytes += more(r->written_bytes, before.written_bytes);
		known->read_bytes = r->read_bytes;
		known->written_bytes = r->written_bytes;
		t->has_io = true;
	}
}

static void forget_gone(struct timeline_threads *t)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&t->known, &position, &key, &value)) {
		if (((struct thread_known *)value)->round != t->round)
			map_remove(&t->known, key);
	}
}

/* A role whose threads have ended used nothing; a role that never had a thread has no track. */
static void emit_roles(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns)
{
	struct timeline_threads *t = &p->threads;
	struct timeline_span span = { t->time_ns, now_ns }, before = { t->first_ns, t->time_ns };

	for (uint32_t i = 0; i < THREAD_ROLES && t->has_cpu; i++) {
		if (!t->has_role[i] && !t->had_role[i])
			continue;
		/* Before its first thread it used nothing. */
		if (!t->is_reported[i] && before.to_ns > before.from_ns)
			timeline_rate(b, p, TIMELINE_CPU, 1 + i, &before, 0);
		t->is_reported[i] = true;
		timeline_rate(b, p, TIMELINE_CPU, 1 + i, &span, t->cpu_ns[i] / 1e7);
	}
	if (!t->has_io)
		return;
	timeline_rate(b, p, TIMELINE_IO, TIMELINE_READ, &span, t->read_bytes);
	timeline_rate(b, p, TIMELINE_IO, TIMELINE_WRITTEN, &span, t->written_bytes);
}

static void end_snapshot(
	struct timeline_tracker *b, struct timeline_process *p, const struct threads_process *r)
{
	struct timeline_threads *t = &p->threads;

	if (r->threads) {
		if (t->time_ns)
			emit_roles(b, p, r->record.time_ns);
		forget_gone(t);
		t->time_ns = r->record.time_ns;
		if (!t->first_ns)
			t->first_ns = t->time_ns;
		memcpy(t->had_role, t->has_role, sizeof(t->had_role));
	}
	memset(t->cpu_ns, 0, sizeof(t->cpu_ns));
	memset(t->has_role, 0, sizeof(t->has_role));
	t->read_bytes = t->written_bytes = 0;
	t->has_io = t->has_cpu = false;
	t->round++;
}

void timeline_threads_take(struct timeline_tracker *b, const struct sooth_record *r)
{
	const struct threads_thread *thread = record_as(r, THREADS_THREAD, THREADS_THREAD_LEAST);
	const struct threads_process *end = record_as(r, THREADS_PROCESS, sizeof(*end));
	struct timeline_process *p = thread || end ? timeline_process_of(b, r) : NULL;

	if (p && thread)
		take_thread(p, thread);
	else if (p)
		end_snapshot(b, p, end);
}
