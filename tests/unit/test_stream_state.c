/* SPDX-License-Identifier: BSD-2-Clause */
/* How a connection stands, from one or two readings of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "analyze/records.h"
#include "analyze/sockets/stream_state.h"
#include "base/units.h"

static const struct stream_limits limits = { .gap_ns = 100 * NS_PER_MS, .retransmits = 5 };

/* A record whose protocol stands behind it, as in a stream. */
struct told {
	struct sockets_socket socket;
	char protocol[8];
};

static struct told connection(uint64_t sent_ago_ms, uint64_t received_ago_ms)
{
	struct told t = { .socket = { .record = { .time_ns = 100 * NS_PER_S,
					      .kind = SOCKETS_SOCKET,
					      .words = sizeof(struct told) / SOOTH_RECORD_WORD,
					      .fixed_words = sizeof(struct sockets_socket) /
							     SOOTH_RECORD_WORD },
				  .family = SOCKETS_INET,
				  .state = SOCKETS_ESTABLISHED,
				  .side = SOCKETS_SIDE_MADE,
				  .sent_ago_ns = sent_ago_ms * NS_PER_MS,
				  .received_ago_ns = received_ago_ms * NS_PER_MS,
				  .sent_bytes = 1000,
				  .received_bytes = 5000,
				  .protocol = { offsetof(struct told, protocol), 3 } },
		.protocol = "tcp" };

	return t;
}

static struct stream_state alone(const struct told *t)
{
	return stream_state_of(NULL, &t->socket, &limits);
}

static void assert_state(struct stream_state s, enum stream_turn turn, uint64_t for_ms)
{
	assert_int_equal(s.turn, turn);
	assert_int_equal(s.for_ns / NS_PER_MS, for_ms);
}

/* --- whose turn it is --- */

static void test_requested(void **state)
{
	struct told t = connection(40000, 41000);

	(void)state;
	assert_state(alone(&t), STREAM_REQUESTED, 40000);
	/* Nothing ever came. */
	t = connection(40000, 40000);
	t.socket.received_state = SOOTH_STATE_ABSENT;
	assert_state(alone(&t), STREAM_REQUESTED, 40000);
	assert_false(alone(&t).has_come);
}

/* Who answers within the gap acknowledges; exactly the gap is a request. */
static void test_gap(void **state)
{
	struct told t = connection(40000, 40099);

	(void)state;
	assert_state(alone(&t), STREAM_QUIET, 40000);
	t = connection(40000, 40100);
	assert_state(alone(&t), STREAM_REQUESTED, 40000);
	t = connection(40000, 40000);
	assert_state(alone(&t), STREAM_QUIET, 40000);
}

/* A thread that waits for data has asked, however soon after the last data. */
static void test_awaited(void **state)
{
	struct stream_limits awaited = limits;
	struct told t = connection(40000, 40000);

	(void)state;
	awaited.is_awaited = true;
	assert_true(alone(&t).may_be_request);
	assert_state(stream_state_of(NULL, &t.socket, &awaited), STREAM_REQUESTED, 40000);
	/* Data came last. */
	t = connection(40001, 40000);
	assert_state(stream_state_of(NULL, &t.socket, &awaited), STREAM_QUIET, 40000);
	assert_false(alone(&t).may_be_request);
	/* Neither side has sent anything. */
	t.socket.sent_state = t.socket.received_state = SOOTH_STATE_ABSENT;
	assert_int_equal(stream_state_of(NULL, &t.socket, &awaited).turn, STREAM_REQUESTED);
	assert_int_equal(alone(&t).turn, STREAM_QUIET);
}

static void test_quiet(void **state)
{
	struct told t = connection(41000, 40000);

	(void)state;
	assert_state(alone(&t), STREAM_QUIET, 40000);
	/* The server spoke first, and nothing was asked. */
	t = connection(50000, 40000);
	t.socket.sent_state = SOOTH_STATE_ABSENT;
	assert_state(alone(&t), STREAM_QUIET, 40000);
	assert_false(alone(&t).has_sent);
}

/* --- queues --- */

