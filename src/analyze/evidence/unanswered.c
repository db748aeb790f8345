/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel does not record since when a socket is in SYN_SENT. The least possible time is the
 * time since it was first seen in that state, or a second per retransmission: no timeout is shorter
 * than a second. */
#include "analyze/evidence/unanswered.h"

#include <assert.h>
#include <string.h>

#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/units.h"
#include "probes/sockets.h"

#define PEERS_MAX   4096
#define SOCKETS_MAX 65536

struct look {
	struct map *out;
	struct map sockets; /* set of inodes: in SYN_SENT at the first sample */
	struct map peers;   /* set of call_path: peers of these sockets */
	struct map reached; /* set of call_path: peers connected at the last sample */
	uint64_t interval_ns;
};

static bool is_in_state(const struct sockets_socket *s, uint8_t state)
{
	return s->state_state == SOOTH_STATE_VALUE && s->state == state && socket_is_inet(s) &&
	       s->protocol_state == SOOTH_STATE_VALUE &&
	       span_equal(record_text(&s->record, &s->protocol), "tcp");
}

static struct call_path peer_of(const struct sockets_socket *s)
{
	struct call_path path = { { 0 } };
	struct buffer text = { 0 };

	socket_put_peer(&text, s);
	if (text.size)
		memcpy(path.text, text.data,
			text.size < sizeof(path.text) ? text.size : sizeof(path.text) - 1);
	buffer_fini(&text);
	return path;
}

static void note_reached(struct look *l, const struct snapshot *last)
{
	sockets_each (last, s) {
		struct call_path peer = peer_of(s);

		if (is_in_state(s, SOCKETS_ESTABLISHED))
			map_put(&l->reached, &peer, NULL);
	}
}

static void take_first(struct look *l, const struct snapshot *first)
{
	sockets_each (first, s) {
		struct call_path peer = peer_of(s);

		if (!is_in_state(s, SOCKETS_SYN_SENT))
			continue;
		map_put(&l->sockets, &s->inode, NULL);
		map_put(&l->peers, &peer, NULL);
	}
}

static void take_last(struct look *l, const struct sockets_socket *s)
{
	struct call_path peer = peer_of(s);
	struct unanswered *u = *peer.text ? map_put(l->out, &peer, NULL) : NULL;
	uint32_t retransmits = s->waiting_state == SOOTH_STATE_VALUE ? s->retransmits_waiting : 0;
	bool is_same = map_get(&l->sockets, &s->inode) != NULL;
	uint64_t for_ns = retransmits * NS_PER_S;

	if (!u)
		return;
	if (!u->sockets || retransmits > u->retransmits) {
		u->retransmits = retransmits;
		u->fd = s->fd;
	}
	u->sockets++;
	u->is_again |= !is_same && map_get(&l->peers, &peer) && !map_get(&l->reached, &peer);
	/* A new socket to the same peer means that no attempt was answered meanwhile, unless each
	 * is answered soon and both samples came just before. */
	if ((is_same || (u->is_again && retransmits)) && l->interval_ns > for_ns)
		for_ns = l->interval_ns;
	if (for_ns > u->for_ns)
		u->for_ns = for_ns;
}

static void compare(struct look *l, const struct snapshot *first, const struct snapshot *last)
{
	const struct sockets_process *begin = snapshot_end(first, sizeof(*begin));
	const struct sockets_process *end = snapshot_end(last, sizeof(*end));

	if (begin && end && end->record.time_ns > begin->record.time_ns) {
		l->interval_ns = end->record.time_ns - begin->record.time_ns;
		take_first(l, first);
		note_reached(l, last);
	}
	sockets_each (last, s) {
		if (is_in_state(s, SOCKETS_SYN_SENT))
			take_last(l, s);
	}
}

void unanswered_read(struct map *out, const struct check *e)
{
	assert(e);

	const struct snapshot *first = check_first(e, &e->input->sockets);
	const struct snapshot *last = check_last(e, &e->input->sockets);
	struct look l = { .out = out };

	map_init(out, sizeof(struct call_path), sizeof(struct unanswered), PEERS_MAX);
	if (!first || !last)
		return;
	map_init(&l.sockets, sizeof(uint64_t), sizeof(uint8_t), SOCKETS_MAX);
	map_init(&l.reached, sizeof(struct call_path), sizeof(uint8_t), SOCKETS_MAX);
	map_init(&l.peers, sizeof(struct call_path), sizeof(uint8_t), PEERS_MAX);
	compare(&l, first, last);
	map_fini(&l.sockets);
	map_fini(&l.peers);
	map_fini(&l.reached);
}
