/* SPDX-License-Identifier: BSD-2-Clause */
/* Field table of the view "connections". */
#include "analyze/sockets/connection_rows.h"

#include "model/schema.h"
#include "probes/socket_names.h"

#define MEMBER(name_, type_, member_, help_, ...)                                                  \
	{                                                                                          \
		.name = name_, .type = type_, FIELD_AT(connection_row, socket.member_),            \
		.help = help_, ##__VA_ARGS__                                                       \
	}
#define STATE_OF(member_) FIELD_STATE_AT(connection_row, socket.member_)

static const struct sooth_field fields[] = {
	MEMBER("pid", SOOTH_FIELD_UNSIGNED, record.pid, "process id in the initial pid namespace"),
	FIELD_STRING(connection_row, agent, "id of the agent whose session the process belongs to"),
	FIELD_STRING(connection_row, role,
		"role of the process in its session: main, helper, tool call, ...",
		FIELD_STATE_AT(connection_row, role_state)),
	FIELD_STRING(
		connection_row, name, "name of the main thread of the process", .is_hidden = true),
	MEMBER("fd", SOOTH_FIELD_UNSIGNED, fd,
		"lowest file descriptor of the process for the connection", .is_hidden = true),
	FIELD_OF(TEXT, connection_row, family_protocol, protocol,
		"protocol of the connection: tcp, tcp6, udp, udp6"),
	MEMBER("state", SOOTH_FIELD_ENUM, state, "TCP state", STATE_OF(state_state),
		.names = &socket_state_names),
	FIELD_OF(TEXT, connection_row, local_end, local, "local address of the socket",
		FIELD_STATE_AT(connection_row, local_end_state)),
	FIELD_OF(TEXT, connection_row, peer_end, peer, "peer address of the socket",
		FIELD_STATE_AT(connection_row, peer_end_state)),
	FIELD_STRING(connection_row, label, "known name of the service at the peer address",
		.may_shrink = true, FIELD_STATE_AT(connection_row, label_state)),
	MEMBER("sent_ago_ns", SOOTH_FIELD_UNSIGNED, sent_ago_ns,
		"time since data was last sent on the connection; null: never",
		STATE_OF(sent_state), .label = "SENT", .unit = SOOTH_UNIT_NS),
	MEMBER("received_ago_ns", SOOTH_FIELD_UNSIGNED, received_ago_ns,
		"time since data was last received on the connection; null: never",
		STATE_OF(received_state), .label = "GOT", .unit = SOOTH_UNIT_NS),
	MEMBER("peer_address", SOOTH_FIELD_TEXT, peer, "address without the port",
		STATE_OF(peer_state), .is_hidden = true),
	MEMBER("peer_port", SOOTH_FIELD_UNSIGNED, peer_port, "port that the socket is connected to",
		STATE_OF(peer_port_state), .is_hidden = true),
	MEMBER("receive_queue", SOOTH_FIELD_UNSIGNED, receive_queue_bytes,
		"bytes received and not read; listening: connections to accept",
		STATE_OF(receive_queue_state), .is_hidden = true),
	MEMBER("send_queue", SOOTH_FIELD_UNSIGNED, send_queue_bytes,
		"bytes sent and not acknowledged; listening: length of the queue",
		STATE_OF(send_queue_state), .is_hidden = true),
	MEMBER("namespace", SOOTH_FIELD_UNSIGNED, namespace,
		"inode of the network namespace of the process", STATE_OF(namespace_state),
		.is_hidden = true),
};

const struct sooth_schema connection_row_schema = {
	.name = "connections",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct connection_row),
	SCHEMA_FIELDS(fields),
};
