/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of each process at its last snapshot: one row per socket, and counts by state. The
 * peer is labeled by rules; its process is not known here. */
#include "analyze/sockets/sockets.h"

#include <stdio.h>
#include <string.h>

#include "analyze/process_view.h"
#include "analyze/sockets/peer_labels.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/hash.h"
#include "secrets/mask.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "probes/socket_names.h"
#include "probes/sockets.h"

/* --- rows --- */

#define SOCKET_ROW(F, S)                                                                           \
	F(S, ALSO, U32, socket.record.pid, pid, ALWAYS, "process id in the pid namespace of sooth") \
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
	F(S, ALSO, U64, socket.dropped, dropped, WITH(socket.dropped_state),                       \
		"packets that the socket dropped since it was made: its receive queue was full, "  \
		"or they were damaged; listening socket: connections",                             \
		.is_hidden = true)                                                                 \
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
	struct sockets_socket socket; /* has texts local_address, peer_address and protocol */
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

ROW_TABLE(socket_state, SOCKET_STATE_ROW, "sockets_by_state", socket_state_row);

/* The result of a snapshot; the state has the reason why sockets are missing. */
#define SOCKET_PROCESS_ROW(F, S)                                                                   \
	F(S, PID)                                                                                  \
	F(S, U32, sockets, MAYBE(sockets_state), "number of sockets of the process that are listed")

ROW_TABLE(socket_process, SOCKET_PROCESS_ROW, "sockets_totals", socket_process_row);
ROW_SCHEMA(socket, SOCKET_ROW, "sockets", socket_row);
/* --- the view --- */

#define ENDS_MAX 65536 /* limit per process: beyond, rows are named by inode */

struct sockets_view {
	struct process_view view;
	struct sockets_options options;
	struct peer_labels labels;
	struct map ends; /* uint64_t hash of protocol and addresses -> uint32_t number of sockets */
	struct socket_text words; /* scratch */
	struct buffer name;	  /* name from DNS */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct sockets_view *s = state;

	process_view_init(&s->view, output, SOCKETS_PROCESS);
	if (options)
		s->options = *(const struct sockets_options *)options;
	map_init(&s->ends, sizeof(uint64_t), sizeof(uint32_t), ENDS_MAX);
	peer_labels_init(&s->labels);
	return peer_labels_load(&s->labels, &s->options, err);
}

static const struct sockets_socket *socket_of(const struct sooth_record *r)
{
	return record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);
}

static bool are_sockets_read(const struct sockets_view *s)
{
	bool is_seen = false;

	snapshots_for_each (s->view.input, one) {
		const struct sockets_process *p = snapshot_end(one, sizeof(*p));

		if (!p || p->sockets_state != SOOTH_STATE_VALUE)
			return false;
		is_seen = true;
	}
	return is_seen;
}

/* --- sockets --- */

/* Hashes a text with a terminator, so that different splits have different hashes. */
static uint64_t hash_text(uint64_t hash, const struct buffer *text)
{
	static const unsigned char end = 0xff;

	return hash_bytes(hash_bytes(hash, text->data, text->size), &end, 1);
}

/* Returns the hash of protocol, addresses and ports, from the scratch texts. */
static uint64_t end_hash(const struct sockets_view *s)
{
	return hash_text(hash_text(hash_text(HASH_BEGIN, &s->words.protocol), &s->words.local),
		&s->words.peer);
}

static void count_local_ends(struct sockets_view *s, const struct snapshot *one)
{
	struct batch records = snapshot_records(one);

	map_clear(&s->ends);
	batch_for_each (r, &records) {
		const struct sockets_socket *socket = socket_of(r);
		uint32_t *count;
		uint64_t hash;

		if (!socket)
			continue;
		socket_text_add_socket(&s->words, socket);
		hash = end_hash(s);
		count = map_put(&s->ends, &hash, NULL);
		if (count)
			++*count;
	}
}

