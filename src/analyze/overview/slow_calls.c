/* SPDX-License-Identifier: BSD-2-Clause */
/* The slowest calls of each process, for files and for sockets. */
#include "analyze/overview/slow_calls.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_pieces.h"
#include "analyze/diagnosis/diagnosis_input.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/aggregate.h"
#include "explain/stage.h"
#include "probes/syscall_arguments.h"
#include "probes/syscalls.h"

#define PROCESSES_MAX 4096
#define SHOWN_MOST    20 /* most rows in text output */
#define NO_FD	      (-1)

struct operation {
	struct call_operation_row row; /* row without its texts */
	uint32_t number;
	uint16_t abi;
	uint16_t path_size;
	char path[SYSCALLS_PATH_MAX];
	char peer[FD_FOLLOW_ADDRESS]; /* peer; empty: none, or not known */
};

struct operation_list {
	struct buffer all[CALL_OPERATION_KINDS]; /* struct operation */
	uint64_t count[CALL_OPERATION_KINDS];
};

/* --- rows --- */

ROW_SCHEMA(io_operation, IO_OPERATION_ROW, "io.operation", call_operation_row);
ROW_SCHEMA(network_operation, NETWORK_OPERATION_ROW, "network.operation", call_operation_row);

/* --- input --- */

/* Returns the descriptor argument of a call; for an open, its result. */
static int32_t descriptor_of(const struct folded_call *c, const struct fd_followed **file)
{
	for (size_t i = 0; i < c->row->argument_count; i++) {
		int64_t fd = call_int(c->call->arguments[i]);

		if (!syscall_takes_descriptor(c->row, i))
			continue;
		*file = fd_follow_get(&c->fold->fds, &c->process, fd);
		return (int32_t)fd;
	}
	return syscall_returns_descriptor(c->row) && c->call->result >= 0 ? (int32_t)c->call->result
									  : NO_FD;
}

