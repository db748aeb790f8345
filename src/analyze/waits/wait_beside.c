/* SPDX-License-Identifier: BSD-2-Clause */
/* An event loop at rest, or a sleeping main thread, hides the threads that do the work: while all
 * threads of a pool are blocked, the loop still waits for connections. */
#include "analyze/waits/wait_beside.h"

#include <assert.h>

#include "analyze/waits/wait_held.h"
#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_text.h"
#include "base/units.h"
#include "probes/signal_names.h"

#define OWED_LEAST (5 * NS_PER_S)
#define DEPTH_MAX  8

/* Returns whether the first wait of the chain says nothing about the other threads. */
static bool is_of_one_thread(const struct wait_link *first)
{
	return first->is_idle || first->is_active || first->what == WAIT_EVENTS ||
	       first->what == WAIT_SLEEP || first->what == WAIT_TIMER ||
	       first->what == WAIT_CONDITION || first->what == WAIT_RUNS;
}

/* Returns whether the thread reads standard input that only `feeder` and processes below the reader
 * can write to. If its output is a pipe or socket, it may be a server that rests between requests.
 */
static bool is_unfed(const struct wait_graph *g, const struct wait_link *link, uint32_t feeder)
{
	const struct waits_thread *t = link->thread;
	bool has_feeder = false;

	if ((link->what != WAIT_PIPE_READ && link->what != WAIT_SOCKET_READ) || !t ||
		!link->object || link->object->fd || link->object->role != WAITS_ROLE_CALL ||
		t->unflushed_state != SOOTH_STATE_ABSENT || t->since_state ||
		t->since_ns < OWED_LEAST)
		return false;
	wait_parties_each (g, t->node_pid, t->record.tid, other) {
		if (other->waiting_fd || other->party_pid == t->node_pid)
			continue;
		if (other->party_pid != feeder)
			return false;
		has_feeder = true;
	}
	return has_feeder;
}

/* Appends the child that waits, itself or in the command that it waits for, for input which only
 * this process can send: to serve others does not excuse that. */
static void put_unfed_child(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *first)
{
	uint32_t feeder = first->process->node_pid;
	char length[WAIT_DURATION_SIZE];

	if (!first->thread)
		return;
	wait_parties_each (g, feeder, first->thread->record.tid, child) {
		const struct waits_process *p = wait_graph_process(g, child->party_pid);
		const struct waits_process *top = p;
		struct wait_link link = { 0 };

		if (child->relation != WAITS_RELATION_CHILD)
			continue;
		for (unsigned i = 0; p && i < DEPTH_MAX; i++) {
			link = wait_link_of(
				g, p, wait_graph_thread_of(g, p->node_pid, p->node_pid));
			if (link.what != WAIT_CHILD || !link.party)
				break;
			p = wait_graph_process(g, link.party->party_pid);
		}
		if (!p || !is_unfed(g, &link, feeder))
			continue;
		buffer_string(out, "; its child ");
		wait_put_process(out, top);
		if (p != top) {
			buffer_string(out, ", in it ");
			wait_put_process(out, p);
			buffer_char(out, ',');
		}
		buffer_format(out,
			" waits for input that only this process can send, or end by closing it, "
			"%s",
			wait_duration(length, link.thread->since_ns));
		return;
	}
}

/* Appends that process 1 of a container has no handler for SIGTERM: it does not end by it. */
static void put_namespace_init(
	struct buffer *out, const struct wait_graph *g, const struct waits_process *p)
{
	const struct waits_signals *s = find_process_signals(&g->records, p->node_pid);
	const struct waits_thread *t = wait_graph_thread(g, p->node_pid, NULL);

	if (s && t && t->is_namespace_init && !(s->caught >> (SIGNAL_TERMINATE - 1) & 1))
		buffer_string(out,
			"; as process 1 of its PID namespace (container) it has no "
			"handler for SIGTERM, so the kernel drops it: only SIGKILL ends it");
}

void wait_put_beside(struct buffer *out, const struct wait_graph *g, const struct wait_chain *chain)
{
	assert(g);
	assert(chain);

	const struct wait_link *first = &chain->links[0];
	const struct waits_process *p = chain->count ? first->process : NULL;
	struct wait_link longest;
	struct wait_chain beside;
	unsigned held;

	if (p)
		put_namespace_init(out, g, p);
	if (!p || !is_of_one_thread(first))
		return;
	put_unfed_child(out, g, first);
	held = wait_find_held(g, p, first->thread, &longest);
	if (!held)
		return;
	if (held == 1)
		buffer_format(out, "; its thread %u ", longest.thread->record.tid);
	else
		buffer_format(out, "; %u of its threads are held up: %u ", held,
			longest.thread->record.tid);
	wait_chain_follow_thread(g, p->node_pid, longest.thread->record.tid, &beside);
	wait_link_text(out, g, &beside.links[0]);
	wait_chain_rest(out, g, &beside);
}
