/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/activity/activity_request.h"

#include <assert.h>

#include "analyze/records.h"
#include "analyze/sockets/stream_state.h"
#include "base/units.h"

#define GAP_NS	    (100 * NS_PER_MS) /* the same value as in the finding stream-stalled */
#define RETRANSMITS 5
#define RECENT_NS   (2 * NS_PER_S) /* data younger than that: the answer still comes */
/* A server sends data to open a connection (TLS session tickets, HTTP/2 settings) within a round
 * trip after the first request. Such data is no answer. */
#define OPENING_NS (500 * NS_PER_MS)

/* Returns whether the other end is a process of the same session, such as an MCP server. */
static bool is_within(const struct host_state *host, const struct process_entry *worker,
	const struct sockets_socket *s)
{
	snapshots_for_each (&host->sockets, snapshot) {
		const struct process_entry *p =
			process_table_get(&host->process_table, &snapshot->id);
		struct batch records = snapshot_records(snapshot);

		if (!p || p == worker || p->main != worker->main)
			continue;
		batch_for_each (r, &records) {
			const struct sockets_socket *o =
				record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

			if (o && o->local_port == s->peer_port && o->peer_port == s->local_port &&
				o->namespace == s->namespace)
				return true;
		}
	}
	return false;
}

static enum activity_request_state state_of(
	const struct stream_state *s, const struct sockets_socket *socket)
{
	switch (s->turn) {
	case STREAM_REQUESTED:
	case STREAM_LOST:
	case STREAM_UNSENT:
		return ACTIVITY_REQUEST_SENT;
	case STREAM_UNREAD:
		return ACTIVITY_REQUEST_ANSWERED;
	default:
		return s->has_come && socket->received_ago_ns < RECENT_NS
			       ? ACTIVITY_REQUEST_ANSWERED
			       : ACTIVITY_REQUEST_NONE;
	}
}

static void add_socket(struct activity_request *request, const struct sockets_socket *socket,
	const struct stream_state *s)
{
	enum activity_request_state is = state_of(s, socket);
	uint64_t for_ns = is == ACTIVITY_REQUEST_NONE ? s->for_ns : socket->sent_ago_ns;

	/* if several connections have the same state, the one used last counts */
	if (request->socket &&
		(is < request->is || (is == request->is && for_ns >= request->for_ns)))
		return;
	request->is = is;
	request->socket = socket;
	request->has_for = s->has_sent;
	request->for_ns = for_ns;
	request->silence_ns = socket->received_ago_ns;
	request->has_answer = s->has_come && s->has_sent &&
			      socket->sent_ago_ns >= socket->received_ago_ns + OPENING_NS;
	request->has_no_data =
		s->has_sent && (!s->has_come || socket->received_ago_ns >= socket->sent_ago_ns);
}

void activity_request_find(struct activity_request *request, const struct host_state *host,
	const struct process_entry *worker)
{
	assert(host);
	assert(worker);

	static const struct stream_limits limits = { .gap_ns = GAP_NS, .retransmits = RETRANSMITS };
	const struct snapshot *snapshot = snapshots_get(&host->sockets, &worker->id);
	const struct sockets_process *end = snapshot ? snapshot_end(snapshot, sizeof(*end)) : NULL;
	struct batch records;
	bool is_unknown = false;

	assert(request);
	*request = (struct activity_request){ .is = ACTIVITY_REQUEST_UNSEEN,
		.state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED) };
	if (!end || end->sockets_state > SOOTH_STATE_TRUNCATED) {
		request->state = end ? end->sockets_state : request->state;
		return;
	}
	records = snapshot_records(snapshot);
	request->is = ACTIVITY_REQUEST_NONE;
	batch_for_each (r, &records) {
		const struct sockets_socket *socket =
			record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);
		struct stream_state s = { .turn = STREAM_NONE };

		if (socket)
			s = stream_state_of(NULL, socket, &limits);
		is_unknown |= s.turn == STREAM_UNKNOWN;
		if (s.turn > STREAM_UNKNOWN && !is_within(host, worker, socket))
			add_socket(request, socket, &s);
	}
	if (!request->socket && is_unknown) {
		request->is = ACTIVITY_REQUEST_UNSEEN;
		request->state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	}
}
