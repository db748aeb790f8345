/* SPDX-License-Identifier: BSD-2-Clause */
/* The network connections of agents: internet sockets of every process in an agent's session, with
 * a label of the peer. Not visible: connections that started and ended between snapshots. */
#include "analyze/sockets/connections.h"

#include <stdio.h>
#include <string.h>

#include "analyze/process_table/process_match.h"
#include "analyze/process_table/process_table.h"
#include "analyze/snapshots.h"
#include "analyze/sockets/peer_labels.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "probes/socket_names.h"
#include "probes/sockets.h"

/* --- rows --- */

#define CONNECTION_ROW(F, S)                                                                       \
	F(S, ALSO, U32, socket.record.pid, pid, ALWAYS, "process id in the pid namespace of sooth") \
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
	struct sockets_socket socket; /* texts: local_address, peer_address and protocol */
	ROW_MEMBERS(CONNECTION_ROW, connection_row)
};

static ROW_SCHEMA(connection_row, CONNECTION_ROW, "connections", connection_row);

/* --- the view --- */

struct connections_view {
	struct output *output;
	struct connections_options options;
	struct peer_labels labels;
	struct process_table process_table;
	struct snapshots sockets;
	struct socket_text words; /* scratch */
	char if_empty[160];	  /* printed instead of rows */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct connections_view *c = state;

	c->output = output;
	if (options)
		c->options = *(const struct connections_options *)options;
	process_table_init(&c->process_table);
	snapshots_init(&c->sockets, SOCKETS_PROCESS);
	peer_labels_init(&c->labels);
	return peer_labels_load(&c->labels, &c->options.labels, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct connections_view *c = state;

	(void)err;
	batch_for_each (r, batch) {
		process_table_add_record(&c->process_table, r);
		snapshots_add_record(&c->sockets, r);
	}
	return 0;
}

static const struct agent *agent_of(const struct process_entry *p)
{
	return p->owner_agent ? p->owner_agent : p->agent;
}

static bool is_selected(const struct connections_view *c, const struct process_entry *p)
{
	return process_match_choice(p, &c->options.choice);
}

static int emit_socket(struct connections_view *c, const struct process_entry *p,
	const struct sockets_socket *socket, struct sooth_error *err)
{
	struct connection_row row = { .socket = socket_whole(socket) };
	const struct sooth_record *r = &socket->record;
	enum peer_label_strength strength;
	struct span label = socket_sums_label(&c->labels, socket, &strength);

	socket_text_add_socket(&c->words, socket);
	row.role_state = process_table_role_state(p);
	row.label_state = label.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	row.local_end_state = socket_text_state(&c->words.local, socket->local_state);
	row.peer_end_state = socket_text_state(&c->words.peer, socket->peer_state);
	struct record_tail tail[] = {
		tail_text(&row.socket.protocol, r, &socket->protocol),
		tail_text(&row.socket.local, r, &socket->local),
		tail_text(&row.socket.peer, r, &socket->peer),
		tail_string(&row.agent, agent_of(p)->name),
		tail_string(&row.role, p->has_role ? agent_role_name(p->role) : ""),
		tail_span(&row.name, process_table_field(&p->process->record, &p->process->name)),
		tail_buffer(&row.family_protocol, &c->words.protocol),
		tail_buffer(&row.local_end, &c->words.local),
		tail_buffer(&row.peer_end, &c->words.peer),
		tail_span(&row.label, label),
	};
	return output_row(c->output, &row.socket.record, sizeof(row), tail, ARRAY_SIZE(tail), err);
}

static void note_snapshot(struct connections_view *c, const struct sockets_process *end)
{
	enum sooth_state state = end ? end->sockets_state & 0xf : SOOTH_STATE_VALUE;
	char what[64];

	if (state == SOOTH_STATE_VALUE)
		return;
	snprintf(what, sizeof(what), "%sconnections of process %u",
		state == SOOTH_STATE_TRUNCATED ? "some " : "", end->record.pid);
	output_limit(c->output, what,
		state == SOOTH_STATE_TRUNCATED
			? "the system has more sockets than sooth can read"
			: sooth_reason_text((enum sooth_reason)(end->sockets_state >> 4)),
		"");
}

static int emit_process(struct connections_view *c, const struct process_entry *p,
	const struct snapshot *snapshot, struct sooth_error *err)
{
	struct batch records = snapshot_records(snapshot);
	int status = 0;

	note_snapshot(c, snapshot_end(snapshot, sizeof(struct sockets_process)));
	batch_for_each (r, &records) {
		const struct sockets_socket *one =
			record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

		/* A socket that is neither bound nor connected has no peer. */
		if (one && socket_is_inet(one) && one->local_state != SOOTH_STATE_ABSENT && !status)
			status = emit_socket(c, p, one, err);
	}
	return status;
}

/* --- no rows --- */

struct unread {
	size_t count;
	const char *reason; /* NULL: several reasons */
};

/* Counts processes whose sockets were not read. If there were too many sockets, some were read. */
static struct unread count_unread(const struct connections_view *c)
{
	struct unread unread = { 0 };

