/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/operation_sums.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/errno_names.h"
#include "model/stream_records.h"

#define FILES_MAX	65536
#define CONNECTIONS_MAX 65536
#define MEMORY_MAX	65536
#define PROCESSES_MAX	65536
#define O_TRUNC_LINUX	01000

/* --- memory --- */

/* Sums of memory calls (see operation_sums.h). brk(2) gets an end, not a size: the size is the
 * difference to the previous brk(2) of the same process, or of the process that it was forked
 * from. */

#define MAP_ANONYMOUS_LINUX 0x20

static void operation_add_time(struct operation_times *times, const struct syscalls_call *call)
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

static struct memory_sum *memory_of(struct operation_sums *s, const struct syscalls_call *call,
	const char *name, const char *what)
{
	struct memory_key key = { 0 };
	struct memory_sum *sum;

	if (s->by_process)
		key.process = process_id_of(&call->record);
	snprintf(key.operation, sizeof(key.operation), "%s%s", name, what);
	sum = map_put(&s->memory, &key, NULL);
	if (!sum)
		return NULL;
	sum->calls++;
	operation_add_time(&sum->times, call);
	return sum;
}

/* Adds a brk(2). The kernel reports no error: after a failure the end is unchanged. */
static void add_break(struct operation_sums *s, const struct folded_call *c)
{
	uint64_t requested = c->call->arguments[0], now = (uint64_t)c->call->result;
	bool is_new, is_query;
	uint64_t *end = map_put(&s->breaks, &c->process, &is_new);
	uint64_t before = end ? *end : 0;
	struct memory_sum *sum;

	is_query = !requested || (before && requested == before);
	sum = memory_of(s, c->call, c->row->name,
		is_query	     ? " to ask"
		: !before	     ? ""
		: requested > before ? " to grow"
				     : " to shrink");
	if (end)
		*end = now;
	if (!sum)
		return;
	sum->errors += requested && requested != now;
	if (is_query)
		sum->bytes_state = SOOTH_STATE_ABSENT;
	else if (!before)
		sum->bytes_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	else if (requested == now)
		sum->bytes += now > before ? now - before : before - now;
}

static void operation_add_memory(struct operation_sums *s, const struct folded_call *c)
{
	const struct syscall_row *row = c->row;
	bool is_map = row->traits & SYSCALL_MAPS;
	bool has_length = row->argument_count > 1 && row->arguments[1] == ARGUMENT_TYPE_size;
	struct memory_sum *sum;

	if (row->traits & SYSCALL_BREAKS) {
		add_break(s, c);
		return;
	}
	sum = memory_of(s, c->call, row->name,
		!is_map					      ? ""
		: c->call->arguments[3] & MAP_ANONYMOUS_LINUX ? " of no file"
							      : " of a file");
	if (!sum)
		return;
	sum->errors += c->is_error;
	if (!has_length)
		sum->bytes_state = SOOTH_STATE_ABSENT;
	else if (!c->is_error)
		sum->bytes += c->call->arguments[1];
}

/* --- lives --- */

static void handle_join(struct operation_sums *s, const struct process_join *join)
{
	struct process_id child = process_id_of(&join->record);
	struct process_id parent = { .start_ticks = join->parent_start_ticks,
		.pid = join->parent_pid };
	const uint64_t *from = map_get(&s->breaks, &parent);
	uint64_t end = from ? *from : 0;
	uint64_t *to =
		end && !map_get(&s->breaks, &child) ? map_put(&s->breaks, &child, NULL) : NULL;

	if (to)
		*to = end;
}

void operation_sums_follow(struct operation_sums *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	const void *join = record_as(r, PROCESS_JOIN, sizeof(struct process_join));

	if (join)
		handle_join(s, join);
	else if (r->kind == PROCESS_EXEC || r->kind == PROCESS_LEAVE)
		map_remove(&s->breaks, &id);
}

/* --- network --- */

/* Sums by connection (see operation_sums.h), including failed connections; for a socket without a
 * peer of its own, by the peers that its calls name. */

static void operation_path_key(const struct operation_sums *s, const struct syscalls_call *call,
	struct operation_path *key, struct span path)
{
	memset(key, 0, sizeof(*key));
	if (s->by_process)
		key->process = process_id_of(&call->record);
	memcpy(key->text, path.data,
		path.size < sizeof(key->text) - 1 ? path.size : sizeof(key->text) - 1);
}

static struct network_sum *connection_of(
	struct operation_sums *s, const struct syscalls_call *call, const struct fd_followed *known)
{
	struct operation_path key;
	struct network_sum *sum;
	char text[OPERATION_PATH];

	fd_followed_connection(known, text, sizeof(text));
	operation_path_key(s, call, &key, span_of_string(text));
	sum = map_put(&s->connections, &key, NULL);
	if (sum)
		memcpy(sum->peer, known->peer, sizeof(sum->peer));
	return sum;
}

/* --- moving bytes --- */

/* Adds a call that moved bytes over a socket, or failed to. */
static void operation_add_socket(struct operation_sums *s, const struct folded_call *c,
	const struct fd_followed *known, bool is_write)
{
	struct fd_followed socket = *known;
	struct network_sum *sum;

	folded_peer(c, known, socket.peer);
	sum = connection_of(s, c->call, &socket);
	if (!sum)
		return;
	*(is_write ? &sum->sent_bytes : &sum->received_bytes) += c->bytes;
	*(is_write ? &sum->sends : &sum->receives) += 1;
	sum->errors += c->is_error && c->error != LINUX_EAGAIN;
	operation_add_time(&sum->times, c->call);
}

