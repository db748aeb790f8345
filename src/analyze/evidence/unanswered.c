/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/unanswered.h"

#include <assert.h>
#include <string.h>

#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "model/errno_names.h"
#include "probes/sockets.h"
#include "probes/syscall_names.h"

/* --- connects --- */

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
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	socket_put_peer(&text, s);
	if (text.size)
		memcpy(path.text, text.data,
			text.size < sizeof(path.text) ? text.size : sizeof(path.text) - 1);
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

/* The kernel does not record since when a socket is in SYN_SENT. The least possible time is the
 * time since it was first seen in that state, or a second per retransmission: no timeout is shorter
 * than a second. */
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

void unanswered_read(struct map *out, const struct check *e)
{
	assert(e);

	const struct snapshot *first = check_first(e, &e->input->sockets);
	const struct snapshot *last = check_last(e, &e->input->sockets);
	struct look l = { .out = out, .interval_ns = check_interval_ns(e, &e->input->sockets) };

	map_init(out, sizeof(struct call_path), sizeof(struct unanswered), PEERS_MAX);
	if (!first || !last)
		return;
	map_init(&l.sockets, sizeof(uint64_t), sizeof(uint8_t), SOCKETS_MAX);
	map_init(&l.reached, sizeof(struct call_path), sizeof(uint8_t), SOCKETS_MAX);
	map_init(&l.peers, sizeof(struct call_path), sizeof(uint8_t), PEERS_MAX);
	if (l.interval_ns) {
		take_first(&l, first);
		note_reached(&l, last);
	}
	sockets_each (last, s) {
		if (is_in_state(s, SOCKETS_SYN_SENT))
			take_last(&l, s);
	}
	map_fini(&l.sockets);
	map_fini(&l.peers);
	map_fini(&l.reached);
}

/* --- datagrams --- */

/* Returns whether the peer is a multicast or broadcast address: no answer is needed. */
static bool is_to_many(const char *connection)
{
	const char *arrow = strstr(connection, FD_FOLLOW_ARROW),
		   *peer = arrow ? arrow + strlen(FD_FOLLOW_ARROW) : "";

	bool is_multicast = strspn(peer, "0123456789") == 3 && strncmp(peer, "224", 3) >= 0 &&
			    strncmp(peer, "239", 3) <= 0;

	return is_multicast || !strncmp(peer, "255.", 4) || !strncmp(peer, "[ff", 3);
}

struct side {
	uint64_t waits;
	bool is_answered;
};

static bool is_send(const struct call_repeat_key *key, const struct call_repeat *r)
{
	const struct syscall_row *row = syscall_row_of(key->abi, key->number);

	return key->fd >= 0 && key->result > 0 && r->is_socket &&
	       row->transfer.direction == SYSCALL_WRITES &&
	       !strncmp(r->text, DATAGRAM_PROTOCOL, strlen(DATAGRAM_PROTOCOL)) &&
	       !is_to_many(r->text);
}

static struct side side_of(const struct call_history *h, int32_t fd)
{
	struct side side = { 0 };

	call_repeats_each (h, key, r) {
		const struct syscall_row *row = syscall_row_of(key->abi, key->number);
		bool polls = row->traits & SYSCALL_POLLS;

		if (key->fd != fd)
			continue;
		if (row->transfer.direction == SYSCALL_READS && key->result >= 0)
			side.is_answered = true;
		else if (polls ? key->result == 0 : key->result == -LINUX_EAGAIN)
			side.waits += r->count;
	}
	return side;
}

bool datagram_requests_find(struct datagram_requests *r, const struct call_history *h)
{
	assert(r);
	*r = (struct datagram_requests){ 0 };
	call_repeats_each (h, key, one) {
		struct side side;

		if (!is_send(key, one) || one->count <= r->sent)
			continue;
		side = side_of(h, key->fd);
		/* The wait for the last answer may still go on. */
		if (side.is_answered || side.waits + 1 < one->count)
			continue;
		*r = (struct datagram_requests){ one->count, side.waits, one->first_ns,
			one->last_ns, key->fd, one->text };
	}
	return r->sent != 0;
}

const char *datagram_requests_peer(const struct datagram_requests *r)
{
	assert(r);

	const char *arrow = strstr(r->connection, FD_FOLLOW_ARROW);

	return arrow ? arrow + strlen(FD_FOLLOW_ARROW) : r->connection;
}
