/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "connections". */
#ifndef SOOTH_ANALYZE_CONNECTION_ROWS_H
#define SOOTH_ANALYZE_CONNECTION_ROWS_H

#include "model/row_list.h"
#include "probes/sockets.h"

#define CONNECTION_ROW(F, S)                                                                       \
	F(S, ALSO, U32, socket.record.pid, pid, ALWAYS, "process id in the initial pid namespace") \
	F(S, TEXT, agent, ALWAYS, "id of the agent that owns the process")                         \
	F(S, TEXT, role, MAYBE(role_state),                                                        \
		"role of the process in its session: main, helper, tool call, ...")                \
	F(S, TEXT, name, ALWAYS, "name of the main thread of the process", .is_hidden = true)      \
	F(S, ALSO, U32, socket.fd, fd, ALWAYS,                                                     \
		"lowest file descriptor of the process for the connection", .is_hidden = true)     \
	F(S, NAMED, TEXT, family_protocol, protocol, ALWAYS,                                       \
		"protocol of the connection: tcp, tcp6, udp, udp6")                                \
	F(S, ALSO, ENUM8, socket.state, state, WITH(socket.state_state), "TCP state",              \
		.names = &socket_state_names)                                                      \
	F(S, NAMED, TEXT, local_end, local, MAYBE(local_end_state), "local address of the socket") \
	F(S, NAMED, TEXT, peer_end, peer, MAYBE(peer_end_state), "peer address of the socket")     \
	F(S, TEXT, label, MAYBE(label_state), "known name of the service at the peer address",     \
		.may_shrink = true)                                                                \
	F(S, ALSO, U64, socket.sent_ago_ns, sent_ago_ns, WITH(socket.sent_state),                  \
		"time since data was last sent on the connection; null: never", .label = "SENT",   \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, ALSO, U64, socket.received_ago_ns, received_ago_ns, WITH(socket.received_state),      \
		"time since data was last received on the connection; null: never",                \
		.label = "GOT", .unit = SOOTH_UNIT_NS)                                             \
	F(S, ALSO, TEXT, socket.peer, peer_address, WITH(socket.peer_state),                       \
		"address without the port", .is_hidden = true)                                     \
	F(S, ALSO, U16, socket.peer_port, peer_port, WITH(socket.peer_port_state),                 \
		"port that the socket is connected to", .is_hidden = true)                         \
	F(S, ALSO, U64, socket.receive_queue_bytes, receive_queue,                                 \
		WITH(socket.receive_queue_state),                                                  \
		"bytes received and not read; listening: connections to accept",                   \
		.is_hidden = true)                                                                 \
	F(S, ALSO, U64, socket.send_queue_bytes, send_queue, WITH(socket.send_queue_state),        \
		"bytes sent and not acknowledged; listening: length of the queue",                 \
		.is_hidden = true)                                                                 \
	F(S, ALSO, U64, socket.namespace, namespace, WITH(socket.namespace_state),                 \
		"inode of the network namespace of the process", .is_hidden = true)

struct connection_row {
	struct sockets_socket socket; /* its texts are local_address, peer_address and protocol */
	ROW_MEMBERS(CONNECTION_ROW, connection_row)
};

extern const struct sooth_schema connection_row_schema;

#endif
