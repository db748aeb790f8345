/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's data about one socket, from netlink or a table in /proc/PID/net. Plain values, so
 * that readers need to know neither format.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

/* For a TCP connection; `has` has no bit for a member that the kernel did not report. */
enum socket_tcp_has {
	SOCKET_TCP_RTT = 1,
	SOCKET_TCP_RETRANSMITS = 2, /* since it was established */
	SOCKET_TCP_TIMES = 4,
	SOCKET_TCP_BYTES = 8,
	SOCKET_TCP_SENT = 16, /* bytes_sent: without it, it is unknown whether anything was sent */
	SOCKET_TCP_WAITING = 32,
	SOCKET_TCP_OPENER = 64,
};

struct socket_tcp {
	unsigned has; /* enum socket_tcp_has */
	uint32_t rtt_us, rtt_variance_us;
	uint32_t retransmits, retransmits_waiting;
	uint32_t sent_ago_ms, received_ago_ms;
	uint64_t acknowledged_bytes, received_bytes, sent_bytes;
	bool is_opened_here;
};

struct socket_fact {
	uint64_t inode;
	uint64_t peer_inode;	/* of a unix socket; 0: none, or unknown */
	uint64_t receive_queue; /* bytes; of a listening socket: waiting connections */
	uint64_t send_queue;	/* bytes; of a listening socket: the limit of waiting connections */
	int family;		/* AF_* */
	int type;		/* SOCK_*; 0: implied by the protocol */
	int protocol;		/* IPPROTO_*, NETLINK_*, ETH_P_* */
	uint32_t interface;	/* index: of a packet socket, or of an address's scope; 0: any */
	uint32_t local_id, peer_id; /* netlink: port ids */
	uint16_t local_port, peer_port;
	uint8_t state; /* enum sockets_state */
	bool has_receive_queue, has_send_queue, has_dropped;
	uint64_t dropped;		   /* packets, of a listening socket connections */
	unsigned char local[16], peer[16]; /* inet: 4 bytes, inet6: 16, as on the wire */
	struct span name; /* name of a unix socket, borrowed; an abstract one begins with NUL */
	/* Inodes (uint32_t) of sockets whose connection waits for a listening unix socket to accept
	 * it; borrowed, and empty if not requested. */
	struct span pending;
	struct socket_tcp tcp;
};

typedef void (*socket_fact_consumer)(void *user, const struct socket_fact *fact);
