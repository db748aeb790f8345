/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_beyond.h"

#include <assert.h>
#include <string.h>

#include "analyze/waits/wait_chain.h"
#include "analyze/waits/wait_lookup.h"
#include "base/units.h"

#define LASTS_LEAST  NS_PER_S	/* working processes also wait, but shorter */
#define UNREAD_LEAST (32 << 10) /* bytes; fewer may be in transit */

static void add_pid(struct buffer *out, uint32_t pid, uint32_t except)
{
	const uint32_t *all = (const void *)out->data;
	size_t count = out->size / sizeof(*all);

	for (size_t i = 0; i < count; i++) {
		if (all[i] == pid)
			return;
	}
	if (pid && pid != except && count < WAIT_BEYOND_MOST)
		buffer_append(out, &pid, sizeof(pid));
}

static bool is_lasting_wait(const struct wait_link *link)
{
	return !link->is_idle && !link->is_active && link->thread &&
	       (link->is_polling ||
		       (!link->thread->since_state && link->thread->since_ns >= LASTS_LEAST));
}

/* Returns whether the party may end the wait: not the program that runs the process's terminal, and
 * not the parent of a zombie. */
static bool may_end_wait(const struct waits_party *p)
{
	return p && p->is_alive && p->relation != WAITS_RELATION_TERMINAL &&
	       p->relation != WAITS_RELATION_TERMINAL_USER &&
	       p->relation != WAITS_RELATION_PARENT && p->relation != WAITS_RELATION_THREAD;
}

static void add_chain(struct buffer *out, const struct wait_chain *chain, uint32_t pid)
{
	if (!chain->count || !is_lasting_wait(&chain->links[0]))
		return;
	for (size_t i = 0; i < chain->count; i++) {
		const struct wait_link *link = &chain->links[i];

		if (!link->process->is_kernel)
			add_pid(out, link->process->node_pid, pid);
		if (!link->is_idle && may_end_wait(link->party))
			add_pid(out, link->party->party_pid, pid);
	}
}

/* Returns whether a thread is held up: it does not rest in such a call; a read needs an open
 * request. */
static bool is_held(const struct wait_link *link)
{
	return wait_is_held(link) ||
	       (link->what == WAIT_SOCKET_READ && link->object && link->object->has_open_request);
}

/* Returns whether the peer does not read: few bytes suffice if it is stopped, computes, or can do
 * nothing else (D, also of a frozen control group of version 1). */
static bool is_unread(const struct waits_peer *p)
{
	return p->unread_bytes >= UNREAD_LEAST ||
	       (p->unread_bytes && p->peer_state && strchr("TtRD", p->peer_state));
}

void wait_find_beyond(const struct batch *records, uint32_t pid, struct buffer *out)
{
	assert(records);

	struct wait_graph g = { .records = *records };
	const struct waits_process *p = wait_graph_process(&g, pid);
	const struct waits_thread *t = NULL;
	struct wait_chain chain;

	wait_chain_follow(&g, pid, &chain);
	add_chain(out, &chain, pid);
	while (p && (t = wait_graph_thread(&g, pid, t))) {
		struct wait_link link = wait_link_of(&g, p, t);

		if (!is_held(&link))
			continue;
		wait_chain_follow_thread(&g, pid, t->record.tid, &chain);
		add_chain(out, &chain, pid);
	}
	batch_for_each (r, records) {
		const struct waits_peer *peer = record_as(r, WAITS_PEER, sizeof(*peer));

		if (peer && is_unread(peer))
			add_pid(out, peer->peer_pid, pid);
	}
}
