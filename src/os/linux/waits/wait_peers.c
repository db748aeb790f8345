/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes of this host at the other ends of the sockets of the observed process.
 *
 * Cannot be seen: peers in another network namespace, and those whose descriptors may not be read.
 */
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "os/linux/waits/wait_reader.h"

#define SOCKETS_MOST 4096 /* number of sockets of the observed process */
#define PEERS_MOST   64

/* Returns the oldest process that has a socket: a child may have inherited it. */
static const struct wait_entry *owner_of(struct wait_reader *r, uint64_t inode, uint32_t except)
{
	const struct wait_entry *found = NULL;
	size_t count;
	const struct wait_end *ends = wait_ends_first(&r->ends, WAIT_END_SOCKET, inode, &count);

	for (size_t i = 0; i < count; i++) {
		const struct wait_entry *e = wait_table_get(&r->table, ends[i].pid);

		if (ends[i].pid == except)
			return NULL;
		if (e && (!found || e->start_ticks < found->start_ticks))
			found = e;
	}
	return found;
}

static struct waits_peer *get_peer(struct buffer *peers, const struct wait_entry *owner)
{
	struct waits_peer *all = (void *)peers->data, new = { .peer_pid = owner->pid,
		.peer_start_ticks = owner->start_ticks,
		.peer_state = owner->state };
	size_t count = peers->size / sizeof(*all);

	for (size_t i = 0; i < count; i++) {
		if (all[i].peer_pid == owner->pid)
			return &all[i];
	}
	if (count == PEERS_MOST)
		return NULL;
	buffer_append(peers, &new, sizeof(new));
	return buffer_failed(peers) ? NULL : &((struct waits_peer *)(void *)peers->data)[count];
}

/* Returns the unread bytes. For a unix socket, its own queue is already that of its peer. */
static uint64_t unread_of(const struct wait_socket *own, const struct wait_socket *peer)
{
	return own->send_queue + (own->family == AF_UNIX ? 0 : peer->receive_queue);
}

static void add_socket(
	struct wait_reader *r, struct buffer *peers, int process, const struct wait_end *end)
{
	const struct wait_socket *own = wait_sockets_get(&r->sockets, process, end->key);
	const struct wait_socket *other = own ? wait_sockets_peer(&r->sockets, own) : NULL;
	const struct wait_entry *owner = other ? owner_of(r, other->inode, end->pid) : NULL;
	struct waits_peer *peer = owner ? get_peer(peers, owner) : NULL;
	uint64_t unread;
	bool is_accepted;

	if (!peer)
		return;
	is_accepted = wait_sockets_is_accepted(&r->sockets, own);
	peer->accepted = (uint16_t)(peer->accepted + is_accepted); /* SOCKETS_MOST fit */
	unread = unread_of(own, other);
	if (!peer->connections++ || unread > peer->unread_bytes) {
		peer->unread_bytes = unread;
		peer->fd = end->fd;
		peer->is_accepted = is_accepted;
	}
}

static void emit_peer(struct wait_reader *r, struct waits_peer *p)
{
	const char *name = wait_table_get(&r->table, p->peer_pid)->name;
	struct record_tail tail[] = { { &p->peer_name, name, strlen(name) } };

	p->record = wait_record(r, 0, WAITS_PEER);
	RECORD_APPEND(&r->run->out, p, tail, ARRAY_SIZE(tail));
}

void wait_add_peers(struct wait_reader *r, int process, uint32_t pid)
{
	struct buffer peers = { 0 };
	const struct wait_end *all;
	size_t count, sockets = 0;

	wait_ends_first(&r->ends, WAIT_END_SOCKET, 0, &count); /* reads them */
	all = (const void *)r->ends.entries.data;
	count = r->ends.entries.size / sizeof(*all);
	for (size_t i = 0; i < count && sockets < SOCKETS_MOST; i++) {
		bool is_copy = i && all[i].pid == all[i - 1].pid && all[i].key == all[i - 1].key;

		if (all[i].kind != WAIT_END_SOCKET || all[i].pid != pid || is_copy)
			continue;
		add_socket(r, &peers, process, &all[i]);
		sockets++;
	}
	buffer_each (struct waits_peer, peer, &peers)
		emit_peer(r, peer);
	buffer_fini(&peers);
}
