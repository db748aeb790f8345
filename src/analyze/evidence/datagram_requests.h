/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams that a process sends again and again without an answer, by its calls: it sends to a UDP
 * peer, waits for the answer with a time limit, and nothing comes. Datagrams that are only sent
 * (statistics, log lines) are not among them, because the process does not wait for an answer.
 */
#ifndef SOOTH_ANALYZE_DATAGRAM_REQUESTS_H
#define SOOTH_ANALYZE_DATAGRAM_REQUESTS_H

#include "analyze/calls/call_history.h"

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

#endif
