/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/call_backlog.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "model/stream_records.h"
#include "probes/proc.h"
#include "probes/sockets.h"
#include "analyze/calls/fd_effects.h"

#define HELD_BYTES_MAX (16u << 20)
#define READ_BYTES_MAX (64u << 20) /* before the first call */
#define HELD_NS_MAX    NS_PER_S
#define PROCESSES_MAX  65536

struct known_process {
	bool is_read;	 /* or its parent's table is its own */
	bool is_waiting; /* it has called */
};

void call_backlog_init(
	struct call_backlog *b, struct fd_follow *fds, backlog_take take, void *state)
{
	*b = (struct call_backlog){ .fds = fds, .take = take, .state = state };
	map_init(&b->processes, sizeof(struct process_id), sizeof(struct known_process),
		PROCESSES_MAX);
}

void call_backlog_fini(struct call_backlog *b)
{
	buffer_fini(&b->held);
	if (b->processes.key_size)
		map_fini(&b->processes);
}

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

static void note(struct call_backlog *b, const struct sooth_record *r)
{
	if (r->kind == SYSCALLS_CALL)
		note_call(b, r);
	else if (r->kind == FDS_PROCESS || r->kind == PROCESS_JOIN || r->kind == PROCESS_LEAVE)
		note_snapshot(b, r);
	b->has_begun |= r->kind == STREAM_BEGIN;
}

static bool is_enough(const struct call_backlog *b, const struct sooth_record *r)
{
	if (!b->first_ns)
		return b->held.size > READ_BYTES_MAX;
	return (b->has_begun && !b->waiting) || b->held.size > HELD_BYTES_MAX ||
	       r->time_ns > b->first_ns + HELD_NS_MAX || r->kind == STREAM_END;
}

/* --- what was there from the start --- */

static const struct sooth_record *next_held(const struct call_backlog *b, size_t *at)
{
	const struct sooth_record *r;

	if (*at >= b->held.size)
		return NULL;
	r = (const void *)(b->held.data + *at);
	*at += record_bytes(r);
	return r;
}

static bool is_known(const struct fd_follow *by_calls, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	const void *known;

	if ((known = record_as(r, FDS_DESCRIPTOR, sizeof(struct fds_descriptor))))
		return fd_follow_get(by_calls, &id, ((const struct fds_descriptor *)known)->fd);
	if ((known = record_as(r, SOCKETS_SOCKET, sizeof(struct sockets_socket))))
		return fd_follow_get(by_calls, &id, ((const struct sockets_socket *)known)->fd);
	return r->kind == PROC_PROCESS &&
	       (fd_follow_has_moved(by_calls, &id) || fd_follow_directory(by_calls, &id).size);
}

static bool is_snapshot(const struct sooth_record *r)
{
	return r->kind == FDS_DESCRIPTOR || r->kind == FDS_PROCESS || r->kind == SOCKETS_SOCKET ||
	       r->kind == SOCKETS_PROCESS || r->kind == PROC_PROCESS;
}

/* What the calls alone say of a number is of after them, and says that the reading's is too. */
static void take_snapshots(struct call_backlog *b)
{
	const struct sooth_record *r;
	struct fd_follow by_calls;
	size_t at = 0;

	fd_follow_init(&by_calls);
	while ((r = next_held(b, &at))) {
		if (!is_snapshot(r))
			fd_follow_take(&by_calls, r);
		else if (!is_known(&by_calls, r))
			fd_follow_take(b->fds, r);
	}
	fd_follow_fini(&by_calls);
}

static int let_go(struct call_backlog *b, struct sooth_error *err)
{
	const struct sooth_record *r;
	size_t at = 0;
	int status = 0;

	take_snapshots(b);
	b->is_over = true;
	while (!status && (r = next_held(b, &at)))
		status = b->take(b->state, r, err);
	buffer_fini(&b->held);
	return status;
}

int call_backlog_record(
	struct call_backlog *b, const struct sooth_record *r, struct sooth_error *err)
{
	if (b->is_over)
		return b->take(b->state, r, err);
	buffer_append(&b->held, r, record_bytes(r));
	if (buffer_failed(&b->held))
		return error_no_memory(err);
	note(b, r);
	return is_enough(b, r) ? let_go(b, err) : 0;
}

int call_backlog_push(struct call_backlog *b, const struct batch *batch, struct sooth_error *err)
{
	int status = 0;

	batch_for_each (r, batch) {
		status = call_backlog_record(b, r, err);
		if (status)
			break;
	}
	return status;
}

int call_backlog_end(struct call_backlog *b, struct sooth_error *err)
{
	return b->is_over ? 0 : let_go(b, err);
}
