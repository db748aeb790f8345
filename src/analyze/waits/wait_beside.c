/* SPDX-License-Identifier: BSD-2-Clause */
/* An event loop at rest, or a sleeping main thread, hides the threads that do the work: while all
 * threads of a pool are blocked, the loop still waits for connections. */
#include "analyze/waits/wait_beside.h"

#include <assert.h>

#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_text.h"

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
