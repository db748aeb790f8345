/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A UDP socket whose answer does not come: a name lookup, or a datagram that a thread waits for.
 * The kernel keeps no times of UDP sockets, so the time is that of the waiting thread, or that
 * between two snapshots with the same socket. A server waits the same way: a socket without a peer
 * counts only if its port is one that the kernel chose.
 */
#ifndef SOOTH_ANALYZE_DATAGRAM_WAIT_H
#define SOOTH_ANALYZE_DATAGRAM_WAIT_H

#include "analyze/evidence/awaited.h"
#include "probes/sockets.h"

struct datagram_wait {
	const struct sockets_socket *socket;
	bool is_lookup; /* the peer is a name server */
	bool is_whole;	/* the socket was there at the first snapshot too */
	bool has_peer;
	uint64_t for_ns; /* least time of the wait */
	struct awaited awaited;
};

/* Finds the longest wait. Returns false if there is none. */
bool datagram_wait_find(struct datagram_wait *w, const struct check *e);

#endif
