/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer_parts.h"

#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/sockets/socket_turn.h"
#include "analyze/waits/wait_sentences.h"
#include "base/units.h"

NUMBER(LEAST, 4 * NS_PER_S, NS, "a server with a request for less long is at work");
NUMBER(LONG, 30 * NS_PER_S, NS, "a request without an answer, where others are answered");
NUMBER(POOL_LEAST, 2, NONE, "connections to one server: a pool");

struct clients {
	unsigned asking;
	uint64_t longest_ns;
	bool is_serving; /* another client got data a moment ago */
	unsigned made, at_rest;
	const struct sockets_socket
		*server; /* peer of the first connection that the process made */
	bool is_one_server;
};

static bool is_connected_to(const struct sockets_socket *s, const struct sockets_socket *other)
{
	return s->peer_port == other->peer_port &&
	       !span_compare(record_text(&s->record, &s->peer),
		       record_text(&other->record, &other->peer));
}

/* Returns whether the process has read the whole request, so the program knows about it. */
static bool has_read_request(const struct sockets_socket *s)
{
	return socket_owes_answer(s) && !s->receive_queue_state && !s->receive_queue_bytes &&
	       !s->bytes_state && s->received_bytes && s->received_ago_ns >= LEAST;
}

static void add_client(struct clients *c, const struct sockets_socket *s)
{
	if (s->side == SOCKETS_SIDE_ACCEPTED && has_read_request(s)) {
		c->asking++;
		if (s->received_ago_ns > c->longest_ns)
			c->longest_ns = s->received_ago_ns;
	}
	c->is_serving |=
		s->side == SOCKETS_SIDE_ACCEPTED && !s->sent_state && s->sent_ago_ns < LEAST;
	if (s->side != SOCKETS_SIDE_MADE || s->state != SOCKETS_ESTABLISHED)
		return;
	if (!c->server)
		c->server = s;
	c->is_one_server &= is_connected_to(s, c->server);
	c->made++;
	c->at_rest += socket_is_at_rest(s);
}

static struct clients clients_of(const struct diagnosis *s, const struct diagnosed *j)
{
	struct clients c = { .is_one_server = true };

	sockets_each (snapshots_get(&s->input.sockets.last, &j->id), o) {
		if (socket_is_inet(o) && !o->state_state)
			add_client(&c, o);
	}
	return c;
}

static bool has_pool_at_rest(const struct clients *c)
{
	return c->asking && !c->is_serving && c->made >= POOL_LEAST && c->at_rest == c->made &&
	       c->is_one_server;
}

bool answer_clients(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	struct clients c = clients_of(s, j);
	char length[WAIT_DURATION_SIZE];

	/* A server that answers others may hold a few requests on purpose. */
	if (!c.asking || (c.is_serving && c.longest_ns < LONG))
		return false;
	buffer_format(out, "%u client%s had no answer%s %s", c.asking,
		c.asking == 1 ? " has" : "s have", c.asking == 1 ? " for" : ", one for",
		wait_duration(length, c.longest_ns));
	if (!has_pool_at_rest(&c)) {
		buffer_string(out, c.asking == 1
					   ? ": a request that hangs, or that waits on purpose"
					   : ": requests that hang, or that wait on purpose");
		return true;
	}
	buffer_format(out, ", and its %u connections to ", c.made);
	socket_put_peer(out, c.server);
	buffer_string(out, " are at rest");
	return true;
}
