/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/overview/call_operations.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_pieces.h"
#include "analyze/calls/fd_follow.h"
#include "analyze/records.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/aggregate.h"
#include "explain/stage.h"
#include "model/schema.h"
#include "probes/fds.h"
#include "probes/sockets.h"
#include "probes/syscall_arguments.h"
#include "probes/syscalls.h"

#define PROCESSES_MAX 4096
/* read(2) is used for files and for sockets, and which it was is known only at the end. */
#define EXAMINED_MAX (2 * CALL_OPERATIONS_KEPT)
#define NO_FD	     (-1)

struct operation {
	uint64_t duration_ns;
	int64_t result;
	const struct syscall_row *call;
	uint32_t number;
	uint32_t tid;
	int32_t fd;
	uint16_t abi;
	uint16_t path_size;
	char path[SYSCALLS_PATH_MAX];
	char peer[FD_FOLLOW_ADDRESS]; /* named by the call; empty: none */
};

struct operation_list {
	struct buffer all[CALL_OPERATION_KINDS]; /* struct operation */
	uint64_t count[CALL_OPERATION_KINDS];
};

/* --- rows --- */

ROW_FIELDS(io_operation_fields, IO_OPERATION_ROW, call_operation_row);

ROW_SCHEMA(io_operation, "io.operation", call_operation_row);

ROW_FIELDS(network_operation_fields, NETWORK_OPERATION_ROW, call_operation_row);

ROW_SCHEMA(network_operation, "network.operation", call_operation_row);

/* --- input --- */

void call_operations_init(struct call_operations *o)
{
	map_init(&o->lists, sizeof(uint32_t), sizeof(struct operation_list), PROCESSES_MAX);
}

void call_operations_fini(struct call_operations *o)
{
	size_t position = 0;
	void *value;

	while (map_next(&o->lists, &position, NULL, &value)) {
		struct operation_list *list = value;

		for (size_t i = 0; i < CALL_OPERATION_KINDS; i++)
			buffer_fini(&list->all[i]);
	}
	map_fini(&o->lists);
}

/* Which argument is a descriptor; for an open, the result. */
static int32_t descriptor_of(const struct syscall_row *call, const struct syscalls_call *record)
{
	for (size_t i = 0; i < call->argument_count; i++) {
		if (syscall_takes_descriptor(call, i))
			return (int32_t)record->arguments[i];
	}
	return syscall_returns_descriptor(call) && record->result >= 0 ? (int32_t)record->result
								       : NO_FD;
}

static int by_latency(const void *a, const void *b)
{
	const struct operation *x = a, *y = b;

	if (x->duration_ns != y->duration_ns)
		return x->duration_ns < y->duration_ns ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

static void keep_slowest(struct buffer *list, size_t count)
{
	size_t bytes = count * sizeof(struct operation);

	if (!list->size)
		return;
	qsort(list->data, list->size / sizeof(struct operation), sizeof(struct operation),
		by_latency);
	if (list->size > bytes)
		list->size = bytes;
}

static void keep(
	struct buffer *list, const struct syscall_row *call, const struct syscalls_call *record)
{
	struct span path = record_text(&record->record, &record->path);
	struct operation one = { .duration_ns = record->duration_ns,
		.result = record->result,
		.call = call,
		.number = record->number,
		.tid = record->record.tid,
		.fd = descriptor_of(call, record),
		.abi = record->abi };

	if (record->path_argument && record->path_state != SOOTH_STATE_ABSENT) {
		one.path_size =
			(uint16_t)(path.size < sizeof(one.path) ? path.size : sizeof(one.path));
		if (one.path_size)
			memcpy(one.path, path.data, one.path_size);
	}
	if (call->category == SYSCALL_CATEGORY_NETWORK &&
		!call_named_peer(record, one.peer, sizeof(one.peer)))
		*one.peer = '\0';
	buffer_append(list, &one, sizeof(one));
	if (list->size >= 2 * EXAMINED_MAX * sizeof(one))
		keep_slowest(list, EXAMINED_MAX);
}

void call_operations_take(struct call_operations *o, const struct sooth_record *r)
{
	const struct syscalls_call *record = record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST);
	const struct syscall_row *call =
		record ? syscall_by_number(record->abi, record->number) : NULL;
	struct operation_list *list;
	enum call_operation_kind kind;

	if (!call || record->result_state != SOOTH_STATE_VALUE)
		return;
	if (call->category == SYSCALL_CATEGORY_FILE)
		kind = CALL_OPERATION_IO;
	else if (call->category == SYSCALL_CATEGORY_NETWORK)
		kind = CALL_OPERATION_NETWORK;
	else
		return;
	list = map_put(&o->lists, &r->pid, NULL);
	if (!list)
		return;
	list->count[kind]++;
	if (record->duration_state != SOOTH_STATE_VALUE)
		return; /* its duration is unknown */
	keep(&list->all[kind], call, record);
}

/* --- output --- */

static const struct fds_descriptor *find_descriptor(const struct snapshot *snapshot, int32_t fd)
{
	struct batch records = { 0 };

	if (snapshot && fd >= 0)
		records = snapshot_records(snapshot);
	batch_for_each (r, &records) {
		const struct fds_descriptor *d = record_as(r, FDS_DESCRIPTOR, sizeof(*d));

		if (d && d->fd == (uint32_t)fd)
			return d;
	}
	return NULL;
}