static bool is_named(const struct sockets_view *s, const struct sockets_socket *socket)
{
	uint64_t hash = end_hash(s);
	const uint32_t *count = map_get(&s->ends, &hash);

	return count && *count == 1 && socket->local_state == SOOTH_STATE_VALUE;
}

static struct span find_label(
	struct sockets_view *s, const struct sockets_socket *socket, char room[256])
{
	const struct sockets_options *o = &s->options;
	struct span address = record_text(&socket->record, &socket->peer);
	enum peer_label_strength strength;
	struct span label = socket_sums_label(&s->labels, socket, &strength);
	char text[64];

	if (strength > PEER_LABEL_PORT || !o->resolve || !socket_is_inet(socket) ||
		socket->peer_state != SOOTH_STATE_VALUE || address.size >= sizeof(text))
		return label;
	snprintf(text, sizeof(text), "%.*s", (int)address.size, address.data);
	if (!o->resolve(o->user, text, room, 256))
		return label;
	/* Only a name from DNS is in no record. */
	buffer_reset(&s->name);
	mask_text(&s->name, room, strnlen(room, 256));
	return span_of((const char *)s->name.data, s->name.size);
}

/* Emits a socket; an empty text has the state in the record. */
static int emit_socket(
	struct sockets_view *s, const struct sockets_socket *socket, struct sooth_error *err)
{
	struct socket_row row = { .socket = socket_whole(socket), .unnamed_inode = socket->inode };
	const struct sooth_record *r = &socket->record;
	char room[256];
	struct span label = find_label(s, socket, room);
	struct record_tail tail[] = {
		tail_text(&row.socket.protocol, r, &socket->protocol),
		tail_text(&row.socket.local, r, &socket->local),
		tail_text(&row.socket.peer, r, &socket->peer),
		{ &row.family_protocol, NULL, 0 },
		{ &row.local_end, NULL, 0 },
		{ &row.peer_end, NULL, 0 },
		tail_span(&row.label, label),
	};

	socket_text_add_socket(&s->words, socket);
	tail[3] = tail_buffer(&row.family_protocol, &s->words.protocol);
	tail[4] = tail_buffer(&row.local_end, &s->words.local);
	tail[5] = tail_buffer(&row.peer_end, &s->words.peer);
	row.family_protocol_state = socket_text_state(&s->words.protocol, socket->protocol_state);
	row.local_end_state = socket_text_state(&s->words.local, socket->local_state);
	row.peer_end_state = socket_text_state(&s->words.peer, socket->peer_state);
	row.label_state = label.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	row.unnamed_state = is_named(s, socket) ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE;
	return output_row(s->view.output, &row.socket.record, sizeof(row), tail,
		sizeof(tail) / sizeof(tail[0]), err);
}

static int emit_sockets(void *state, const struct snapshot *one, struct sooth_error *err)
{
	struct batch records = snapshot_records(one);
	struct sockets_view *s = state;
	int status = 0;

	count_local_ends(s, one);
	batch_for_each (r, &records) {
		const struct sockets_socket *socket = socket_of(r);

		if (socket && !status)
			status = emit_socket(s, socket, err);
	}
	return status;
}

static const struct section sockets_section =
	SECTION_OF("sockets", socket_schema, TABLE, .title = "sockets",
		.columns = "pid,fd,protocol,state,local,peer,label,receive_queue,send_queue,rtt_ns,"
			   "retransmits,sent_ago_ns,received_ago_ns",
		.if_empty = "no sockets");

/* --- by state --- */

static int emit_kind(struct sockets_view *s, const struct snapshot *one,
	const struct socket_kind_key *key, uint64_t count, struct sooth_error *err)
{
	struct socket_state_row row = { .record = row_head(&one->id),
		.count = count,
		.state = key->state,
		.state_state = key->state_state };
	size_t size = strnlen(key->protocol, sizeof(key->protocol));
	const char *state = socket_state_text(key->state, key->state_state);
	char name[96];
	struct record_tail tail[] = { { &row.name, name, 0 },
		{ &row.protocol, key->protocol, size } };
	bool is_alone = snapshots_are_of_one(s->view.input);
	int used = is_alone ? 0 : snprintf(name, sizeof(name), "%u ", (unsigned)one->id.pid);

	used += snprintf(name + used, sizeof(name) - (size_t)used, "%.*s %s",
		(int)sizeof(key->protocol), key->protocol, *state ? state : "-");
	tail[0].size = (size_t)used;
	return OUTPUT_ROW(s->view.output, &row, tail, 2, err);
}