/* --- connecting --- */

/* Returns whether the result of a connect is still unknown: it is under way, or exists already. */
static bool is_undecided(unsigned error)
{
	return error == LINUX_EINPROGRESS || error == LINUX_EALREADY || error == LINUX_EINTR ||
	       error == LINUX_EISCONN ||
	       (error >= LINUX_ERESTARTSYS && error <= LINUX_ERESTARTSYS + 4);
}

/* Adds a call that connects a socket. */
static void operation_add_connect(struct operation_sums *s, const struct folded_call *c)
{
	struct fd_followed socket = c->file ? *c->file : (struct fd_followed){ 0 };
	struct call_piece piece = call_piece(c->call, 1, SYSCALLS_PART_TARGET);
	bool is_error = c->is_error && !is_undecided(c->error);
	char address[FD_FOLLOW_ADDRESS];
	struct network_sum *sum;

	if (!piece.is_there || !call_address(piece.bytes, address, sizeof(address)) || !*address)
		return;
	/* A connect of UDP or RAW sends nothing: resolvers use it to ask for a route. */
	if (!is_error &&
		(!strncmp(socket.protocol, "UDP", 3) || !strncmp(socket.protocol, "RAW", 3)))
		return;
	memcpy(socket.peer, address, sizeof(address));
	if (!c->is_error || c->error == LINUX_EINPROGRESS)
		call_near_end(c->call, socket.local, sizeof(socket.local));
	sum = connection_of(s, c->call, &socket);
	if (!sum)
		return;
	sum->connects++;
	sum->errors += is_error;
	operation_add_time(&sum->times, c->call);
}

/* Adds the result of a non-blocking connect, read by getsockopt. */
static void operation_add_answer(struct operation_sums *s, const struct folded_call *c)
{
	struct network_sum *sum;
	uint32_t error;

	if (!c->file || !call_socket_error(c->call, &error) || !error)
		return;
	sum = connection_of(s, c->call, c->file);
	if (sum)
		sum->errors++;
}

/* --- sums --- */

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

static struct io_sum *file_of(struct operation_sums *s, const struct syscalls_call *call,
	const struct fd_followed *known, int64_t fd)
{
	struct operation_path key;
	struct io_sum *sum;
	char text[48];

	if (fd == SYSCALLS_URING_REGISTERED)
		snprintf(text, sizeof(text), "registered file of io_uring: name unknown");
	else
		snprintf(text, sizeof(text), "descriptor %lld", (long long)fd);
	if (known && known->name)
		operation_path_key(s, call, &key, span_of_string(known->name));
	else
		operation_path_key(s, call, &key, span_of_string(text));
	sum = map_put(&s->files, &key, NULL);
	if (sum)
		sum->kind = known ? known->kind : FD_FOLLOWED_OTHER;
	return sum;
}

static void add_transfer(struct operation_sums *s, const struct folded_call *c,
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

static void count_rewrite(struct io_sum *sum)
{
	sum->rewrites += sum->is_written;
	sum->is_written = false;
}

static bool opens_file(const struct syscall_row *row)
{
	return row->effect.what == SYSCALL_FD_OPENS_FILE ||
	       row->effect.what == SYSCALL_FD_OPENS_HOW;
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
		count_rewrite(sum);
}

static void add_truncate(struct operation_sums *s, const struct folded_call *c)
{
	struct io_sum *sum = c->has_fd ? file_of(s, c->call, c->file, c->fd) : NULL;

	if (sum && !c->is_error && !c->call->arguments[1])
		count_rewrite(sum);
}

void operation_sums_add_call(struct operation_sums *s, struct folded_call *c)
{
	const struct syscall_row *row = c->row;

	if (!c->has_returned)
		return;
	if (row->transfer.direction) {
		add_transfer(s, c, &c->from, false);
		add_transfer(s, c, &c->to, true);
	} else if (row->category == SYSCALL_CATEGORY_MEMORY) {
		operation_add_memory(s, c);
	} else if (row->traits & SYSCALL_CONNECTS) {
		operation_add_connect(s, c);
	} else if (row->traits & SYSCALL_ASKS_SOCKET) {
		operation_add_answer(s, c);
	} else if (opens_file(row)) {
		add_open(s, c);
	} else if (row->traits & SYSCALL_RESIZES) {
		add_truncate(s, c);
	}
}

void operation_sums_add_request(
	struct operation_sums *s, struct call_fold *fold, const struct syscalls_uring_done *request)
{
	static const struct syscall_row no_call;
	bool is_write = request->opcode < 64 && SYSCALLS_URING_WRITES >> request->opcode & 1;
	struct syscalls_call call = { .record = request->record,
		.duration_ns = request->duration_ns,
		.result = request->result };
	struct folded_call c = { .fold = fold,
		.call = &call,
		.row = &no_call,
		.process = process_id_of(&request->record),
		.has_returned = true,
		.is_error = request->result < 0,
		.error = request->result < 0 ? (unsigned)-(uint64_t)request->result : 0,
		.bytes = request->result > 0 ? (uint64_t)request->result : 0 };
	struct folded_side side = { .is_there = true,
		.fd = request->fd,
		.file = fd_follow_get(&fold->fds, &c.process, request->fd) };

	add_transfer(s, &c, &side, is_write);
}
