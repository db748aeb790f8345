/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of a process that get no answer. Connects come from snapshots of its sockets, which also
 * show a connect that began before the observation and has not returned. Datagrams come from its
 * calls: the process sends to a UDP peer, waits for the answer with a time limit, and nothing
 * comes. Datagrams that are only sent (statistics, log lines) are not among them.
 */
#pragma once

#include "analyze/diagnosis/check.h"

struct unanswered {
	uint32_t sockets;     /* sockets in SYN_SENT at the last sample */
	uint32_t retransmits; /* retransmitted SYNs of the socket with most of these */
	uint32_t fd;	      /* descriptor of that socket */
	uint32_t is_again; /* another socket was in SYN_SENT at the first sample; none connected */
	uint64_t for_ns;   /* time without answer, at least; 0: the SYN may be new */
};

/* Fills `out` with struct call_path (the address) -> struct unanswered. Call map_fini() afterwards.
 */
void unanswered_read(struct map *out, const struct check *e);

#define DATAGRAM_PROTOCOL "UDP"

struct datagram_requests {
	uint64_t sent, waits; /* waits: those for an answer that timed out */
	uint64_t first_ns, last_ns;
	int32_t fd;
	const char *connection; /* "UDP 127.0.0.1:4000→127.0.0.1:53"; not escaped */
};

/* Finds the descriptor with the most requests. Returns false if there is none. */
bool datagram_requests_find(struct datagram_requests *r, const struct call_history *h);
/* "127.0.0.1:53", or the whole connection where the peer is unknown. */
const char *datagram_requests_peer(const struct datagram_requests *r);