static const struct sockets_socket *find_socket(const struct snapshot *snapshot, uint64_t inode)
{
	struct batch records = { 0 };

	if (snapshot)
		records = snapshot_records(snapshot);
	batch_for_each (r, &records) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

		if (s && s->inode == inode)
			return s;
	}
	return NULL;
}

static bool is_socket(const struct fds_descriptor *d)
{
	return d && d->type >= FDS_UNIX && d->type <= FDS_SOCKET;
}

/* Whether the result is a number of bytes. */
static bool moves_bytes(const struct syscall_row *call)
{
	return call->transfer.direction || call->traits & SYSCALL_READS_LINK;
}

/* "127.0.0.1:53", "[::1]:53": the port goes into its own member. */
static struct span split_port(const char *peer, struct call_operation_row *row)
{
	const char *colon = strrchr(peer, ':'), *end = strchr(peer, '\0');
	uint64_t port;

	if (*peer == '/' || *peer == '@' || !colon ||
		!span_decimal(span_of(colon + 1, (size_t)(end - colon) - 1), &port))
		return span_of(peer, (size_t)(end - peer));
	row->port = (uint32_t)port;
	row->port_state = SOOTH_STATE_VALUE;
	if (*peer == '[')
		return span_of(peer + 1, (size_t)(colon - peer) - 2);
	return span_of(peer, (size_t)(colon - peer));
}

/* A stream's peer is its connection's, a datagram's is named by the call. */
static struct span peer_of(const struct operation *one, const struct sockets_socket *socket,
	struct call_operation_row *row)
{
	bool is_connected = socket && socket->peer_state == SOOTH_STATE_VALUE;
	bool is_stream =
		is_connected && span_equal(record_text(&socket->record, &socket->protocol), "tcp");

	if (*one->peer && !is_stream)
		return split_port(one->peer, row);
	if (!is_connected)
		return span_of("", 0);
	row->port = socket->peer_port;
	row->port_state = socket->peer_port_state;
	return record_text(&socket->record, &socket->peer);
}

static void add_row(const struct process_id *id, const struct operation *one,
	const struct fds_descriptor *d, const struct sockets_socket *socket, struct buffer *out)
{
	bool is_error = aggregate_is_error(one->result);
	struct call_operation_row row = { .record = row_head(id),
		.latency_us = (double)one->duration_ns / NS_PER_US,
		.bytes = one->result,
		.fd = one->fd,
		.error = is_error ? (uint32_t)-one->result : 0,
		.fd_state = one->fd >= 0 ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.bytes_state = !is_error && moves_bytes(one->call) ? SOOTH_STATE_VALUE
								   : SOOTH_STATE_ABSENT,
		.port_state = SOOTH_STATE_ABSENT,
		.error_state = is_error ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct span path = span_of(one->path, one->path_size), address;
	char name[SYSCALL_NAME_SIZE];
	size_t name_size = syscall_name(one->abi, one->number, name);

	row.record.tid = one->tid;
	if (!path.size && d)
		path = record_text(&d->record, &d->path);
	address = peer_of(one, socket, &row);
	row.path_state = path.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	row.address_state = address.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	struct record_tail tail[] = {
		tail_span(&row.syscall, span_of(name, name_size)),
		tail_span(&row.path, path),
		tail_span(&row.address, address),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

struct listing {
	const struct snapshot *fds, *sockets;
	struct buffer slowest; /* struct operation */
};

/* The entries of a list that are of the kind, now that their descriptors are known. */
static void select_kind(struct listing *l, const struct buffer *list, enum call_operation_kind kind)
{
	const struct operation *all = (const void *)list->data;

	for (size_t i = 0; i < list->size / sizeof(*all); i++) {
		bool is_network = all[i].call->category == SYSCALL_CATEGORY_NETWORK ||
				  is_socket(find_descriptor(l->fds, all[i].fd));

		if (is_network == (kind == CALL_OPERATION_NETWORK))
			buffer_append(&l->slowest, &all[i], sizeof(all[i]));
	}
}

uint64_t call_operations_list(const struct call_operations *o, const struct diagnosis_input *input,
	const struct process_id *id, enum call_operation_kind kind, struct buffer *out)
{
	uint32_t pid = id->pid;
	const struct operation_list *list = map_get(&o->lists, &pid);
	struct listing l = { .fds = snapshots_get(&input->fds.last, id),
		.sockets = snapshots_get(&input->sockets.last, id) };
	const struct operation *all;

	if (!list)
		return 0;
	for (size_t i = 0; i < CALL_OPERATION_KINDS; i++)
		select_kind(&l, &list->all[i], kind);
	keep_slowest(&l.slowest, CALL_OPERATIONS_KEPT);
	all = (const void *)l.slowest.data;
	for (size_t i = 0; i < l.slowest.size / sizeof(*all); i++) {
		const struct fds_descriptor *d = find_descriptor(l.fds, all[i].fd);

		add_row(id, &all[i], d, is_socket(d) ? find_socket(l.sockets, d->inode) : NULL,
			out);
	}
	buffer_fini(&l.slowest);
	return list->count[kind];
}

void call_operations_note(struct output *output, uint64_t count)
{
	char what[96];

	if (count <= CALL_OPERATIONS_KEPT)
		return;
	snprintf(what, sizeof(what), "%llu of %llu single calls",
		(unsigned long long)(count - CALL_OPERATIONS_KEPT), (unsigned long long)count);
	output_limit(output, what, "only the slowest calls of each process are listed", "");
}
