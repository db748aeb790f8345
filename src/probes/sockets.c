/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the sockets probe. */
#include "probes/sockets.h"

#include "model/probe.h"
#include "model/schema.h"
#include "probes/socket_names.h"

#define OF_AS(member_, name_, state_, help_, ...)                                                  \
	FIELD_NUMBER_AS(sockets_socket, member_, name_, help_,                                     \
		FIELD_STATE_AT(sockets_socket, state_), ##__VA_ARGS__)
#define OF(member_, state_, help_, ...) OF_AS(member_, member_, state_, help_, ##__VA_ARGS__)
#define HIDDEN(member_, state_, help_, ...)                                                        \
	OF(member_, state_, help_, .is_hidden = true, ##__VA_ARGS__)

static const struct sooth_field socket_fields[] = {
	FIELD_PID(sockets_socket),
	FIELD_NUMBER(sockets_socket, fd, "lowest file descriptor of the process for the socket"),
	FIELD_NUMBER(sockets_socket, fd_count,
		"number of file descriptors of the process for the socket", .is_hidden = true),
	FIELD_OF(ENUM, sockets_socket, family, family, "address family of the socket",
		.names = &socket_family_names),
	FIELD_WITH(TEXT, sockets_socket, protocol, protocol_state,
		"protocol of the socket; unix: its type; netlink: its family"),
	FIELD_WITH(ENUM, sockets_socket, state, state_state,
		"TCP state of the socket; null: unbound, or made in another network namespace",
		.names = &socket_state_names),
	FIELD_AS_WITH(TEXT, sockets_socket, local, local_address, local_state,
		"local address of the socket; unix: its path or name", .placeholder = "file"),
	OF(local_port, port_state, "local port of the socket; raw socket: protocol number"),
	FIELD_AS_WITH(TEXT, sockets_socket, peer, peer_address, peer_state,
		"address that the socket is connected to", .placeholder = "file"),
	OF(peer_port, peer_port_state, "port that the socket is connected to"),
	OF_AS(receive_queue_bytes, receive_queue, receive_queue_state,
		"bytes received and not read (end of a TCP stream: 1 byte); listening socket: "
		"connections to accept; unix datagram: size of the first",
		.unit = SOOTH_UNIT_NONE),
	OF_AS(send_queue_bytes, send_queue, send_queue_state,
		"bytes sent and not acknowledged, or their memory; listening socket: maximum of "
		"waiting connections",
		.unit = SOOTH_UNIT_NONE),
	OF(rtt_ns, rtt_state, "smoothed round-trip time of the TCP connection",
		.unit = SOOTH_UNIT_NS),
	HIDDEN(rtt_variance_ns, rtt_state, "variation of the round-trip time of the TCP connection",
		.unit = SOOTH_UNIT_NS),
	OF(retransmits, retransmits_state, "TCP segments retransmitted on this connection"),
	HIDDEN(retransmits_waiting, waiting_state,
		"retransmissions of the data that is still unacknowledged"),
	OF(sent_ago_ns, sent_state, "time since the socket last sent data; null: never",
		.unit = SOOTH_UNIT_NS),
	OF(received_ago_ns, received_state, "time since the socket last received data; null: never",
		.unit = SOOTH_UNIT_NS),
	HIDDEN(sent_bytes, bytes_state,
		"bytes sent and acknowledged by the peer (SYN and FIN count 1 byte each)",
		.unit = SOOTH_UNIT_BYTES),
	HIDDEN(received_bytes, bytes_state, "bytes received in order (FIN counts 1 byte)",
		.unit = SOOTH_UNIT_BYTES),
	OF(dropped, dropped_state,
		"packets that the socket dropped since it was made: its receive queue was full, or "
		"they were damaged; listening socket: connections"),
	FIELD_NUMBER(sockets_socket, inode, "inode number of the socket, unique on the host",
		.is_hidden = true),
	FIELD_NUMBER(sockets_socket, peer_inode,
		"inode number of the peer of a unix socket; 0: none or unknown", .is_hidden = true),
	HIDDEN(namespace, namespace_state, "inode number of the process's network namespace"),
	FIELD_OF(ENUM, sockets_socket, side, side, "client or server side of the TCP connection",
		.names = &socket_side_names, .is_hidden = true),
	FIELD_OF(ENUM, sockets_socket, opener, opener, "end that opened the TCP connection",
		.names = &socket_opener_names, .is_hidden = true),
	FIELD_TRUTH(sockets_socket, is_from_tables,
		"the socket was read from /proc/PID/net, without details of sock_diag",
		.is_hidden = true),
};

RECORD_SCHEMA(sockets_socket, 200, "sockets.socket", SOCKETS_SOCKET, SAMPLE, socket_fields);

static const struct sooth_field process_fields[] = {
	FIELD_PID(sockets_process),
	FIELD_WITH(UNSIGNED, sockets_process, sockets, sockets_state,
		"number of sockets of the process that are listed"),
};

RECORD_SCHEMA(sockets_process, 40, "sockets.process", SOCKETS_PROCESS, SAMPLE, process_fields);

static const struct sooth_schema *const schemas[] = { &sockets_socket_schema,
	&sockets_process_schema, NULL };

const struct probe probe_sockets = {
	.name = "sockets",
	.help = "sockets of processes: state, addresses, queues, round trips, times",
	.offers = INTEREST_SAMPLE | INTEREST_DETAIL | INTEREST_BRIEF,
	.schemas = schemas,
};
