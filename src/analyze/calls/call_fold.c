/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/call_fold.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "analyze/calls/call_about.h"
#include "analyze/calls/fd_follow.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/aggregate.h"
#include "model/stream_records.h"
#include "probes/proc.h"
#include "probes/sockets.h"

#define CLONE_THREAD_LINUX 0x10000
#define O_CREAT_LINUX	   0100
#define O_TRUNC_LINUX	   01000
#define MSG_PEEK_LINUX	   2
#define HELD_BYTES_MAX	   (16u << 20)
#define READ_BYTES_MAX	   (64u << 20) /* limit before the first call */
#define HELD_NS_MAX	   NS_PER_S
#define PROCESSES_MAX	   65536

/* --- calls before the first snapshot of the descriptors --- */

/* Holds back calls until the first snapshot of the process's descriptors. sooth attaches first and
 * reads descriptors later, so the first calls use unknown numbers. A descriptor in the snapshot
 * that no held call made existed from the start. Records and time are limited: beyond, calls are
 * passed on unresolved. */

struct known_process {
	bool is_read;	 /* the snapshot came, or was inherited by fork, or the process is gone */
	bool is_waiting; /* made calls, but has no snapshot yet */
};

/* --- processes without a snapshot --- */

static void note_call(struct call_backlog *b, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct known_process *p = map_put(&b->processes, &id, NULL);

	if (!b->first_ns)
		b->first_ns = r->time_ns;
	if (!p || p->is_read || p->is_waiting)
		return;
	p->is_waiting = true;
	b->waiting++;
}

static void note_snapshot(struct call_backlog *b, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct known_process *p = map_put(&b->processes, &id, NULL);

	if (!p)
		return;
	p->is_read = true;
	b->waiting -= p->is_waiting;
	p->is_waiting = false;
}

static void note_record(struct call_backlog *b, const struct sooth_record *r)
{
	if (r->kind == SYSCALLS_CALL)
		note_call(b, r);
	else if (r->kind == FDS_PROCESS || r->kind == PROCESS_JOIN || r->kind == PROCESS_LEAVE)
		note_snapshot(b, r);
	b->has_begun |= r->kind == STREAM_BEGIN;
}

static bool is_backlog_full(const struct call_backlog *b, const struct sooth_record *r)
{
	if (!b->first_ns)
		return b->held.size > READ_BYTES_MAX;
	return (b->has_begun && !b->waiting) || b->held.size > HELD_BYTES_MAX ||
	       r->time_ns > b->first_ns + HELD_NS_MAX || r->kind == STREAM_END;
}

/* --- what was there from the start --- */

static bool is_state_known(const struct fd_follow *by_calls, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	const void *known;

	if ((known = record_as(r, FDS_DESCRIPTOR, sizeof(struct fds_descriptor))))
		return fd_follow_get(by_calls, &id, ((const struct fds_descriptor *)known)->fd);
	if ((known = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST)))
		return fd_follow_get(by_calls, &id, ((const struct sockets_socket *)known)->fd);
	return r->kind == PROC_PROCESS &&
	       (fd_follow_has_moved(by_calls, &id) || fd_follow_directory(by_calls, &id).size);
}

static bool is_snapshot(const struct sooth_record *r)
{
	return r->kind == FDS_DESCRIPTOR || r->kind == FDS_PROCESS || r->kind == SOCKETS_SOCKET ||
	       r->kind == SOCKETS_PROCESS || r->kind == PROC_PROCESS;
}

/* Applies the snapshots. Descriptors known from earlier calls keep their newer state. */
static void apply_snapshots(struct call_fold *f)
{
	struct fd_follow by_calls;

	fd_follow_init(&by_calls);
	rows_for_each (struct sooth_record, r, &f->backlog.held) {
		if (!is_snapshot(r))
			fd_follow_add_record(&by_calls, r);
		else if (!is_state_known(&by_calls, r))
			fd_follow_add_record(&f->fds, r);
	}
	fd_follow_fini(&by_calls);
}

/* --- a call --- */

static const struct fd_followed *file_of(const struct folded_call *c, int64_t fd)
{
	return fd_follow_get(&c->fold->fds, &c->process, fd);
}

static struct folded_side side_of(const struct folded_call *c, uint8_t argument)
{
	int64_t fd = call_int(syscall_value(c->call->arguments, argument, 0));

	if (!argument)
		return (struct folded_side){ 0 };
	return (struct folded_side){ .is_there = true, .fd = fd, .file = file_of(c, fd) };
}

static void resolve_transfer(struct folded_call *c)
{
	const struct syscall_transfer *t = &c->row->transfer;

	if (!t->direction)
		return;
	c->from = side_of(c, t->from);
	c->to = side_of(c, t->to);
	/* Peeked bytes do not count: the next call reads them again. */
	if (!c->is_error && !(syscall_value(c->call->arguments, t->flags, 0) & MSG_PEEK_LINUX))
		c->bytes = (uint64_t)c->call->result;
}

