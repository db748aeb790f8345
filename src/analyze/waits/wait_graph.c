/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_graph.h"

#include <assert.h>

static const struct waits_process *process_in(const struct batch *records, uint32_t pid)
{
	batch_for_each (r, records) {
		const struct waits_process *p = record_as(r, WAITS_PROCESS, sizeof(*p));

		if (p && p->node_pid == pid)
			return p;
	}
	return NULL;
}

const struct waits_process *wait_graph_process(const struct wait_graph *g, uint32_t pid)
{
	assert(g);
	return process_in(&g->records, pid);
}

/* Returns the next record of the kind after `before`, or the first. */
static const struct sooth_record *record_after(
	const struct batch *records, const struct sooth_record *before)
{
	return before ? batch_next(records, before) : batch_first(records);
}

static const struct waits_thread *thread_in(
	const struct batch *records, uint32_t pid, const struct waits_thread *before)
{
	const struct sooth_record *r = record_after(records, before ? &before->record : NULL);

	for (; r; r = batch_next(records, r)) {
		const struct waits_thread *t = record_as(r, WAITS_THREAD, sizeof(*t));

		if (t && t->node_pid == pid && t->record.tid)
			return t;
	}
	return NULL;
}

const struct waits_thread *wait_graph_thread(
	const struct wait_graph *g, uint32_t pid, const struct waits_thread *before)
{
	assert(g);
	return thread_in(&g->records, pid, before);
}

static const struct waits_thread *find_thread(
	const struct batch *records, uint32_t pid, uint32_t tid)
{
	const struct waits_thread *t = NULL;

	while ((t = thread_in(records, pid, t))) {
		if (t->record.tid == tid)
			return t;
	}
	return NULL;
}

const struct waits_thread *wait_graph_thread_of(
	const struct wait_graph *g, uint32_t pid, uint32_t tid)
{
	assert(g);
	return find_thread(&g->records, pid, tid);
}

const struct waits_object *wait_graph_object(const struct wait_graph *g,
	const struct waits_thread *of, const struct waits_object *before)
{
	assert(g);

	const struct sooth_record *r = record_after(&g->records, before ? &before->record : NULL);

	assert(of);
	for (; r; r = batch_next(&g->records, r)) {
		const struct waits_object *o = record_as(r, WAITS_OBJECT, sizeof(*o));

		if (o && o->node_pid == of->node_pid && o->record.tid == of->record.tid)
			return o;
	}
	return NULL;
}

const struct waits_party *wait_graph_party(
	const struct wait_graph *g, uint32_t pid, uint32_t tid, const struct waits_party *before)
{
	assert(g);

	const struct sooth_record *r = record_after(&g->records, before ? &before->record : NULL);

	for (; r; r = batch_next(&g->records, r)) {
		const struct waits_party *p = record_as(r, WAITS_PARTY, sizeof(*p));

		if (p && p->node_pid == pid && p->record.tid == tid &&
			p->relation != WAITS_RELATION_SHARER)
			return p;
	}
	return NULL;
}

const struct waits_party *wait_graph_sharer(
	const struct wait_graph *g, uint32_t pid, uint32_t tid, uint32_t fd)
{
	batch_for_each (r, &g->records) {
		const struct waits_party *p = record_as(r, WAITS_PARTY, sizeof(*p));

		if (p && p->node_pid == pid && p->record.tid == tid && p->waiting_fd == fd &&
			p->relation == WAITS_RELATION_SHARER)
			return p;
	}
	return NULL;
}

struct wait_graph wait_graph_of(const struct snapshot *last, const struct snapshot *first)
{
	struct wait_graph g = { 0 };

	if (last) {
		g.records = snapshot_records(last);
		g.end = snapshot_end(last, sizeof(*g.end));
	}
	if (first)
		g.before = snapshot_records(first);
	return g;
}

uint8_t wait_graph_ends_state(const struct wait_graph *g)
{
	assert(g);
	return g->end ? g->end->ends_state : SOOTH_STATE_TRUNCATED;
}

bool wait_graph_is_cut(const struct wait_graph *g)
{
	assert(g);
	return g->end && g->end->processes_state == SOOTH_STATE_TRUNCATED;
}

const struct waits_signals *find_process_signals(const struct batch *records, uint32_t pid)
{
	batch_for_each (r, records) {
		const struct waits_signals *s = record_as(r, WAITS_SIGNALS, sizeof(*s));

		if (s && s->node_pid == pid)
			return s;
	}
	return NULL;
}

static double percent(uint64_t from, uint64_t to, uint64_t interval_ns)
{
	return to >= from && interval_ns ? 100.0 * (double)(to - from) / (double)interval_ns : -1;
}

double wait_graph_cpu(const struct wait_graph *g, uint32_t pid)
{
	assert(g);

	const struct waits_process *now = process_in(&g->records, pid);
	const struct waits_process *then = process_in(&g->before, pid);

	if (!now || !then || now->cpu_state || then->cpu_state ||
		now->node_start_ticks != then->node_start_ticks ||
		now->record.time_ns <= then->record.time_ns)
		return -1;
	return percent(then->cpu_ns, now->cpu_ns, now->record.time_ns - then->record.time_ns);
}

double wait_graph_thread_cpu(const struct wait_graph *g, const struct waits_thread *t)
{
	const struct waits_thread *then = find_thread(&g->before, t->node_pid, t->record.tid);

	if (!then || t->cpu_state || then->cpu_state || t->record.time_ns <= then->record.time_ns)
		return -1;
	return percent(then->cpu_ns, t->cpu_ns, t->record.time_ns - then->record.time_ns);
}

double wait_graph_user_share(const struct wait_graph *g, uint32_t pid)
{
	assert(g);

	const struct waits_process *now = process_in(&g->records, pid);
	const struct waits_process *then = process_in(&g->before, pid);
	uint64_t user = now ? now->user_ns : 0, system = now ? now->system_ns : 0;

	if (then && user + system > then->user_ns + then->system_ns) {
		user -= then->user_ns;
		system -= then->system_ns;
	}
	return user + system ? (double)user / (double)(user + system) : 1;
}

bool wait_graph_has_run(const struct wait_graph *g, const struct waits_thread *t)
{
	assert(g);
	assert(t);

	struct wait_graph before = { .records = g->before };
	const struct waits_thread *then = wait_graph_thread_of(&before, t->node_pid, t->record.tid);

	return !then || t->state == 'R' || t->switches_state || then->switches_state ||
	       t->switches != then->switches || t->since_state;
}
