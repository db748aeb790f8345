/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "sockets". */
#ifndef SOOTH_ANALYZE_SOCKET_ROWS_H
#define SOOTH_ANALYZE_SOCKET_ROWS_H

#include "model/row_list.h"
#include "probes/sockets.h"

#define SOCKET_ROW(F, S)                                                                           \
	F(S, ALSO, U32, socket.record.pid, pid, ALWAYS, "process id in the initial pid namespace") \
	F(S, ALSO, U32, socket.fd, fd, ALWAYS,                                                     \
		"lowest file descriptor of the process for the socket")                            \
	F(S, NAMED, TEXT, family_protocol, protocol, MAYBE(family_protocol_state),                 \
		"protocol of the socket: tcp, tcp6, udp, unix stream, netlink route, ...",         \
		.is_key = true)                                                                    \
	F(S, ALSO, ENUM8, socket.state, state, WITH(socket.state_state),                           \
		"TCP state of the socket; null: unbound, or made in another network "              \
		"namespace",                                                                       \
		.names = &socket_state_names)                                                      \
	F(S, NAMED, TEXT, local_end, local, MAYBE(local_end_state), "local address of the socket", \
		.is_key = true, .may_shrink = true)                                                \
	F(S, NAMED, TEXT, peer_end, peer, MAYBE(peer_end_state),                                   \
		"peer address of the socket; [INODE]: an unnamed unix socket", .is_key = true,     \
		.may_shrink = true)                                                                \
	F(S, TEXT, label, MAYBE(label_state), "known name of the service at the peer address",     \
		.may_shrink = true)                                                                \
	F(S, ALSO, U64, socket.receive_queue_bytes, receive_queue,                                 \
		WITH(socket.receive_queue_state),                                                  \
		"bytes received and not read (end of a TCP stream: 1 byte); listening socket: "    \
		"connections to accept",                                                           \
		.label = "IN-Q")                                                                   \
	F(S, ALSO, U64, socket.send_queue_bytes, send_queue, WITH(socket.send_queue_state),        \
		"bytes sent and not acknowledged, or their memory; listening socket: maximum of "  \
		"waiting connections",                                                             \
		.label = "OUT-Q")                                                                  \
	F(S, ALSO, U64, socket.rtt_ns, rtt_ns, WITH(socket.rtt_state),                             \
		"smoothed round-trip time of the connection", .label = "RTT",                      \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, ALSO, U32, socket.retransmits, retransmits, WITH(socket.retransmits_state),           \
		"segments retransmitted on this connection", .label = "RETR")                      \
	F(S, ALSO, U64, socket.sent_ago_ns, sent_ago_ns, WITH(socket.sent_state),                  \
		"time since the socket last sent data; null: never", .label = "SENT",              \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, ALSO, U64, socket.received_ago_ns, received_ago_ns, WITH(socket.received_state),      \
		"time since the socket last received data; null: never", .label = "GOT",           \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, ALSO, U32, socket.fd_count, fd_count, ALWAYS,                                         \
		"number of file descriptors of the process for the socket", .is_hidden = true)     \
	F(S, ALSO, ENUM8, socket.family, family, ALWAYS, "address family of the socket",           \
		.is_hidden = true, .names = &socket_family_names)                                  \
	F(S, ALSO, TEXT, socket.local, local_address, WITH(socket.local_state),                    \
		"local address without the port", .is_hidden = true)                               \
	F(S, ALSO, U16, socket.local_port, local_port, WITH(socket.port_state),                    \
		"local port of the socket; raw socket: protocol number", .is_hidden = true)        \
	F(S, ALSO, TEXT, socket.peer, peer_address, WITH(socket.peer_state),                       \
		"peer address without the port", .is_hidden = true)                                \
	F(S, ALSO, U16, socket.peer_port, peer_port, WITH(socket.peer_port_state),                 \
		"port that the socket is connected to", .is_hidden = true)                         \
	F(S, ALSO, U64, socket.rtt_variance_ns, rtt_variance_ns, WITH(socket.rtt_state),           \
		"variation of the round-trip time", .is_hidden = true, .unit = SOOTH_UNIT_NS)      \
	F(S, ALSO, U32, socket.retransmits_waiting, retransmits_waiting,                           \
		WITH(socket.waiting_state),                                                        \
		"retransmissions of the data that is still unacknowledged", .is_hidden = true)     \
	F(S, ALSO, U64, socket.sent_bytes, sent_bytes, WITH(socket.bytes_state),                   \
		"bytes sent and acknowledged by the peer (SYN and FIN count 1 byte each)",         \
		.is_hidden = true, .unit = SOOTH_UNIT_BYTES)                                       \
	F(S, ALSO, U64, socket.received_bytes, received_bytes, WITH(socket.bytes_state),           \
		"bytes received in order (FIN counts 1 byte)", .is_hidden = true,                  \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, ALSO, U64, socket.inode, inode, ALWAYS,                                               \
		"inode number of the socket, unique on the host", .is_hidden = true)               \
	F(S, ALSO, U64, socket.peer_inode, peer_inode, ALWAYS,                                     \
		"inode number of the peer of a unix socket; 0: none or unknown",                   \
		.is_hidden = true)                                                                 \
	F(S, ALSO, U64, socket.namespace, namespace, WITH(socket.namespace_state),                 \
		"inode of the network namespace of the process", .is_hidden = true)                \
	F(S, ALSO, BOOL, socket.is_from_tables, is_from_tables, ALWAYS,                            \
		"the socket was read from /proc/PID/net, without details of sock_diag",            \
		.is_hidden = true)                                                                 \
	F(S, U64, unnamed_inode, MAYBE(unnamed_state),                                             \
		"inode number of the socket if its addresses do not identify it", .is_key = true,  \
		.is_hidden = true)

struct socket_row {
	struct sockets_socket socket; /* with the texts local_address, peer_address and protocol */
	ROW_MEMBERS(SOCKET_ROW, socket_row)
};

#define SOCKET_STATE_ROW(F, S)                                                                     \
	F(S, TEXT, name, ALWAYS, "protocol and state of the sockets", .is_hidden = true)           \
	F(S, PID)                                                                                  \
	F(S, TEXT, protocol, ALWAYS, "protocol of the sockets: tcp, tcp6, udp, unix stream, ...",  \
		.is_key = true)                                                                    \
	F(S, ENUM8, state, MAYBE(state_state), "TCP state of the sockets; null: unknown",          \
		.is_key = true, .names = &socket_state_names)                                      \
	F(S, U64, count, ALWAYS, "number of sockets with this protocol and state")

struct socket_state_row {
	struct sooth_record record;
	ROW_MEMBERS(SOCKET_STATE_ROW, socket_state_row)
};

/* The result of a snapshot: the state says why nothing, or not everything, was read. */
#define SOCKET_PROCESS_ROW(F, S)                                                                   \
	F(S, PID)                                                                                  \
	F(S, U32, sockets, MAYBE(sockets_state), "number of sockets of the process that are listed")

struct socket_process_row {
	struct sooth_record record;
	ROW_MEMBERS(SOCKET_PROCESS_ROW, socket_process_row)
};

extern const struct sooth_schema socket_schema;
extern const struct sooth_schema socket_state_schema;
extern const struct sooth_schema socket_process_schema;

#endif
