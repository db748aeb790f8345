/* SPDX-License-Identifier: BSD-2-Clause */

#include "analyze/sockets/socket_sums.h"

#include <assert.h>
#include <string.h>

#include "analyze/records.h"
#include "analyze/sockets/socket_text.h"

/* --- sockets by inode --- */

void socket_index_init(struct socket_index *i, const struct snapshot *snapshot)
{
	struct batch all = snapshot ? snapshot_records(snapshot) : (struct batch){ 0 };

	assert(i);
	map_init(&i->sockets, sizeof(uint64_t), sizeof(const struct sockets_socket *),
		all.size / sizeof(struct sooth_record));
	batch_for_each (r, &all) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);
		const struct sockets_socket **kept;
		bool is_new;

		if (!s)
			continue;
		kept = map_put(&i->sockets, &s->inode, &is_new);
		if (kept && is_new)
			*kept = s;
	}
}

void socket_index_fini(struct socket_index *i)
{
	assert(i);
	map_fini(&i->sockets);
}

const struct sockets_socket *socket_index_get(const struct socket_index *i, uint64_t inode)
{
	assert(i);

	const struct sockets_socket *const *kept = map_get(&i->sockets, &inode);

	return kept ? *kept : NULL;
}

bool socket_index_both_closed(const struct socket_index *i, const struct sockets_socket *s)
{
	const struct sockets_socket *before = socket_index_get(i, s->inode);

	return before && socket_is_closed_by_peer(before) && socket_is_closed_by_peer(s);
}

unsigned sockets_to_itself(const struct snapshot *snapshot, const struct sockets_socket *listener)
{
	unsigned count = 0;

	assert(listener);
	sockets_each (snapshot, s)
		count += s != listener && socket_is_inet(s) && !s->peer_port_state &&
			 s->peer_port == listener->local_port;
	return socket_is_inet(listener) ? count : 0;
}

bool sockets_listen(const struct snapshot *snapshot)
{
	struct batch records = snapshot_records(snapshot);

	batch_for_each (r, &records) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

		if (s && s->state_state == SOOTH_STATE_VALUE && s->state == SOCKETS_LISTEN)
			return true;
	}
	return false;
}

/* --- sums by state and peer --- */

#define KINDS_MAX 1024
#define PEERS_MAX 4096

void socket_sums_init(struct socket_sums *s)
{
	assert(s);
	*s = (struct socket_sums){ 0 };
	map_init(&s->kinds, sizeof(struct socket_kind_key), sizeof(uint64_t), KINDS_MAX);
	map_init(&s->peers, sizeof(struct socket_peer_key), sizeof(struct socket_peer_sum),
		PEERS_MAX);
}

void socket_sums_fini(struct socket_sums *s)
{
	assert(s);
	map_fini(&s->kinds);
	map_fini(&s->peers);
}

struct span socket_sums_label(const struct peer_labels *labels, const struct sockets_socket *socket,
	enum peer_label_strength *strength)
{
	struct span label = span_of("", 0);
	unsigned char address[16];

	assert(socket);
	*strength = PEER_LABEL_NONE;
	if (socket_is_inet(socket) && socket->peer_state == SOOTH_STATE_VALUE &&
		peer_address(address, record_text(&socket->record, &socket->peer)))
		*strength = peer_labels_find(labels, address,
			socket->peer_port_state == SOOTH_STATE_VALUE ? socket->peer_port : 0,
			&label);
	return label;
}

static void put_text(char *out, size_t room, const char *text, size_t size)
{
	if (size)
		memcpy(out, text, size < room ? size : room);
}

static void add_kind(struct socket_sums *s, const struct sockets_socket *socket)
{
	struct socket_kind_key key = { .state = socket->state, .state_state = socket->state_state };
	struct buffer text = { 0 };
	uint64_t *count;

	if (key.state_state)
		key.state = 0;
	socket_put_protocol(&text, socket);
	put_text(key.protocol, sizeof(key.protocol), (const char *)text.data, text.size);
	buffer_fini(&text);
	count = map_put(&s->kinds, &key, NULL);
	if (count)
		++*count;
}

static void peer_key(
	struct socket_peer_key *key, const struct sockets_socket *socket, struct span label)
{
	struct buffer text = { 0 };

	if (label.size)
		buffer_append(&text, label.data, label.size);
	else
		socket_put_peer(&text, socket);
	put_text(key->text, sizeof(key->text), (const char *)text.data, text.size);
	buffer_fini(&text);
}

/* Adds the silence; before any data, the time since the connection was established. */
static void add_silence(struct socket_sums *s, const struct sockets_socket *socket,
	const struct socket_peer_key *key)
{
	uint64_t silent_ns = socket->sent_ago_ns < socket->received_ago_ns
				     ? socket->sent_ago_ns
				     : socket->received_ago_ns;
	bool is_known = socket->sent_state <= SOOTH_STATE_ABSENT &&
			socket->received_state <= SOOTH_STATE_ABSENT;

	if (!is_known || (s->has_silent && silent_ns <= s->silent_ns))
		return;
	s->has_silent = true;
	s->silent_ns = silent_ns;
	s->silent_fd = socket->fd;
	s->silent_peer = *key;
}

static bool is_tcp(const struct sockets_socket *socket)
{
	return socket_is_inet(socket) &&
	       span_equal(record_text(&socket->record, &socket->protocol), "tcp");
}

static void add_connection(
	struct socket_sums *s, const struct sockets_socket *socket, struct span label)
{
	struct socket_peer_key key = { 0 };
	struct socket_peer_sum *peer;

	peer_key(&key, socket, label);
	peer = map_put(&s->peers, &key, NULL);
	if (peer) {
		peer->count++;
		peer->has_label = label.size > 0;
	}
	if (!is_tcp(socket))
		return;
	s->established++;
	add_silence(s, socket, &key);
}

void socket_sums_add(struct socket_sums *s, const struct sockets_socket *socket, struct span label)
{
	assert(s);
	assert(socket);
	s->count++;
	add_kind(s, socket);
	if (socket->state_state != SOOTH_STATE_VALUE)
		return;
	s->listening += socket->state == SOCKETS_LISTEN;
	/* The queue of a listening socket counts connections, not bytes. */
	if (socket->state != SOCKETS_LISTEN && socket->receive_queue_state == SOOTH_STATE_VALUE)
		s->waiting_bytes += socket->receive_queue_bytes;
	if (socket_is_inet(socket) && socket->state == SOCKETS_ESTABLISHED)
		add_connection(s, socket, label);
	if (socket->retransmits_state == SOOTH_STATE_VALUE)
		s->retransmits += socket->retransmits;
	if (socket->waiting_state == SOOTH_STATE_VALUE)
		s->retransmitting += socket->retransmits_waiting > 0;
}