static struct folded_call resolve_call(struct call_fold *f, const struct syscalls_call *call)
{
	struct folded_call c = { .fold = f,
		.call = call,
		.row = syscall_row_of(call->abi, call->number),
		.process = process_id_of(&call->record),
		.has_returned = call->result_state == SOOTH_STATE_VALUE };

	c.is_error = c.has_returned && aggregate_is_error(call->result);
	c.error = c.is_error ? (unsigned)-call->result : 0;
	c.has_fd = syscall_takes_descriptor(c.row, 0);
	c.fd = call_int(call->arguments[0]);
	c.file = c.has_fd ? file_of(&c, c.fd) : NULL;
	if (c.has_returned)
		resolve_transfer(&c);
	return c;
}

struct span folded_path(struct folded_call *c, uint8_t *state)
{
	assert(c);

	struct buffer *path = &c->fold->path;

	buffer_reset(path);
	*state = call_find_path(&c->fold->fds, c->row, c->call, path);
	return span_of(buffer_cstr(path), path->size);
}

struct span folded_second_path(struct folded_call *c)
{
	struct buffer *path = &c->fold->second_path;

	buffer_reset(path);
	if (!call_find_second_path(&c->fold->fds, c->row, c->call, path))
		return span_of("", 0);
	return span_of(buffer_cstr(path), path->size);
}

bool folded_path_is_descriptor(const struct folded_call *c)
{
	return call_means_descriptor(c->row, c->call);
}

void folded_peer(
	const struct folded_call *c, const struct fd_followed *socket, char out[FD_FOLLOW_ADDRESS])
{
	assert(c);

	bool is_connected = socket && *socket->peer;
	bool begins =
		c->row->traits & SYSCALL_CONNECTS || c->row->effect.what == SYSCALL_FD_ACCEPTS;
	struct call_piece piece = { 0 };

	if (begins)
		piece = call_piece(c->call, 1, SYSCALLS_PART_TARGET);
	if (piece.is_there && call_address(piece.bytes, out, FD_FOLLOW_ADDRESS) && *out)
		return;
	if (!(is_connected && !strncmp(socket->protocol, "TCP", 3)) &&
		call_named_peer(c->call, out, FD_FOLLOW_ADDRESS))
		return;
	*out = '\0';
	if (is_connected)
		memcpy(out, socket->peer, FD_FOLLOW_ADDRESS);
}

uint64_t folded_open_flags(const struct folded_call *c)
{
	const struct syscall_effect *effect = &c->row->effect;
	struct call_piece how;
	uint64_t flags = 0;

	if (effect->what != SYSCALL_FD_OPENS_HOW)
		return syscall_value(
			c->call->arguments, effect->flags, O_CREAT_LINUX | O_TRUNC_LINUX);
	how = call_piece(c->call, effect->flags - 1u, SYSCALLS_PART_TARGET);
	if (how.bytes.size >= sizeof(flags))
		memcpy(&flags, how.bytes.data, sizeof(flags));
	return flags;
}

bool folded_makes_file(const struct folded_call *c)
{
	return c->row->traits & SYSCALL_OPENS && folded_open_flags(c) & O_CREAT_LINUX;
}

/* Returns what the call started. The flags of clone3(2) are the first member of its struct. */
enum folded_task folded_started(const struct folded_call *c)
{
	uint64_t flags = c->call->arguments[0];
	struct call_piece piece;

	if (!(c->row->traits & SYSCALL_STARTS_TASK) || c->call->result <= 0)
		return FOLDED_TASK_NONE;
	piece = call_piece(c->call, 0, SYSCALLS_PART_TARGET);
	if (piece.bytes.size >= sizeof(flags))
		memcpy(&flags, piece.bytes.data, sizeof(flags));
	else if (c->row->argument_count && c->row->arguments[0] == ARGUMENT_TYPE_clone_args)
		return FOLDED_TASK_UNKNOWN;
	return c->row->argument_count && flags & CLONE_THREAD_LINUX ? FOLDED_TASK_THREAD
								    : FOLDED_TASK_PROCESS;
}

/* --- all records --- */

static int fold_call(struct call_fold *f, const struct syscalls_call *call, struct sooth_error *err)
{
	struct process_id process = process_id_of(&call->record);
	struct folded_call c;
	int status;

	if (call->gaps & SYSCALLS_GAP_KEPT)
		fd_follow_gap(&f->fds, &process);
	c = resolve_call(f, call);
	status = f->consumer->call(f->state, &c, err);

	fd_follow_add_record(&f->fds, &call->record);
	if (!status && f->consumer->after)
		status = f->consumer->after(f->state, &c, err);
	return status;
}