static int compare_by_latency(const void *a, const void *b)
{
	const struct operation *x = a, *y = b;

	if (x->row.latency_us != y->row.latency_us)
		return x->row.latency_us < y->row.latency_us ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

static void keep_slowest(struct buffer *list, size_t count)
{
	size_t bytes = count * sizeof(struct operation);

	if (!list->size)
		return;
	qsort(list->data, list->size / sizeof(struct operation), sizeof(struct operation),
		compare_by_latency);
	if (list->size > bytes)
		list->size = bytes;
}

/* Returns whether the result of the call is a number of bytes. */
static bool moves_bytes(const struct syscall_row *call)
{
	return call->transfer.direction || call->traits & SYSCALL_READS_LINK;
}

static struct call_operation_row row_of(const struct folded_call *c, int32_t fd)
{
	int64_t result = c->call->result;
	bool is_error = aggregate_is_error(result);
	struct call_operation_row row = { .record = row_head(&c->process),
		.latency_us = (double)c->call->duration_ns / NS_PER_US,
		.bytes = result,
		.fd = fd,
		.error = is_error ? (uint32_t)-result : 0,
		.fd_state = state_if(fd >= 0),
		.bytes_state = state_if(!is_error && moves_bytes(c->row)),
		.port_state = SOOTH_STATE_ABSENT,
		.error_state = state_if(is_error) };

	row.record.tid = c->call->record.tid;
	return row;
}

static void keep_call(
	struct buffer *list, struct folded_call *c, const struct fd_followed *file, int32_t fd)
{
	struct operation one = {
		.row = row_of(c, fd), .number = c->call->number, .abi = c->call->abi
	};
	struct span path = folded_path(c, &one.row.path_state);

	if (!path.size && file && file->name) {
		path = span_of_string(file->name);
		one.row.path_state = SOOTH_STATE_VALUE;
	}
	if (path.size > sizeof(one.path)) {
		path.size = sizeof(one.path);
		one.row.path_state = SOOTH_STATE_TRUNCATED;
	}
	one.path_size = (uint16_t)path.size;
	if (one.path_size)
		memcpy(one.path, path.data, one.path_size);
	folded_peer(c, file, one.peer);
	buffer_append(list, &one, sizeof(one));
	if (list->size >= 2 * CALL_OPERATIONS_KEPT * sizeof(one))
		keep_slowest(list, CALL_OPERATIONS_KEPT);
}

static int add_call(void *state, struct folded_call *c, struct sooth_error *err)
{
	struct call_operations *o = state;
	bool is_network = c->row->category == SYSCALL_CATEGORY_NETWORK;
	const struct fd_followed *file = NULL;
	struct operation_list *list;
	enum call_operation_kind kind;
	int32_t fd;

	(void)err;
	if (!c->has_returned || (!is_network && c->row->category != SYSCALL_CATEGORY_FILE))
		return 0;
	list = map_put(&o->lists, &c->process, NULL);
	if (!list)
		return 0;
	fd = descriptor_of(c, &file);
	/* read(2) serves both files and sockets. */
	is_network = is_network || (file && file->kind == FD_FOLLOWED_SOCKET);
	kind = is_network ? CALL_OPERATION_NETWORK : CALL_OPERATION_IO;
	list->count[kind]++;
	if (call_is_timed(c->call))
		keep_call(&list->all[kind], c, file, fd);
	return 0;
}

static const struct call_fold_consumer consumer = { .call = add_call };

void call_operations_init(struct call_operations *o)
{
	map_init(
		&o->lists, sizeof(struct process_id), sizeof(struct operation_list), PROCESSES_MAX);
	call_fold_init(&o->fold, &consumer, o);
}

void call_operations_fini(struct call_operations *o)
{
	map_for_each_value (&o->lists, struct operation_list *, list) {
		for (size_t i = 0; i < CALL_OPERATION_KINDS; i++)
			buffer_fini(&list->all[i]);
	}
	map_fini(&o->lists);
	call_fold_fini(&o->fold);
}

int call_operations_add_record(
	struct call_operations *o, const struct batch *batch, struct sooth_error *err)
{
	int status = 0;

	batch_for_each (r, batch) {
		if (!status && call_fold_follows(r))
			status = call_fold_record(&o->fold, r, err);
	}
	return status;
}

int call_operations_end(struct call_operations *o, struct sooth_error *err)
{
	return call_fold_end(&o->fold, err);
}

/* --- output --- */

/* Splits "127.0.0.1:53" or "[::1]:53": the port is a separate member. */
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

static void add_row(const struct operation *one, struct buffer *out)
{
	struct call_operation_row row = one->row;
	struct span address = split_port(one->peer, &row);
	char name[SYSCALL_NAME_SIZE];
	size_t name_size = syscall_name(one->abi, one->number, name);
	struct record_tail tail[] = {
		tail_span(&row.syscall, span_of(name, name_size)),
		tail_span(&row.path, span_of(one->path, one->path_size)),
		tail_span(&row.address, address),
	};

	row.address_state = state_if(address.size);
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

uint64_t call_operations_copy_slowest(struct call_operations *o, const struct process_id *id,
	enum call_operation_kind kind, struct buffer *out)
{
	struct operation_list *list = map_get(&o->lists, id);
	const struct operation *all;

	if (!list)
		return 0;
	keep_slowest(&list->all[kind], CALL_OPERATIONS_KEPT);
	all = (const void *)list->all[kind].data;
	for (size_t i = 0; i < list->all[kind].size / sizeof(*all); i++)
		add_row(&all[i], out);
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

/* --- the view --- */

struct slow_calls_view {
	struct output *output;
	struct diagnosis_input input;
	struct call_operations operations;
	bool is_of[CALL_OPERATION_KINDS];
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	const bool *kinds = options;
	struct slow_calls_view *v = state;

	(void)err;
	v->output = output;
	for (size_t i = 0; i < CALL_OPERATION_KINDS; i++)
		v->is_of[i] = !kinds || kinds[i];
	diagnosis_input_init(&v->input);
	call_operations_init(&v->operations);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct slow_calls_view *v = state;

	diagnosis_input_add_batch(&v->input, batch);
	return call_operations_add_record(&v->operations, batch, err);
}

static int emit_kind(
	struct slow_calls_view *v, enum call_operation_kind kind, struct sooth_error *err)
{
	static const struct section sections[CALL_OPERATION_KINDS] = {
		[CALL_OPERATION_IO] = { .name = "io_operations",
			.title = "slowest calls for files",
			.schema = &io_operation_schema,
			.shape = SECTION_TABLE,
			.rows_most = SHOWN_MOST,
			.if_empty = "no calls for files were made" },
		[CALL_OPERATION_NETWORK] = { .name = "network_operations",
			.title = "slowest calls for sockets",
			.schema = &network_operation_schema,
			.shape = SECTION_TABLE,
			.rows_most = SHOWN_MOST,
			.if_empty = "no calls for sockets were made" },
	};
	int status = output_section(v->output, &sections[kind], err);

	map_for_each_key (map_while(!status, &v->input.points), const void *, key) {
		_cleanup_(buffer_fini) struct buffer rows = { 0 };

		call_operations_note(
			v->output, call_operations_copy_slowest(&v->operations, key, kind, &rows));
		rows_for_each (struct sooth_record, r, &rows) {
			if (!status)
				status = output_record(v->output, r, err);
		}
	}
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct slow_calls_view *v = state;
	int status = call_operations_end(&v->operations, err);

	for (size_t i = 0; i < CALL_OPERATION_KINDS && !status; i++) {
		if (v->is_of[i])
			status = emit_kind(v, (enum call_operation_kind)i, err);
	}
	return status;
}

static void fini(void *state)
{
	struct slow_calls_view *v = state;

	diagnosis_input_fini(&v->input);
	call_operations_fini(&v->operations);
}

const struct stage_type stage_slow_calls = {
	.name = "slow-calls",
	.help = "slowest system calls on files and sockets",
	.shows = "syscalls",
	STAGE_FUNCTIONS(struct slow_calls_view),
};
