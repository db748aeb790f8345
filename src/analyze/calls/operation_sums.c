/* SPDX-License-Identifier: BSD-2-Clause */
/* See operation_sums.h. */
#include "analyze/calls/operation_sums.h"

#include <stdio.h>
#include <string.h>

#include "analyze/calls/operation_parts.h"
#include "base/cleanup.h"
#include "bpf/aggregate.h"

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
	transfers_init(&s->transfers);
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

static void add_side(struct operation_sums *s, const struct fd_follow *fds,
	const struct syscalls_call *call, int64_t fd, uint64_t bytes, bool is_write)
{
	struct process_id id = process_id_of(&call->record);
	const struct fd_followed *known = fd_follow_get(fds, &id, fd);
	bool is_error = aggregate_is_error(call->result);

	if (known && known->kind == FD_FOLLOWED_SOCKET) {
		operation_add_socket(s, call, known, bytes, is_write);
	} else {
		struct io_sum *sum = file_of(s, call, known, fd);

		if (!sum)
			return;
		*(is_write ? &sum->written_bytes : &sum->read_bytes) += bytes;
		*(is_write ? &sum->writes : &sum->reads) += 1;
		sum->errors += is_error;
		sum->is_written |= is_write && bytes;
		operation_add_time(&sum->times, call);
	}
}

static void add_transfer(struct operation_sums *s, const struct fd_follow *fds,
	const struct transfer *t, const struct syscalls_call *call)
{
	uint64_t bytes = transfer_bytes(t, call);

	if (t->direction == TRANSFER_READS || t->direction == TRANSFER_COPIES)
		add_side(s, fds, call, call_int(call->arguments[t->from]), bytes, false);
	if (t->direction == TRANSFER_WRITES || t->direction == TRANSFER_COPIES)
		add_side(s, fds, call, call_int(call->arguments[t->to]), bytes, true);
}

/* --- opening, emptying --- */

static struct io_sum *file_by_path(struct operation_sums *s, const struct fd_follow *fds,
	const struct call_types *types, const struct syscalls_call *call, size_t argument)
{
	struct process_id id = process_id_of(&call->record);
	struct call_piece path = call_path(call, argument);
	int64_t directory = argument && types->letters[argument - 1] == 'a'
				    ? call_int(call->arguments[argument - 1])
				    : AT_FDCWD_LINUX;
	struct operation_path key;
	struct buffer whole = { 0 };
	struct io_sum *sum;

	if (!path.bytes.size)
		return NULL;
	fd_follow_resolve(fds, &id, directory, path.bytes, &whole);
	operation_path_key(s, call, &key, span_of((const char *)whole.data, whole.size));
	buffer_fini(&whole);
	sum = map_put(&s->files, &key, NULL);
	return sum;
}

/* What an open does to the file; how openat2(2) opens is not looked at. */
static void add_open(struct operation_sums *s, const struct fd_follow *fds,
	const struct call_types *types, const struct syscalls_call *call)
{
	bool is_at = types->letters[0] == 'a', is_creat = !strcmp(types->row->name, "creat");
	uint64_t flags = is_creat ? O_TRUNC_LINUX : call->arguments[is_at ? 2 : 1];
	struct io_sum *sum = file_by_path(s, fds, types, call, is_at ? 1 : 0);

	if (!sum)
		return;
	sum->opens += call_succeeded(call);
	sum->errors += !call_succeeded(call);
	operation_add_time(&sum->times, call);
	if (call_succeeded(call) && flags & O_TRUNC_LINUX) {
		sum->rewrites += sum->is_written;
		sum->is_written = false;
	}
}

static void add_truncate(
	struct operation_sums *s, const struct fd_follow *fds, const struct syscalls_call *call)
{
	struct process_id id = process_id_of(&call->record);
	int64_t fd = call_int(call->arguments[0]);
	struct io_sum *sum = file_of(s, call, fd_follow_get(fds, &id, fd), fd);

	if (!sum || !call_succeeded(call) || call->arguments[1])
		return;
	sum->rewrites += sum->is_written;
	sum->is_written = false;
}

void operation_sums_take(struct operation_sums *s, const struct fd_follow *fds,
	const struct call_types *types, const struct syscalls_call *call)
{
	struct transfer transfer = transfer_of(&s->transfers, call);

	if (!types->row || call->result_state != SOOTH_STATE_VALUE)
		return;
	if (transfer.direction)
		add_transfer(s, fds, &transfer, call);
	else if (types->row->category == SYSCALL_CATEGORY_MEMORY)
		operation_add_memory(s, types, call);
	else if (!strcmp(types->row->name, "connect"))
		operation_add_connect(s, fds, call);
	else if (!strcmp(types->row->name, "getsockopt"))
		operation_add_answer(s, fds, call);
	else if (!strncmp(types->row->name, "open", 4) || !strcmp(types->row->name, "creat"))
		add_open(s, fds, types, call);
	else if (!strcmp(types->row->name, "ftruncate"))
		add_truncate(s, fds, call);
}
