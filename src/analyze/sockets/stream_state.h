/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a TCP connection that a process opened, from one or two snapshots: which side must
 * act next, and for how long nothing has happened. It is no diagnosis: a silent connection may be
 * fine.
 *
 * If data was received last, a complete answer and one that stopped in the middle look alike. If
 * data was sent last, it may be a request, or something that needs no answer (an acknowledgment in
 * HTTP/2, the echo of a ping), which is sent right after what it answers: so sent data counts as a
 * request only `gap_ns` after the last received data.
 */
#pragma once

#include <stdbool.h>

#include "probes/sockets.h"

enum stream_turn {
	STREAM_NONE,	/* not an established TCP connection that the process opened */
	STREAM_UNKNOWN, /* times or queues are unknown */
	STREAM_QUIET,	/* everything received is read, no request is open: complete, or stopped */
	STREAM_REQUESTED, /* everything is sent and acknowledged, nothing received since */
	STREAM_UNSENT,	  /* the peer accepts no more data */
	STREAM_UNREAD,	  /* the process does not read what it received */
	STREAM_LOST,	  /* the sent data is retransmitted again and again */
	STREAM_TURNS,
};

struct stream_limits {
	uint64_t gap_ns;
	/* A thread waits for data: then sent data is a request even within the gap. */
	bool is_awaited;
	uint32_t retransmits; /* retransmits of the same data from which it counts as lost */
};

struct stream_state {
	enum stream_turn turn;
	uint64_t for_ns;      /* least time in this state; 0 also if data moves */
	uint64_t interval_ns; /* between the snapshots; 0: one snapshot */
	uint64_t came, went;  /* bytes between the snapshots */
	bool may_be_request;  /* the last data may be a request, if the stream is quiet: it was sent
				 within the gap after the last receipt */
	bool has_come, has_sent; /* data was ever received, sent; else times count from connect */
};

/* Returns the state of a connection. `first` NULL: one snapshot only, or the connection is newer
 * than the first. */
struct stream_state stream_state_of(const struct sockets_socket *first,
	const struct sockets_socket *last, const struct stream_limits *limits);
