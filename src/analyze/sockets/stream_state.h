/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a TCP connection that a process made stands, from one or two readings of it: whose turn
 * it is, and for how long nothing has happened. It judges nothing: a silent connection may be
 * as it should be.
 *
 * Where data was received last, an answer that is complete and one that stopped in the middle
 * look alike. Where data was sent last, that may be a request, or a word that wants no answer
 * (an acknowledgement in HTTP/2, a ping's echo), which follows what it answers at once: so what
 * was sent counts as a request only `gap_ns` after what was received.
 */
#ifndef SOOTH_ANALYZE_STREAM_STATE_H
#define SOOTH_ANALYZE_STREAM_STATE_H

#include <stdbool.h>

#include "probes/sockets.h"

enum stream_turn {
	STREAM_NONE,	  /* no connection of TCP that it made and that stands */
	STREAM_UNTOLD,	  /* times or queues were not told */
	STREAM_QUIET,	  /* what came last is read, and nothing is asked: complete, or stopped */
	STREAM_REQUESTED, /* all is sent and acknowledged, and nothing came since */
	STREAM_UNSENT,	  /* the peer takes no more */
	STREAM_UNREAD,	  /* the process does not read what has come */
	STREAM_LOST,	  /* what was sent is sent again and again */
	STREAM_TURNS,
};

struct stream_limits {
	uint64_t gap_ns;
	uint32_t retransmits; /* of the same data, until it counts as lost */
};

struct stream_state {
	enum stream_turn turn;
	uint64_t for_ns;	 /* it has been so for that long, or longer; 0 also: it moves */
	uint64_t interval_ns;	 /* between the readings; 0: there was one */
	uint64_t came, went;	 /* bytes meanwhile */
	bool has_come, has_sent; /* ever; else the times are since the connection stood */
};

/* `first` NULL: there was one reading, or the connection is newer. */
struct stream_state stream_state_of(const struct sockets_socket *first,
	const struct sockets_socket *last, const struct stream_limits *limits);

#endif
