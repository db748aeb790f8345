/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "sockets". */
#include "analyze/sockets/socket_rows.h"

#include "model/schema.h"
#include "probes/socket_names.h"

/* A member of the record at the start of the row. */
#define MEMBER(name_, type_, member_, help_, ...)                                                  \
	{                                                                                          \
		.name = name_, .type = type_, FIELD_AT(socket_row, socket.member_), .help = help_, \
		__VA_ARGS__                                                                        \
	}
#define STATE_OF(member_) FIELD_STATE_AT(socket_row, socket.member_)
#define COUNT(name_, member_, state_, help_, ...)                                                  \
	MEMBER(name_, SOOTH_FIELD_UNSIGNED, member_, help_, STATE_OF(state_), ##__VA_ARGS__)

static const struct sooth_field socket_fields[] = {
	MEMBER("pid", SOOTH_FIELD_UNSIGNED, record.pid, "process id in the initial pid namespace"),
	MEMBER("fd", SOOTH_FIELD_UNSIGNED, fd,
		"lowest file descriptor of the process for the socket"),
	FIELD_OF(TEXT, socket_row, family_protocol, protocol,
		"protocol of the socket: tcp, tcp6, udp, unix stream, netlink route, ...",
		FIELD_STATE_AT(socket_row, family_protocol_state), .is_key = true),
	MEMBER("state", SOOTH_FIELD_ENUM, state,
		"TCP state of the socket; null: unbound, or made in another network "
		"namespace",
		STATE_OF(state_state), .names = &socket_state_names),
	FIELD_OF(TEXT, socket_row, local_end, local, "local address of the socket",
		FIELD_STATE_AT(socket_row, local_end_state), .is_key = true, .may_shrink = true),
	FIELD_OF(TEXT, socket_row, peer_end, peer,
		"peer address of the socket; [INODE]: an unnamed unix socket",
		FIELD_STATE_AT(socket_row, peer_end_state), .is_key = true, .may_shrink = true),
	FIELD_OF(TEXT, socket_row, label, label, "known name of the service at the peer address",
		FIELD_STATE_AT(socket_row, label_state), .may_shrink = true),
	COUNT("receive_queue", receive_queue_bytes, receive_queue_state,
		"bytes received and not read (end of a TCP stream: 1 byte); listening socket: "
		"connections to accept",
		.label = "IN-Q"),
	COUNT("send_queue", send_queue_bytes, send_queue_state,
		"bytes sent and not acknowledged, or their memory; listening socket: maximum of "
		"waiting connections",
		.label = "OUT-Q"),
	COUNT("rtt_ns", rtt_ns, rtt_state, "smoothed round-trip time of the connection",
		.label = "RTT", .unit = SOOTH_UNIT_NS),
	COUNT("retransmits", retransmits, retransmits_state,
		"segments retransmitted on this connection", .label = "RETR"),
	COUNT("sent_ago_ns", sent_ago_ns, sent_state,
		"time since the socket last sent data; null: never", .label = "SENT",
		.unit = SOOTH_UNIT_NS),
	COUNT("received_ago_ns", received_ago_ns, received_state,
		"time since the socket last received data; null: never", .label = "GOT",
		.unit = SOOTH_UNIT_NS),
	MEMBER("fd_count", SOOTH_FIELD_UNSIGNED, fd_count,
		"number of file descriptors of the process for the socket", .is_hidden = true),
	MEMBER("family", SOOTH_FIELD_ENUM, family, "address family of the socket",
		.is_hidden = true, .names = &socket_family_names),
	MEMBER("local_address", SOOTH_FIELD_TEXT, local, "local address without the port",
		.is_hidden = true, STATE_OF(local_state)),
	COUNT("local_port", local_port, port_state,
		"local port of the socket; raw socket: protocol number", .is_hidden = true),
	MEMBER("peer_address", SOOTH_FIELD_TEXT, peer, "peer address without the port",
		.is_hidden = true, STATE_OF(peer_state)),
	COUNT("peer_port", peer_port, peer_port_state, "port that the socket is connected to",
		.is_hidden = true),
	COUNT("rtt_variance_ns", rtt_variance_ns, rtt_state, "variation of the round-trip time",
		.is_hidden = true, .unit = SOOTH_UNIT_NS),
	COUNT("retransmits_waiting", retransmits_waiting, waiting_state,
		"retransmissions of the data that is still unacknowledged", .is_hidden = true),
	COUNT("sent_bytes", sent_bytes, bytes_state,
		"bytes sent and acknowledged by the peer (SYN and FIN count 1 byte each)",
		.is_hidden = true, .unit = SOOTH_UNIT_BYTES),
	COUNT("received_bytes", received_bytes, bytes_state,
		"bytes received in order (FIN counts 1 byte)", .is_hidden = true,
		.unit = SOOTH_UNIT_BYTES),
	MEMBER("inode", SOOTH_FIELD_UNSIGNED, inode,
		"inode number of the socket, unique on the host", .is_hidden = true),
	MEMBER("peer_inode", SOOTH_FIELD_UNSIGNED, peer_inode,
		"inode number of the peer of a unix socket; 0: none or unknown", .is_hidden = true),
	COUNT("namespace", namespace, namespace_state,
		"inode of the network namespace of the process", .is_hidden = true),
	MEMBER("is_from_tables", SOOTH_FIELD_BOOL, is_from_tables,
		"the socket was read from /proc/PID/net, without details of sock_diag",
		.is_hidden = true),
	FIELD_OF(UNSIGNED, socket_row, unnamed_inode, unnamed_inode,
		"inode number of the socket if its addresses do not identify it",
		FIELD_STATE_AT(socket_row, unnamed_state), .is_key = true, .is_hidden = true),
};

ROW_FIELDS(socket_state_fields, SOCKET_STATE_ROW, socket_state_row);

ROW_FIELDS(socket_process_fields, SOCKET_PROCESS_ROW, socket_process_row);

ROW_SCHEMA(socket, "sockets", socket_row);
ROW_SCHEMA(socket_state, "sockets_by_state", socket_state_row);
ROW_SCHEMA(socket_process, "sockets_totals", socket_process_row);
