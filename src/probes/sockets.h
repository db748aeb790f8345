/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockets: the sockets of a process, with the kernel's statistics of each
 * connection, from the network namespace of the process. SOCKETS_PROCESS ends the
 * records of one snapshot.
 */
#pragma once

#include <stddef.h>

#include <sooth/record.h>

enum sockets_kind {
	SOCKETS_SOCKET = 0x0600,
	SOCKETS_PROCESS = 0x0601, /* ends the records of one snapshot */
};

enum sockets_family {
	SOCKETS_OTHER,
	SOCKETS_UNIX,
	SOCKETS_INET,
	SOCKETS_INET6,
	SOCKETS_NETLINK,
	SOCKETS_PACKET,
	SOCKETS_VSOCK,
	SOCKETS_FAMILIES,
};

/* States of TCP; other protocols use those that fit: connected ones ESTABLISHED, others CLOSE. */
enum sockets_state {
	SOCKETS_NO_STATE,
	SOCKETS_ESTABLISHED,
	SOCKETS_SYN_SENT,
	SOCKETS_SYN_RECV,
	SOCKETS_FIN_WAIT_1,
	SOCKETS_FIN_WAIT_2,
	SOCKETS_TIME_WAIT,
	SOCKETS_CLOSE,
	SOCKETS_CLOSE_WAIT,
	SOCKETS_LAST_ACK,
	SOCKETS_LISTEN,
	SOCKETS_CLOSING,
	SOCKETS_NEW_SYN_RECV,
	SOCKETS_STATES,
};

/* The end of a TCP connection that the process has. */
enum sockets_side {
	SOCKETS_SIDE_UNKNOWN, /* no connection, or an older capture */
	SOCKETS_SIDE_MADE,    /* the process connected: no socket listens on the local port */
	SOCKETS_SIDE_ACCEPTED,
	SOCKETS_SIDES,
};

/* The end that opened a TCP connection, whatever listens now. */
enum sockets_opener {
	SOCKETS_OPENER_UNKNOWN, /* no connection, data is under way, or an older capture */
	SOCKETS_OPENER_SELF,
	SOCKETS_OPENER_PEER,
	SOCKETS_OPENERS,
};

struct sockets_socket {
	struct sooth_record record;
	uint64_t inode;
	uint64_t peer_inode;	      /* inode of the peer of a unix socket; 0: none, or unknown */
	uint64_t receive_queue_bytes; /* unread bytes; of a listening socket: connections that wait
				       */
	uint64_t send_queue_bytes; /* unsent bytes; of a listening socket: how many connections may
				      wait */
	uint64_t rtt_ns;
	uint64_t rtt_variance_ns;
	/* Time since data was last sent, and received; if none was: since the connection began. */
	uint64_t sent_ago_ns;
	uint64_t received_ago_ns;
	uint64_t sent_bytes; /* acknowledged by the peer; the kernel counts SYN and FIN as one */
	uint64_t received_bytes;
	uint64_t namespace; /* inode of the network namespace */
	uint32_t fd;	    /* the lowest of the process */
	uint32_t fd_count;
	uint32_t retransmits; /* retransmissions since the connection began */
	/* Retransmissions of the data that is unacknowledged now. */
	uint32_t retransmits_waiting;
	uint16_t local_port, peer_port;
	uint8_t family;		/* enum sockets_family */
	uint8_t state;		/* enum sockets_state */
	uint8_t is_from_tables; /* the record is from /proc/PID/net, without the details of
				   sock_diag */
	/* Absent: the socket is in no table of the namespace, because it is neither bound nor
	 * connected, or was made in another namespace; nothing more is known. */
	uint8_t state_state;
	uint8_t receive_queue_state, send_queue_state;
	/* Only TCP connections have these; absent for other sockets. */
	uint8_t rtt_state; /* state of rtt_ns; also absent: nothing was measured yet */
	uint8_t retransmits_state;
	uint8_t waiting_state;	/* state of retransmits_waiting */
	uint8_t bytes_state;	/* state of sent_bytes, received_bytes */
	uint8_t sent_state;	/* state of sent_ago_ns; also absent: nothing was sent */
	uint8_t received_state; /* state of received_ago_ns; also absent: nothing was received */
	uint8_t local_state, peer_state;     /* absent: unbound, unconnected */
	uint8_t port_state, peer_port_state; /* absent: the family has none */
	uint8_t protocol_state;
	uint8_t namespace_state;
	uint8_t side;		    /* enum sockets_side */
	uint8_t opener;		    /* enum sockets_opener */
	struct sooth_text protocol; /* "tcp", "udp", "stream", "dgram", "seqpacket", "route", ... */
	struct sooth_text local;    /* "127.0.0.1", "fe80::1%eth0", "/run/x", "@abstract" */
	struct sooth_text peer;
	uint64_t dropped; /* packets, connections to a listening socket: since it was made */
	uint8_t dropped_state;
	uint8_t padding[7];
};

struct sockets_process {
	struct sooth_record record;
	uint32_t sockets;      /* number of records */
	uint8_t sockets_state; /* truncated: there are more; else why none could be read */
	uint8_t unused[3];
};

#define SOCKETS_SOCKET_LEAST 184 /* size of the struct in older captures */

_Static_assert(
	SOCKETS_SOCKET_LEAST == offsetof(struct sockets_socket, dropped), "records only grow");
