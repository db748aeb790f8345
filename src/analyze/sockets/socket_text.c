/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket records as text. */
#include "analyze/sockets/socket_text.h"

#include <assert.h>

#include "analyze/records.h"
#include "probes/socket_names.h"

const char *socket_state_text(uint8_t state, uint8_t state_state)
{
	if (state_state != SOOTH_STATE_VALUE || state >= SOCKETS_STATES)
		return "";
	return socket_state_names.names[state];
}

void socket_put_protocol(struct buffer *out, const struct sockets_socket *s)
{
	assert(s);

	static const char *const before[SOCKETS_FAMILIES] = {
		[SOCKETS_UNIX] = "unix", [SOCKETS_NETLINK] = "netlink", [SOCKETS_PACKET] = "packet"
	};
	const char *first = s->family < SOCKETS_FAMILIES ? before[s->family] : NULL;
	struct span name = s->protocol_state == SOOTH_STATE_VALUE
				   ? record_text(&s->record, &s->protocol)
				   : span_of("", 0);

	if (first)
		buffer_string(out, first);
	if (first && name.size)
		buffer_char(out, ' ');
	buffer_append(out, name.data, name.size);
	if (name.size && s->family == SOCKETS_INET6)
		buffer_char(out, '6');
}

/* Writes an end; an IPv6 address is in brackets, to separate it from the port. */
static void put_end(struct buffer *out, const struct sockets_socket *s, struct span address,
	uint16_t port, uint8_t port_state)
{
	bool is_bracketed = s->family == SOCKETS_INET6;

	if (is_bracketed)
		buffer_char(out, '[');
	buffer_append(out, address.data, address.size);
	if (is_bracketed)
		buffer_char(out, ']');
	if (port_state != SOOTH_STATE_VALUE)
		return;
	buffer_char(out, ':');
	buffer_u64(out, port);
}

void socket_put_local(struct buffer *out, const struct sockets_socket *s)
{
	assert(s);
	if (s->local_state == SOOTH_STATE_VALUE)
		put_end(out, s, record_text(&s->record, &s->local), s->local_port, s->port_state);
}

bool socket_is_closed_by_peer(const struct sockets_socket *s)
{
	return s->state_state == SOOTH_STATE_VALUE && s->state == SOCKETS_CLOSE_WAIT;
}

bool socket_is_inet(const struct sockets_socket *s)
{
	assert(s);
	return s->family == SOCKETS_INET || s->family == SOCKETS_INET6;
}

void socket_put_peer(struct buffer *out, const struct sockets_socket *s)
{
	assert(s);
	if (s->peer_state == SOOTH_STATE_VALUE) {
		put_end(out, s, record_text(&s->record, &s->peer), s->peer_port,
			s->peer_port_state);
	} else if (s->peer_inode) {
		buffer_char(out, '[');
		buffer_u64(out, s->peer_inode);
		buffer_char(out, ']');
	}
}

struct sockets_socket socket_whole(const struct sockets_socket *s)
{
	assert(s);

	struct sockets_socket whole = { 0 };
	bool is_whole = record_holds(&s->record, sizeof(whole));

	memcpy(&whole, s, is_whole ? sizeof(whole) : SOCKETS_SOCKET_LEAST);
	if (!is_whole)
		whole.dropped_state = SOOTH_STATE_ABSENT;
	return whole;
}

void socket_text_add_socket(struct socket_text *w, const struct sockets_socket *s)
{
	assert(w);
	buffer_reset(&w->protocol);
	buffer_reset(&w->local);
	buffer_reset(&w->peer);
	socket_put_protocol(&w->protocol, s);
	socket_put_local(&w->local, s);
	socket_put_peer(&w->peer, s);
}

uint8_t socket_text_state(const struct buffer *words, uint8_t of_record)
{
	return words->size ? SOOTH_STATE_VALUE : of_record ? of_record : SOOTH_STATE_ABSENT;
}

void socket_text_fini(struct socket_text *w)
{
	assert(w);
	buffer_fini(&w->protocol);
	buffer_fini(&w->local);
	buffer_fini(&w->peer);
}