static int emit_unfolded(struct call_fold *f, const struct sooth_record *r, struct sooth_error *err)
{
	const void *call = record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST);
	int status = f->consumer->record ? f->consumer->record(f->state, r, err) : 0;

	if (status)
		return status;
	if (call)
		return fold_call(f, call, err);
	fd_follow_add_record(&f->fds, r);
	return 0;
}

static int pass_on_backlog(struct call_fold *f, struct sooth_error *err)
{
	int status = 0;

	apply_snapshots(f);
	f->backlog.is_over = true;
	rows_for_each (struct sooth_record, r, &f->backlog.held) {
		status = emit_unfolded(f, r, err);
		if (status)
			break;
	}
	buffer_fini(&f->backlog.held);
	return status;
}

void call_fold_init(struct call_fold *f, const struct call_fold_consumer *consumer, void *state)
{
	assert(f);
	*f = (struct call_fold){ .consumer = consumer, .state = state };
	map_init(&f->backlog.processes, sizeof(struct process_id), sizeof(struct known_process),
		PROCESSES_MAX);
	fd_follow_init(&f->fds);
}

void call_fold_fini(struct call_fold *f)
{
	assert(f);
	if (!f->consumer)
		return;
	buffer_fini(&f->backlog.held);
	map_fini(&f->backlog.processes);
	fd_follow_fini(&f->fds);
	buffer_fini(&f->path);
	buffer_fini(&f->second_path);
}

void call_fold_begin_at_once(struct call_fold *f)
{
	f->backlog.is_over = true;
}

int call_fold_record(struct call_fold *f, const struct sooth_record *r, struct sooth_error *err)
{
	assert(f);

	struct call_backlog *b = &f->backlog;

	if (b->is_over)
		return emit_unfolded(f, r, err);
	buffer_append(&b->held, r, record_bytes(r));
	if (buffer_failed(&b->held))
		return error_no_memory(err);
	note_record(b, r);
	return is_backlog_full(b, r) ? pass_on_backlog(f, err) : 0;
}

int call_fold_push(struct call_fold *f, const struct batch *batch, struct sooth_error *err)
{
	int status = 0;

	batch_for_each (r, batch) {
		status = call_fold_record(f, r, err);
		if (status)
			break;
	}
	return status;
}

int call_fold_end(struct call_fold *f, struct sooth_error *err)
{
	assert(f);
	return f->backlog.is_over ? 0 : pass_on_backlog(f, err);
}

/* --- what was ready --- */

struct polled_item {
	int32_t fd;
	int16_t events, returned;
};

static int32_t ready_of_poll(const struct call_piece *piece, uint32_t *events)
{
	struct polled_item item;

	for (size_t i = 0; i + sizeof(item) <= piece->bytes.size; i += sizeof(item)) {
		memcpy(&item, piece->bytes.data + i, sizeof(item));
		if (!item.returned && piece->bytes.size > sizeof(item))
			continue;
		*events = (uint16_t)item.returned;
		return item.fd;
	}
	return -1;
}

static int32_t ready_of_epoll(
	const struct folded_call *call, const struct call_piece *piece, uint32_t *events)
{
	size_t bytes = epoll_event_bytes(call->call->abi);
	int32_t fd;

	if (piece->bytes.size < bytes)
		return -1;
	memcpy(events, piece->bytes.data, sizeof(*events));
	/* The low half of the number that the program has given it. */
	memcpy(&fd, piece->bytes.data + bytes - sizeof(uint64_t), sizeof(fd));
	return fd > 2 && file_of(call, fd) ? fd : -1;
}

/* Returns the first ready descriptor: epoll_wait has events as its second argument, poll an array
 * first. */
int32_t call_ready_fd(const struct folded_call *call, uint32_t *events)
{
	struct call_piece piece =
		call_piece(call->call, call->has_fd ? 1 : 0, SYSCALLS_PART_TARGET);

	if (!piece.is_there || call->is_error)
		return -1;
	if (!call->has_fd)
		return ready_of_poll(&piece, events);
	return call->call->result > 0 ? ready_of_epoll(call, &piece, events) : -1;
}

bool call_fold_follows(const struct sooth_record *r)
{
	static const uint16_t kinds[] = { SYSCALLS_CALL, FDS_DESCRIPTOR, FDS_PROCESS,
		SOCKETS_SOCKET, SOCKETS_PROCESS, PROC_PROCESS, PROCESS_JOIN, PROCESS_EXEC,
		PROCESS_LEAVE, STREAM_BEGIN, STREAM_END };

	assert(r);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i] == r->kind)
			return true;
	}
	return false;
}
