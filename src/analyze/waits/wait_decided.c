/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_decided.h"

#include <assert.h>

#include "analyze/activity/activity.h"
#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_text.h"
#include "base/units.h"

/* A thread that rested so long uses no CPU, does not pace another thread, and could not end a
 * deadlock. */
#define REST_LEAST NS_PER_S

int wait_decided_add_record(
	void *decided, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct wait_decided *s = decided;

	assert(record);
	(void)schema;
	if (s->is_over)
		return 0;
	s->has_any |= record->kind == WAITS_SNAPSHOT;
	host_state_add_batch(
		&s->host, &(struct batch){ (const void *)record, record_bytes(record) });
	return 0;
}

static bool is_resting_thread(const struct waits_thread *t)
{
	return t->state != 'R' && !t->since_state && t->since_ns >= REST_LEAST;
}

static bool is_link_decided(const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_thread *t = NULL;

	if (stopped_process_text(link) || link->what >= WAIT_ZOMBIE || link->what == WAIT_DEBUGGER)
		return true;
	if (!link->thread || !is_resting_thread(link->thread) || link->what == WAIT_UNKNOWN)
		return false;
	/* While this thread rests, or is only a worker, another thread may be busy. */
	if (link->thread->record.tid != link->process->node_pid || link->is_idle ||
		link->what == WAIT_SLEEP || link->what == WAIT_ALL_THREADS ||
		wait_is_of_locks(link)) {
		while ((t = wait_graph_thread(g, link->process->node_pid, t))) {
			if (!is_resting_thread(t))
				return false;
		}
	}
	return true;
}

/* Returns whether the agent reports that it rests: its event loop does not show that. */
static bool is_agent_decided(const struct wait_decided *s, const struct process_entry *main)
{
	struct activity a;

	activity_find(&a, &s->host, main);
	return a.confidence == ACTIVITY_HIGH &&
	       (a.state == ACTIVITY_IDLE || a.state == ACTIVITY_WAITS_FOR_USER ||
		       a.state == ACTIVITY_STOPPED);
}

static bool is_decided(const struct wait_decided *s, const struct snapshot *snapshot)
{
	const struct process_entry *main = activity_main(&s->host, &snapshot->id);
	struct wait_graph g = wait_graph_of(snapshot, NULL);
	struct wait_chain chain;

	if (main)
		return is_agent_decided(s, main);
	wait_chain_follow(&g, snapshot->id.pid, &chain);
	for (size_t i = 0; i < chain.count; i++) {
		if (!is_link_decided(&g, &chain.links[i]))
			return false;
	}
	return true;
}

uint64_t wait_decided_more(void *decided)
{
	struct wait_decided *s = decided;
	struct sooth_error ignored;
	bool is_open = false;

	if (s->is_over)
		return 0;
	/* The first step has the first sample. */
	if (!s->has_any && !s->was_asked) {
		s->was_asked = true;
		return NS_PER_MS;
	}
	s->is_over = true;
	if (!s->has_any || host_state_resolve(&s->host, &ignored))
		return s->interval_ns;
	snapshots_for_each (&s->host.waits, one)
		is_open |= !is_decided(s, one);
	return is_open ? s->interval_ns : 0;
}
