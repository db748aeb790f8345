/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/datagram_wait.h"

#include <assert.h>

#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"

#define PORT_DOMAIN 53
#define PORT_CHOSEN 32768 /* first port of the default range from which the kernel chooses */

static const struct sockets_socket *udp_of(const struct sooth_record *r)
{
	const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

	return s && socket_is_inet(s) && span_equal(record_text(&s->record, &s->protocol), "udp")
		       ? s
		       : NULL;
}

/* Returns whether the process is a name server, which asks other servers for its own clients. */
static bool is_name_server(const struct batch *all)
{
	batch_for_each (r, all) {
		const struct sockets_socket *s = udp_of(r);

		if (s && !s->port_state && s->local_port == PORT_DOMAIN)
			return true;
	}
	return false;
}

/* Returns the time since the first sample with that socket; 0: only the last sample has it. */
static uint64_t seen_ns(const struct socket_index *first, const struct sockets_socket *socket)
{
	const struct sockets_socket *s = socket_index_get(first, socket->inode);
	bool is_same = s && udp_of(&s->record) && s->record.time_ns < socket->record.time_ns;

	return is_same ? socket->record.time_ns - s->record.time_ns : 0;
}

static bool wait_of(struct datagram_wait *w, const struct check *e,
	const struct socket_index *first, const struct sockets_socket *s)
{
	bool has_peer = !s->peer_port_state && !s->peer_state && s->peer_port;
	uint64_t seen = seen_ns(first, s);
	bool is_thread_waiting;

	*w = (struct datagram_wait){ .socket = s,
		.has_peer = has_peer,
		.is_lookup = has_peer && s->peer_port == PORT_DOMAIN,
		.awaited = awaited_of(e, s->fd) };
	is_thread_waiting = w->awaited.is_blocked || w->awaited.is_polled;
	w->is_whole = seen && is_thread_waiting && !w->awaited.has_run;
	w->for_ns = is_thread_waiting ? w->awaited.for_ns : 0;
	if (w->is_lookup && w->is_whole && seen > w->for_ns)
		w->for_ns = seen;
	if (s->receive_queue_state || s->receive_queue_bytes)
		return false;
	return w->is_lookup ? is_thread_waiting
			    : is_thread_waiting && !s->port_state &&
				      (has_peer || s->local_port >= PORT_CHOSEN);
}

bool datagram_wait_find(struct datagram_wait *w, const struct check *e)
{
	assert(e);

	const struct snapshot *last = check_last(e, &e->input->sockets);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };
	struct datagram_wait best = { 0 }, one;
	struct socket_index first;

	if (is_name_server(&all))
		return false;
	socket_index_init(&first, check_first(e, &e->input->sockets));
	batch_for_each (r, &all) {
		const struct sockets_socket *s = udp_of(r);

		if (s && wait_of(&one, e, &first, s) && (!best.socket || one.for_ns > best.for_ns))
			best = one;
	}
	socket_index_fini(&first);
	*w = best;
	return best.socket;
}
