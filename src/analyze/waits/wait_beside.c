/* SPDX-License-Identifier: BSD-2-Clause */
/* An event loop at rest, or a sleeping main thread, hides the threads that do the work: while all
 * threads of a pool are blocked, the loop still waits for connections. */
#include "analyze/waits/wait_beside.h"

#include <assert.h>

#include "analyze/waits/wait_text.h"
#include "base/units.h"

#define HELD_LEAST (3 * NS_PER_S) /* a call that returns sooner blocks nothing */

bool wait_is_held(const struct wait_link *link)
{
	assert(link);
	switch (link->what) {
	case WAIT_PIPE_WRITE:
	case WAIT_FIFO_OPEN:
	case WAIT_SOCKET_WRITE:
	case WAIT_CONNECT:
	case WAIT_TERMINAL_WRITE:
	case WAIT_LOCK:
	case WAIT_LOCK_FILE:
	case WAIT_IO:
	case WAIT_FILE_SYSTEM:
	case WAIT_DATABASE_LOCK:
		return link->thread && !link->thread->since_state &&
		       link->thread->since_ns >= HELD_LEAST;
	default:
		return false;
	}
}

/* Returns whether the first wait of the chain says nothing about the other threads. */
static bool is_of_one_thread(const struct wait_link *first)
{
	return first->is_idle || first->is_active || first->what == WAIT_EVENTS ||
	       first->what == WAIT_SLEEP || first->what == WAIT_TIMER ||
	       first->what == WAIT_CONDITION || first->what == WAIT_RUNS;
}

void wait_put_beside(struct buffer *out, const struct wait_graph *g, const struct wait_chain *chain)
{
	assert(g);
	assert(chain);

	const struct waits_process *p = chain->count ? chain->links[0].process : NULL;
	struct wait_link link, longest = { 0 };
	const struct waits_thread *t = NULL;
	unsigned held = 0;

	if (!p || !is_of_one_thread(&chain->links[0]))
		return;
	while ((t = wait_graph_thread(g, p->node_pid, t))) {
		link = wait_link_of(g, p, t);
		if (!wait_is_held(&link))
			continue;
		if (!held++ || t->since_ns > longest.thread->since_ns)
			longest = link;
	}
	if (!held)
		return;
	if (held == 1)
		buffer_format(out, "; its thread %u ", longest.thread->record.tid);
	else
		buffer_format(out, "; %u of its threads are held up: %u ", held,
			longest.thread->record.tid);
	wait_link_text(out, g, &longest);
}