	snapshots_for_each (&c->sockets, snapshot) {
		const struct process_entry *p = process_table_get(&c->process_table, &snapshot->id);
		const struct sockets_process *end = snapshot_end(snapshot, sizeof(*end));
		const char *reason;

		if (!p || !is_selected(c, p) || !end || !state_is_unmeasured(end->sockets_state))
			continue;
		reason = sooth_reason_text((enum sooth_reason)(end->sockets_state >> 4));
		if (!unread.count++)
			unread.reason = reason;
		else if (unread.reason && strcmp(unread.reason, reason))
			unread.reason = NULL;
	}
	return unread;
}

static bool is_any_unknown(const struct process_table *c)
{
	process_table_for_each (c, p) {
		if (process_table_is_unknown(p))
			return true;
	}
	return false;
}

static const char *empty_text(struct connections_view *c)
{
	const struct unread unread = count_unread(c);

	if (unread.count)
		snprintf(c->if_empty, sizeof(c->if_empty),
			"connections of %zu process%s not measured: %s", unread.count,
			unread.count == 1 ? " were" : "es were",
			unread.reason ? unread.reason : "for several reasons");
	else
		snprintf(c->if_empty, sizeof(c->if_empty), "no network connections of agents%s",
			is_any_unknown(&c->process_table) ? " (some processes are unreadable)"
							  : "");
	return c->if_empty;
}

/* --- all --- */

static int emit_connections(struct connections_view *c, struct sooth_error *err)
{
	const struct section section = SECTION_OF("connections", connection_row_schema, TABLE,
		.title = "connections of agents",
		.columns = "pid,agent,role,protocol,state,local,peer,label,sent_ago_ns,"
			   "received_ago_ns",
		.spare = "received_ago_ns,sent_ago_ns,protocol,local,role,agent",
		.if_empty = empty_text(c));
	const struct snapshot *snapshot;
	size_t position = 0;
	int status = output_section(c->output, &section, err);

	while (!status && (snapshot = snapshots_next(&c->sockets, &position))) {
		const struct process_entry *p = process_table_get(&c->process_table, &snapshot->id);

		if (p && is_selected(c, p))
			status = emit_process(c, p, snapshot, err);
	}
	/* The section is a local variable: close it before it goes out of scope. */
	return status ? status : output_close_section(c->output, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct connections_view *c = state;
	int status = process_table_resolve(&c->process_table);

	if (status)
		return error_errno(err, status, "assign processes to agents");
	status = emit_connections(c, err);
	if (c->sockets.refused)
		output_limit(c->output, "some connections",
			"there are more sockets than sooth can keep",
			"select fewer processes with -p");
	return status;
}

static void fini(void *state)
{
	struct connections_view *c = state;

	process_table_fini(&c->process_table);
	snapshots_fini(&c->sockets);
	peer_labels_fini(&c->labels);
	socket_text_fini(&c->words);
}

const struct stage_type stage_connections = {
	.name = "connections",
	.help = "internet connections of agents' processes, with the service of the peer",
	.shows = "sockets",
	STAGE_FUNCTIONS(struct connections_view),
};
