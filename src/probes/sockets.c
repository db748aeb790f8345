/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the sockets probe. */
#include "probes/sockets.h"

#include "core/probe.h"
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
	FIELD_NUMBER(sockets_socket, fd, "lowest descriptor of the process for it"),
	FIELD_NUMBER(
		sockets_socket, fd_count, "descriptors of the process for it", .is_hidden = true),
	{ .name = "family",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(sockets_socket, family),
		.names = &socket_family_names,
		.help = "family of addresses" },
	FIELD_STRING(sockets_socket, protocol, "protocol; unix: the type; netlink: the family",
		FIELD_STATE_AT(sockets_socket, protocol_state)),
	{ .name = "state",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(sockets_socket, state),
		FIELD_STATE_AT(sockets_socket, state_state),
		.names = &socket_state_names,
		.help = "TCP state; null: in no table of the namespace: unbound, or made in "
			"another namespace" },
	FIELD_STRING_AS(sockets_socket, local, local_address,
		"address it is bound to; a unix socket's path or name",
		FIELD_STATE_AT(sockets_socket, local_state)),
	OF(local_port, port_state, "port it is bound to; of raw sockets the protocol's number"),
	FIELD_STRING_AS(sockets_socket, peer, peer_address, "address it is connected to",
		FIELD_STATE_AT(sockets_socket, peer_state)),
	OF(peer_port, peer_port_state, "port it is connected to"),
	OF_AS(receive_queue_bytes, receive_queue, receive_queue_state,
		"received and not read, where the end of a TCP stream counts as a byte; of a "
		"listening socket: connections that wait to be "
		"accepted; of a unix datagram socket: of the first datagram",
		.unit = SOOTH_UNIT_NONE),
	OF_AS(send_queue_bytes, send_queue, send_queue_state,
		"sent and not acknowledged, or memory this takes; of a listening socket: how many "
		"connections may wait",
		.unit = SOOTH_UNIT_NONE),
	OF(rtt_ns, rtt_state, "round trip, smoothed", .unit = SOOTH_UNIT_NS),
	HIDDEN(rtt_variance_ns, rtt_state, "how much round trips vary", .unit = SOOTH_UNIT_NS),
	OF(retransmits, retransmits_state, "segments retransmitted on this connection"),
	HIDDEN(retransmits_waiting, waiting_state,
		"retransmissions of the data now unacknowledged"),
	OF(sent_ago_ns, sent_state, "time since data was last sent; null: none was",
		.unit = SOOTH_UNIT_NS),
	OF(received_ago_ns, received_state, "time since data was last received; null: none was",
		.unit = SOOTH_UNIT_NS),
	HIDDEN(sent_bytes, bytes_state,
		"acknowledged by the peer; the kernel counts SYN and FIN as a byte each",
		.unit = SOOTH_UNIT_BYTES),
	HIDDEN(received_bytes, bytes_state, "received in order; the kernel counts FIN as a byte",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(sockets_socket, inode, "names the socket on this host", .is_hidden = true),
	FIELD_NUMBER(sockets_socket, peer_inode,
		"of a unix socket: the one it is connected with; 0: none, or unknown",
		.is_hidden = true),
	HIDDEN(namespace, namespace_state, "inode of the network namespace of the process"),
	{ .name = "side",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(sockets_socket, side),
		.names = &socket_side_names,
		.is_hidden = true,
		.help = "client or server side of the TCP connection" },
	FIELD_TRUTH(sockets_socket, is_from_tables,
		"read from /proc/PID/net, without the details of sock_diag", .is_hidden = true),
};

static const struct sooth_schema socket_schema = {
	.name = "sockets.socket",
	.kind = SOCKETS_SOCKET,
	.class_ = SOOTH_CLASS_SAMPLE,
	.fixed_size = sizeof(struct sockets_socket),
	SCHEMA_FIELDS(socket_fields),
};

static const struct sooth_field process_fields[] = {
	FIELD_PID(sockets_process),
	FIELD_NUMBER(sockets_process, sockets, "sockets in the list",
		FIELD_STATE_AT(sockets_process, sockets_state)),
};

static const struct sooth_schema process_schema = {
	.name = "sockets.process",
	.kind = SOCKETS_PROCESS,
	.class_ = SOOTH_CLASS_SAMPLE,
	.fixed_size = sizeof(struct sockets_process),
	SCHEMA_FIELDS(process_fields),
};

static const struct sooth_schema *const schemas[] = { &socket_schema, &process_schema, NULL };

const struct probe probe_sockets = {
	.name = "sockets",
	.help = "sockets of processes: state, addresses, queues, round trips, times",
	.offers = INTEREST_SAMPLE | INTEREST_DETAIL | INTEREST_BRIEF,
	.schemas = schemas,
};
