/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_shared.h"

#include <assert.h>

#include "analyze/waits/wait_lookup.h"
#include "probes/syscall_names.h"

enum stand {
	STAND_APART,   /* waits for the lock too, or for a child */
	STAND_UNKNOWN, /* may have it, and may release it */
	STAND_BLOCKED,
	STAND_STOPPED,
};

static bool is_at_lock(const struct waits_thread *t)
{
	const struct syscall_row *row = t->call_state ? NULL : syscall_row_of(t->abi, t->syscall);

	return row && row->wait.what == SYSCALL_WAIT_LOCK;
}

/* Returns how a process with the same memory stands to the lock. Threads at a futex are not looked
 * at any further: they may wait for this lock. */
static enum stand stand_of(const struct wait_graph *g, const struct waits_process *p)
{
	bool waits_too = false, waits_for_child = true;
	enum stand stand = STAND_UNKNOWN;

	wait_threads_each (g, p->node_pid, t) {
		struct wait_link link;

		if (is_at_lock(t)) {
			waits_too |= !(t->arguments[1] & WAITS_FUTEX_PRIVATE);
			continue;
		}
		link = wait_link_of(g, p, t);
		if (wait_is_stopped(&link) || link.what == WAIT_DEBUGGER)
			return STAND_STOPPED;
		if (wait_is_held(&link))
			stand = STAND_BLOCKED;
		waits_for_child &= link.what == WAIT_CHILD;
	}
	return stand == STAND_UNKNOWN && (waits_too || waits_for_child) ? STAND_APART : stand;
}

void wait_link_find_owner(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	assert(t);

	enum stand best = STAND_UNKNOWN;
	unsigned others = 0;

	wait_parties_each (g, t->node_pid, t->record.tid, p) {
		const struct waits_process *of = wait_graph_process(g, p->party_pid);
		enum stand stand = of ? stand_of(g, of) : STAND_UNKNOWN;

		if (p->relation != WAITS_RELATION_MEMORY)
			continue;
		others += stand != STAND_APART;
		if (stand <= best)
			continue;
		best = stand;
		link->party = p;
	}
	if (link->party)
		link->confidence = others > 1 ? WAITS_LOW : WAITS_MEDIUM;
}

bool wait_is_of_owner(const struct wait_link *link)
{
	assert(link);
	return link->what == WAIT_CONDITION && link->party;
}