static void test_unread(void **state)
{
	struct told first = connection(60000, 3000), last = connection(65000, 8000);
	struct stream_state s;

	(void)state;
	first.socket.record.time_ns -= 5 * NS_PER_S;
	first.socket.receive_queue_bytes = last.socket.receive_queue_bytes = 100;
	assert_state(stream_state_of(&first.socket, &last.socket, &limits), STREAM_UNREAD, 8000);
	/* More came, and nothing was read. */
	last.socket.received_bytes += 50;
	last.socket.receive_queue_bytes += 50;
	last.socket.received_ago_ns = 0;
	s = stream_state_of(&first.socket, &last.socket, &limits);
	assert_state(s, STREAM_UNREAD, 8000);
	assert_int_equal(s.came, 50);
	/* A byte was read: it moves, though all had come long ago. */
	last = connection(65000, 8000);
	last.socket.receive_queue_bytes = 99;
	assert_state(stream_state_of(&first.socket, &last.socket, &limits), STREAM_UNREAD, 0);
	/* One reading tells nothing. */
	assert_state(alone(&last), STREAM_UNREAD, 0);
	/* It came meanwhile. */
	first.socket.receive_queue_bytes = 0;
	last.socket.received_ago_ns = 2 * NS_PER_S;
	assert_state(stream_state_of(&first.socket, &last.socket, &limits), STREAM_UNREAD, 2000);
}

static void test_unsent(void **state)
{
	struct told first = connection(35000, 50000), last = connection(40000, 55000);

	(void)state;
	first.socket.record.time_ns -= 5 * NS_PER_S;
	last.socket.send_queue_bytes = 4000;
	assert_state(stream_state_of(&first.socket, &last.socket, &limits), STREAM_UNSENT, 40000);
	assert_state(alone(&last), STREAM_UNSENT, 40000);
	/* Some was acknowledged. */
	last.socket.sent_bytes++;
	assert_state(stream_state_of(&first.socket, &last.socket, &limits), STREAM_UNSENT, 0);
	/* It is sent again, and may arrive. */
	last.socket.sent_bytes--;
	last.socket.retransmits_waiting = 4;
	assert_state(stream_state_of(&first.socket, &last.socket, &limits), STREAM_UNSENT, 0);
	last.socket.retransmits_waiting = 5;
	assert_state(stream_state_of(&first.socket, &last.socket, &limits), STREAM_LOST, 55000);
}

/* --- none, and not told --- */

static void test_none(void **state)
{
	struct told t = connection(40000, 41000);

	(void)state;
	t.socket.side = SOCKETS_SIDE_ACCEPTED;
	assert_int_equal(alone(&t).turn, STREAM_NONE);
	/* An older capture does not tell the side. */
	t.socket.side = SOCKETS_SIDE_UNKNOWN;
	assert_int_equal(alone(&t).turn, STREAM_REQUESTED);
	t.socket.state = SOCKETS_CLOSE_WAIT;
	assert_int_equal(alone(&t).turn, STREAM_NONE);
	t = connection(40000, 41000);
	t.socket.family = SOCKETS_UNIX;
	assert_int_equal(alone(&t).turn, STREAM_NONE);
	t = connection(40000, 41000);
	t.protocol[0] = 'u';
	assert_int_equal(alone(&t).turn, STREAM_NONE);
	t = connection(40000, 41000);
	t.socket.state_state = SOOTH_STATE_ABSENT;
	assert_int_equal(alone(&t).turn, STREAM_NONE);
}

static void test_untold(void **state)
{
	static const size_t states[] = { offsetof(struct sockets_socket, sent_state),
		offsetof(struct sockets_socket, received_state),
		offsetof(struct sockets_socket, bytes_state),
		offsetof(struct sockets_socket, waiting_state),
		offsetof(struct sockets_socket, send_queue_state),
		offsetof(struct sockets_socket, receive_queue_state) };
	struct told first = connection(35000, 36000), last = connection(40000, 41000);

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct told t = last;

		((uint8_t *)&t.socket)[states[i]] = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
		assert_int_equal(alone(&t).turn, STREAM_UNKNOWN);
	}
	/* A connection whose first reading has no values is as if it were new. */
	first.socket.bytes_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	assert_int_equal(stream_state_of(&first.socket, &last.socket, &limits).interval_ns, 0);
	assert_int_equal(alone(&last).interval_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requested),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_awaited),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_unsent),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_untold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
