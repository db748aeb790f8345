/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/operation_sums.h"

#include <stdio.h>
#include <string.h>

#include "analyze/calls/operation_parts.h"
#include "base/cleanup.h"

#define FILES_MAX	65536
#define CONNECTIONS_MAX 65536
#define MEMORY_MAX	65536
#define PROCESSES_MAX	65536
#define O_TRUNC_LINUX	01000

void operation_sums_init(struct operation_sums *s, bool by_process)
{
	*s = (struct operation_sums){ .by_process = by_process };
	map_init(&s->files, sizeof(struct operation_path), sizeof(struct io_sum), FILES_MAX);
	map_init(&s->connections, sizeof(struct operation_path), sizeof(struct network_sum),
		CONNECTIONS_MAX);
	map_init(&s->memory, sizeof(struct memory_key), sizeof(struct memory_sum), MEMORY_MAX);
	map_init(&s->breaks, sizeof(struct process_id), sizeof(uint64_t), PROCESSES_MAX);
}

void operation_sums_fini(struct operation_sums *s)
{
	map_fini(&s->files);
	map_fini(&s->connections);
	map_fini(&s->memory);
	map_fini(&s->breaks);
}

void operation_sums_reset(struct operation_sums *s)
{
	map_clear(&s->files);
	map_clear(&s->connections);
	map_clear(&s->memory);
}

/* --- files --- */

void operation_add_time(struct operation_times *times, const struct syscalls_call *call)
{
	if (!call_is_timed(call)) {
		times->unseen++;
		return;
	}
	times->timed++;
	times->total_ns += call->duration_ns;
	if (call->duration_ns > times->max_ns)
		times->max_ns = call->duration_ns;
}

void operation_path_key(const struct operation_sums *s, const struct syscalls_call *call,
	struct operation_path *key, struct span path)
{
	memset(key, 0, sizeof(*key));
	if (s->by_process)
		key->process = process_id_of(&call->record);
	memcpy(key->text, path.data,
		path.size < sizeof(key->text) - 1 ? path.size : sizeof(key->text) - 1);
}

static struct io_sum *file_of(struct operation_sums *s, const struct syscalls_call *call,
	const struct fd_followed *known, int64_t fd)
{
	struct operation_path key;
	struct io_sum *sum;
	char text[32];

	snprintf(text, sizeof(text), "descriptor %lld", (long long)fd);
	if (known && known->name)
		operation_path_key(s, call, &key, span_of(known->name, strlen(known->name)));
	else
		operation_path_key(s, call, &key, span_of(text, strlen(text)));
	sum = map_put(&s->files, &key, NULL);
	if (sum)
		sum->kind = known ? known->kind : FD_FOLLOWED_OTHER;
	return sum;
}

static void add_side(struct operation_sums *s, const struct folded_call *c,
	const struct folded_side *side, bool is_write)
{
	struct io_sum *sum;

	if (!side->is_there)
		return;
	if (side->file && side->file->kind == FD_FOLLOWED_SOCKET) {
		operation_add_socket(s, c, side->file, is_write);
		return;
	}
	sum = file_of(s, c->call, side->file, side->fd);
	if (!sum)
		return;
	*(is_write ? &sum->written_bytes : &sum->read_bytes) += c->bytes;
	*(is_write ? &sum->writes : &sum->reads) += 1;
	sum->errors += c->is_error;
	sum->is_written |= is_write && c->bytes;
	operation_add_time(&sum->times, c->call);
}

/* --- opening, emptying --- */

static void empty(struct io_sum *sum)
{
	sum->rewrites += sum->is_written;
	sum->is_written = false;
}

static void add_open(struct operation_sums *s, struct folded_call *c)
{
	struct operation_path key;
	struct io_sum *sum = NULL;
	uint8_t state;
	struct span path = folded_path(c, &state);

	operation_path_key(s, c->call, &key, path);
	if (path.size)
		sum = map_put(&s->files, &key, NULL);
	if (!sum)
		return;
	sum->opens += !c->is_error;
	sum->errors += c->is_error;
	operation_add_time(&sum->times, c->call);
	if (!c->is_error && folded_open_flags(c) & O_TRUNC_LINUX)
		empty(sum);
}

static void add_truncate(struct operation_sums *s, const struct folded_call *c)
{
	struct io_sum *sum = c->has_fd ? file_of(s, c->call, c->file, c->fd) : NULL;

	if (sum && !c->is_error && !c->call->arguments[1])
		empty(sum);
}

static bool opens(const struct syscall_row *row)
{
	return row->effect.what == SYSCALL_FD_OPENS_FILE ||
	       row->effect.what == SYSCALL_FD_OPENS_HOW;
}

void operation_sums_take(struct operation_sums *s, struct folded_call *c)
{
	const struct syscall_row *row = c->row;

	if (!c->has_returned)
		return;
	if (row->transfer.direction) {
		add_side(s, c, &c->from, false);
		add_side(s, c, &c->to, true);
	} else if (row->category == SYSCALL_CATEGORY_MEMORY) {
		operation_add_memory(s, c);
	} else if (row->traits & SYSCALL_CONNECTS) {
		operation_add_connect(s, c);
	} else if (row->traits & SYSCALL_ASKS_SOCKET) {
		operation_add_answer(s, c);
	} else if (opens(row)) {
		add_open(s, c);
	} else if (row->traits & SYSCALL_RESIZES) {
		add_truncate(s, c);
	}
}
