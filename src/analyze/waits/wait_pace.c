/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_pace.h"

#include "base/units.h"

#define BLOCKED_LEAST  NS_PER_S /* a shorter wait may be due to the reader's pace */
#define PACED_SWITCHES 2	/* one switch is the start of the wait itself */

/* Returns whether a thread of the other end may have run since the earlier snapshot. */
static bool may_have_run(const struct wait_graph *g, const struct wait_graph *before, uint32_t pid,
	uint64_t before_ns)
{
	const struct waits_thread *t = wait_graph_thread(g, pid, NULL), *then;

	if (!t)
		return true;
	for (; t; t = wait_graph_thread(g, pid, t)) {
		if (!t->since_state && t->since_ns + before_ns >= t->record.time_ns)
			continue; /* the earlier snapshot may lack it */
		then = wait_graph_thread_of(before, pid, t->record.tid);
		if (!then || then->switches_state || t->switches_state ||
			t->switches != then->switches)
			return true;
	}
	return false;
}

bool wait_is_paced(const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_thread *t = link->thread, *then;
	struct wait_graph before = { .records = g->before };

	if (!t)
		return false;
	then = wait_graph_thread_of(&before, t->node_pid, t->record.tid);
	if (!then || then->switches_state || t->switches_state)
		return !t->since_state && t->since_ns < BLOCKED_LEAST;
	if (link->party && !may_have_run(g, &before, link->party->party_pid, then->record.time_ns))
		return false;
	return t->switches - then->switches >= PACED_SWITCHES;
}
