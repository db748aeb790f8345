/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/call_fold.h"

#include <string.h>

#include "analyze/calls/call_about.h"
#include "bpf/aggregate.h"
#include "analyze/calls/fd_effects.h"

#define O_TRUNC_LINUX  01000
#define MSG_PEEK_LINUX 2

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
	/* What is only looked at is read again by the next call. */
	if (!c->is_error && !(syscall_value(c->call->arguments, t->flags, 0) & MSG_PEEK_LINUX))
		c->bytes = (uint64_t)c->call->result;
}

static struct folded_call resolve(struct call_fold *f, const struct syscalls_call *call)
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

uint64_t folded_open_flags(const struct folded_call *c)
{
	const struct syscall_effect *effect = &c->row->effect;
	struct call_piece how;
	uint64_t flags = 0;

	if (effect->what != SYSCALL_FD_OPENS_HOW)
		return syscall_value(c->call->arguments, effect->flags, O_TRUNC_LINUX);
	how = call_piece(c->call, effect->flags - 1u, SYSCALLS_PART_TARGET);
	if (how.bytes.size >= sizeof(flags))
		memcpy(&flags, how.bytes.data, sizeof(flags));
	return flags;
}

/* --- all records --- */

static int take_call(struct call_fold *f, const struct syscalls_call *call, struct sooth_error *err)
{
	struct process_id process = process_id_of(&call->record);
	struct folded_call c;
	int status;

	if (call->gaps & SYSCALLS_GAP_KEPT)
		fd_follow_gap(&f->fds, &process);
	c = resolve(f, call);
	status = f->consumer->call(f->state, &c, err);

	fd_follow_take(&f->fds, &call->record);
	if (!status && f->consumer->after)
		status = f->consumer->after(f->state, &c, err);
	return status;
}

static int take(void *state, const struct sooth_record *r, struct sooth_error *err)
{
	struct call_fold *f = state;
	const void *call = record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST);
	int status = f->consumer->record ? f->consumer->record(f->state, r, err) : 0;

	if (status)
		return status;
	if (call)
		return take_call(f, call, err);
	fd_follow_take(&f->fds, r);
	return 0;
}

void call_fold_init(struct call_fold *f, const struct call_fold_consumer *consumer, void *state)
{
	*f = (struct call_fold){ .consumer = consumer, .state = state };
	call_backlog_init(&f->backlog, &f->fds, take, f);
	fd_follow_init(&f->fds);
}

void call_fold_fini(struct call_fold *f)
{
	if (!f->consumer)
		return;
	call_backlog_fini(&f->backlog);
	fd_follow_fini(&f->fds);
	buffer_fini(&f->path);
	buffer_fini(&f->second_path);
}

void call_fold_begin_at_once(struct call_fold *f)
{
	f->backlog.is_over = true;
}

int call_fold_push(struct call_fold *f, const struct batch *batch, struct sooth_error *err)
{
	return call_backlog_push(&f->backlog, batch, err);
}

int call_fold_record(struct call_fold *f, const struct sooth_record *r, struct sooth_error *err)
{
	return call_backlog_record(&f->backlog, r, err);
}

int call_fold_end(struct call_fold *f, struct sooth_error *err)
{
	return call_backlog_end(&f->backlog, err);
}
