/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/sockets/stream_state.h"

#include <assert.h>

#include "analyze/records.h"
#include "analyze/sockets/socket_text.h"

static bool is_established_by_process(const struct sockets_socket *s)
{
	return s->state_state == SOOTH_STATE_VALUE && s->state == SOCKETS_ESTABLISHED &&
	       s->side != SOCKETS_SIDE_ACCEPTED && socket_is_inet(s) &&
	       span_equal(record_text(&s->record, &s->protocol), "tcp");
}

/* Returns whether all values are known, or absent because no data was moved. */
static bool is_reported(const struct sockets_socket *s)
{
	return s->sent_state <= SOOTH_STATE_ABSENT && s->received_state <= SOOTH_STATE_ABSENT &&
	       s->bytes_state == SOOTH_STATE_VALUE && s->waiting_state == SOOTH_STATE_VALUE &&
	       s->receive_queue_state == SOOTH_STATE_VALUE &&
	       s->send_queue_state == SOOTH_STATE_VALUE;
}

static uint64_t read_bytes(const struct sockets_socket *s)
{
	return s->received_bytes - s->receive_queue_bytes;
}

/* Returns the least time for which the pending data was not read. Without a read between two
 * snapshots, that is the time since the data pending at the first snapshot arrived. One snapshot
 * proves nothing: a slow reader has a full queue too. */
static uint64_t unread_ns(
	const struct sockets_socket *first, const struct sockets_socket *last, uint64_t interval_ns)
{
	if (!first || !interval_ns)
		return 0;
	if (!first->receive_queue_bytes)
		return last->received_ago_ns;
	return read_bytes(first) == read_bytes(last) ? interval_ns + first->received_ago_ns : 0;
}

static bool is_last_data_request(const struct stream_state *state,
	const struct sockets_socket *last, const struct stream_limits *limits)
{
	uint64_t gap_ns = limits->is_awaited ? 0 : limits->gap_ns;

	if (!state->has_sent)
		return limits->is_awaited && !state->has_come;
	return !state->has_come || last->received_ago_ns >= last->sent_ago_ns + gap_ns;
}

static void find_turn(struct stream_state *state, const struct sockets_socket *first,
	const struct sockets_socket *last, const struct stream_limits *limits)
{
	if (last->retransmits_waiting >= limits->retransmits) {
		state->turn = STREAM_LOST;
		state->for_ns = last->received_ago_ns;
	} else if (last->receive_queue_bytes) {
		state->turn = STREAM_UNREAD;
		state->for_ns = unread_ns(first, last, state->interval_ns);
	} else if (last->send_queue_bytes) {
		/* While data is acknowledged or retransmitted, it moves, or the loss will show. */
		state->turn = STREAM_UNSENT;
		state->for_ns = state->went || last->retransmits_waiting ? 0 : last->sent_ago_ns;
	} else if (is_last_data_request(state, last, limits)) {
		state->turn = STREAM_REQUESTED;
		state->for_ns = last->sent_ago_ns;
	} else {
		state->turn = STREAM_QUIET;
		state->may_be_request =
			state->has_sent && last->sent_ago_ns <= last->received_ago_ns;
		state->for_ns = state->has_sent && last->sent_ago_ns < last->received_ago_ns
					? last->sent_ago_ns
					: last->received_ago_ns;
	}
}

struct stream_state stream_state_of(const struct sockets_socket *first,
	const struct sockets_socket *last, const struct stream_limits *limits)
{
	struct stream_state state = { .turn = STREAM_NONE };

	assert(last);
	if (!is_established_by_process(last))
		return state;
	state.turn = STREAM_UNKNOWN;
	if (!is_reported(last))
		return state;
	if (first && !is_reported(first))
		first = NULL;
	state.has_come = last->received_state == SOOTH_STATE_VALUE;
	state.has_sent = last->sent_state == SOOTH_STATE_VALUE;
	if (first && first != last) {
		state.interval_ns = last->record.time_ns - first->record.time_ns;
		state.came = last->received_bytes - first->received_bytes;
		state.went = last->sent_bytes - first->sent_bytes;
	}
	find_turn(&state, first, last, limits);
	return state;
}