static int emit_kinds(void *state, const struct snapshot *one, struct sooth_error *err)
{
	struct sockets_view *s = state;
	struct batch records = snapshot_records(one);
	struct socket_sums sums;
	int status = 0;

	socket_sums_init(&sums);
	batch_for_each (r, &records) {
		const struct sockets_socket *socket = socket_of(r);

		if (socket)
			socket_sums_add(&sums, socket, span_of("", 0));
	}
	map_for_each (map_while(!status, &sums.kinds), const void *, key, uint64_t *, value)
		status = emit_kind(s, one, key, *value, err);
	if (sums.kinds.refused)
		output_limit(s->view.output, "some kinds of sockets",
			"there are more protocols than sooth can count", "");
	socket_sums_fini(&sums);
	return status;
}

static const struct section kinds_section = SECTION_OF("sockets_by_state", socket_state_schema,
	KEYED, .title = "sockets by state", .columns = "pid,protocol,state,count", .rows_least = 2);

/* --- completeness --- */

static void note_snapshot(struct sockets_view *s, const struct sockets_process *p)
{
	enum sooth_state state = p->sockets_state & 0xf;
	char what[64];

	if (state == SOOTH_STATE_VALUE)
		return;
	snprintf(what, sizeof(what), "%ssockets of process %u",
		state == SOOTH_STATE_TRUNCATED ? "some " : "", p->record.pid);
	if (state == SOOTH_STATE_TRUNCATED)
		output_limit(s->view.output, what,
			"the system has more sockets than sooth can read; the rest is left out",
			"");
	else
		output_limit(s->view.output, what,
			sooth_reason_text((enum sooth_reason)(p->sockets_state >> 4)), "");
}

static int emit_process(void *state, const struct snapshot *one, struct sooth_error *err)
{
	const struct sockets_process *p = snapshot_end(one, sizeof(*p));
	struct sockets_view *s = state;
	struct socket_process_row row;

	if (!p)
		return 0;
	row = (struct socket_process_row){
		.record = p->record, .sockets = p->sockets, .sockets_state = p->sockets_state
	};
	note_snapshot(s, p);
	return OUTPUT_ROW(s->view.output, &row, NULL, 0, err);
}

static const struct section processes_section = {
	.name = "sockets_totals",
	.schema = &socket_process_schema,
	.shape = SECTION_TABLE,
	.rows_least = SIZE_MAX, /* text has the rows, and a note if some are missing */
};

static int finish(void *state, struct sooth_error *err)
{
	struct section sockets = sockets_section;
	struct sockets_view *s = state;
	int status;

	if (!are_sockets_read(s))
		sockets.if_empty = "sockets could not be read";
	status = process_view_emit(&s->view, &sockets, emit_sockets, err);
	if (!status)
		status = process_view_emit(&s->view, &kinds_section, emit_kinds, err);
	if (!status)
		status = process_view_emit(&s->view, &processes_section, emit_process, err);
	return status;
}

static void fini(void *state)
{
	struct sockets_view *s = state;

	process_view_fini(&s->view);
	map_fini(&s->ends);
	peer_labels_fini(&s->labels);
	socket_text_fini(&s->words);
	buffer_fini(&s->name);
}

const struct stage_type stage_sockets = {
	.name = "sockets",
	.help = "sockets: state, addresses, peer, queues, round-trip times, idle times",
	.probe = "sockets",
	.shows = "sockets",
	.state_size = sizeof(struct sockets_view),
	.init = init,
	.push = process_view_push,
	.finish = finish,
	.fini = fini,
};
