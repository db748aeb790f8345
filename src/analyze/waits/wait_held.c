/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_held.h"

#include <assert.h>

#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_prompts.h"
#include "base/units.h"

#define OWED_LEAST (5 * NS_PER_S)

/* Returns whether a thread waits for one connection only, which its process made: it has nothing
 * else to do until the answer comes. */
static bool is_asking(const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;

	return link->what == WAIT_SOCKET_READ && !link->is_idle && link->count <= 1 &&
	       link->party && wait_is_outgoing(link->object) &&
	       link->object->has_open_request != WAITS_REQUEST_OPEN && !t->since_state &&
	       t->since_ns >= OWED_LEAST;
}

/* Returns whether a thread reads what a program writes that asks a person: gpg-agent reads from
 * pinentry. */
static bool asks_user(const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_process *p =
		link->what == WAIT_PIPE_READ && !link->is_idle && link->party
			? wait_graph_process(g, link->party->party_pid)
			: NULL;
	struct wait_link asked;

	if (!p || p == link->process)
		return false;
	asked = wait_link_of(g, p, wait_graph_thread_of(g, p->node_pid, p->node_pid));
	return wait_has_prompt(&asked);
}

unsigned wait_find_held(const struct wait_graph *g, const struct waits_process *p,
	const struct waits_thread *except, struct wait_link *longest)
{
	unsigned held = 0;

	assert(longest);
	wait_threads_each (g, p->node_pid, t) {
		struct wait_link link = wait_link_of(g, p, t);

		if (t == except ||
			(!wait_is_held(&link) && !is_asking(&link) && !asks_user(g, &link)))
			continue;
		if (!held++ || t->since_ns > longest->thread->since_ns)
			*longest = link;
	}
	return held;
}
