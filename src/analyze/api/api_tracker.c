/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/api/api_tracker.h"

#include <stdio.h>
#include <string.h>

#include "analyze/api/api_story.h"
#include "analyze/sockets/socket_text.h"
#include "model/errno_names.h"
#include "model/stream_records.h"
#include "probes/sockets.h"
#include "probes/uring_opcodes.h"

#define CONNECTIONS_MAX 4096
#define SIDES_MAX	16384
#define STORIES_MAX	1024

struct socket_key {
	struct process_id process;
	uint32_t fd, unused;
};

static struct socket_key key_of(const struct process_id *process, int64_t fd)
{
	return (struct socket_key){ .process = *process, .fd = (uint32_t)fd };
}

/* --- events --- */

/* Returns the story of a request to an endpoint; NULL: none, or the table is full. */
static struct api_story *story_of(struct api_tracker *t, const char *endpoint, bool makes)
{
	struct api_story_key key = api_story_key_of(&t->seen.process, endpoint);

	return makes ? map_put(&t->stories, &key, NULL) : map_get(&t->stories, &key);
}

static void append_event(struct api_tracker *t, struct api_connection *x, enum api_event event)
{
	const char *endpoint = api_connection_endpoint(x);
	bool has_failed = event == API_EVENT_END && api_story_failed(&x->call);
	struct api_story *s = story_of(t, endpoint, has_failed);

	if (event == API_EVENT_REQUEST) {
		/* A connect that fails before the hello is known by its address only. */
		api_story_begin(s ? s : story_of(t, x->peer, false), &x->call);
	} else if (has_failed && s) {
		api_story_add(s, &x->call);
	} else if (s && api_story_is_over(&x->call, event)) {
		*s = (struct api_story){ 0 };
	}
}

static int report_event(void *user, struct api_connection *x, enum api_event event, uint64_t now_ns,
	struct sooth_error *err)
{
	struct api_tracker *t = user;

	append_event(t, x, event);
	t->seen.tracker = t;
	t->seen.connection = x;
	t->seen.event = event;
	t->seen.time_ns = now_ns;
	return t->take(t->user, &t->seen, err);
}

static struct api_listener listener_of(
	struct api_tracker *t, const struct process_id *process, uint32_t fd)
{
	t->seen.process = *process;
	t->seen.fd = fd;
	return (struct api_listener){ .user = t, .event = report_event };
}

/* --- connections --- */

static int end_connection(struct api_tracker *t, const struct socket_key *key,
	struct api_connection *x, enum api_end by, uint32_t error, uint64_t now_ns,
	struct sooth_error *err)
{
	struct api_listener l = listener_of(t, &key->process, key->fd);

	return api_connection_ended(x, by, error, now_ns, &l, err);
}

static bool is_internet_connection(const struct fd_followed *file)
{
	return file && file->kind == FD_FOLLOWED_SOCKET && !strncmp(file->protocol, "TCP", 3) &&
	       !file->is_listening;
}

static bool is_same_connection(const struct api_connection *x, const struct fd_followed *file)
{
	return !strcmp(x->peer, file->peer) && !strcmp(x->local, file->local);
}

static void set_connection_name(struct api_connection *x, const struct fd_followed *file)
{
	*x = (struct api_connection){ .is_seen_from_connect = !file->is_read };
	memcpy(x->local, file->local, sizeof(x->local));
	memcpy(x->peer, file->peer, sizeof(x->peer));
}

/* Finds or makes the connection of a descriptor, which may be a new one; *out NULL: no room. */
static int connection_at(struct api_tracker *t, const struct socket_key *key,
	const struct fd_followed *file, uint64_t now_ns, struct api_connection **out,
	struct sooth_error *err)
{
	bool is_new;
	struct api_connection *x = map_put(&t->connections, key, &is_new);
	int status = 0;

	*out = x;
	if (!x)
		return 0;
	if (!is_new && !is_same_connection(x, file)) {
		status = end_connection(t, key, x, API_END_CLIENT, 0, now_ns, err);
		is_new = true;
	}
	if (is_new)
		set_connection_name(x, file);
	return status;
}

/* --- bytes --- */

static struct span piece_of(const struct syscalls_call *call, enum syscalls_piece_part part)
{
	struct call_piece piece = call_piece_of_any(call, part);

	return piece.is_there ? piece.bytes : span_of("", 0);
}

/* Returns the request line. If a secret in it was masked, the line is shorter than its piece. */
static struct span request_of(const struct syscalls_call *call)
{
	struct span line = piece_of(call, SYSCALLS_PART_REQUEST);

	return span_of(line.data, strnlen(line.data, line.size));
}

static struct api_bytes bytes_of(const struct folded_call *c)
{
	const struct syscalls_call *call = c->call;
	uint64_t end_ns = call->record.time_ns;

	return (struct api_bytes){ .begin_ns =
					   end_ns - (call_is_timed(call) ? call->duration_ns : 0),
		.end_ns = end_ns,
		.bytes = c->bytes,
		.tid = call->record.tid,
		.status = call_http_status(call),
		.is_last_chunk = call_piece_of_any(call, SYSCALLS_PART_LAST_CHUNK).is_there,
		.request = request_of(call),
		.tls = piece_of(call, SYSCALLS_PART_TLS),
		.server = piece_of(call, SYSCALLS_PART_SERVER) };
}

static bool is_temporary_error(unsigned error)
{
	return error == LINUX_EAGAIN || error == LINUX_EINTR || error >= LINUX_ERESTARTSYS;
}

/* Returns whether the process accepted the connection as a server. */
static bool is_served(
	struct api_tracker *t, const struct socket_key *key, const struct fd_followed *file)
{
	const uint8_t *side = map_get(&t->sides, key);

	return file->is_read && side && *side == SOCKETS_SIDE_ACCEPTED;
}

static bool begins_midway(const struct api_connection *x, const struct api_bytes *b)
{
	return x->protocol == API_PROTOCOL_UNKNOWN && x->is_seen_from_connect && b->tls.size &&
	       !b->server.size;
}

static int add_sent_data(struct api_tracker *t, const struct socket_key *key,
	const struct folded_call *c, const struct fd_followed *file, struct sooth_error *err)
{
	struct api_listener l = listener_of(t, &key->process, key->fd);
	struct api_bytes b = bytes_of(c);
	struct api_connection *x;
	int status;

	t->has_sends = true;
	t->has_beginnings |= b.request.size || b.tls.size;
	if (!b.request.size && !b.tls.size && !map_get(&t->connections, key))
		return 0;
	status = connection_at(t, key, file, b.begin_ns, &x, err);
	if (status || !x || begins_midway(x, &b))
		return status;
	return api_connection_sent(x, &b, &l, err);
}

static int add_received_data(struct api_tracker *t, const struct socket_key *key,
	const struct folded_call *c, struct sooth_error *err)
{
	struct api_listener l = listener_of(t, &key->process, key->fd);
	struct api_connection *x = map_get(&t->connections, key);
	struct api_bytes b = bytes_of(c);

	if (!x || !is_same_connection(x, c->from.file))
		return 0;
	if (!c->call->result)
		return syscall_value(c->call->arguments, c->row->transfer.size, 1)
			       ? api_connection_ended(x, API_END_SERVER, 0, b.end_ns, &l, err)
			       : 0;
	return c->bytes ? api_connection_received(x, &b, &l, err) : 0;
}

static int add_transfer(struct api_tracker *t, const struct folded_call *c, struct sooth_error *err)
{
	const struct folded_side *side = c->from.is_there ? &c->from : &c->to;
	struct socket_key key = key_of(&c->process, side->fd);
	struct api_connection *x;

	if (!is_internet_connection(side->file) || is_served(t, &key, side->file))
		return 0;
	if (c->is_error) {
		x = is_temporary_error(c->error) ? NULL : map_get(&t->connections, &key);
		return x ? end_connection(t, &key, x, API_END_ERROR, c->error,
				   c->call->record.time_ns, err)
			 : 0;
	}
	return c->from.is_there ? add_received_data(t, &key, c, err)
				: add_sent_data(t, &key, c, side->file, err);
}

/* --- connects and closes --- */

static void connect_failed(struct api_tracker *t, const struct folded_call *c, const char *peer)
{
	struct api_story *s;

	if (!*peer)
		return;
	t->seen.process = c->process;
	s = story_of(t, peer, true);
	if (s)
		api_story_add_connect(s, c->call->record.time_ns);
}

static void add_connect(struct api_tracker *t, const struct folded_call *c)
{
	struct call_piece address = call_piece(c->call, 1, SYSCALLS_PART_TARGET);
	char peer[FD_FOLLOW_ADDRESS] = "";

	if (c->is_error && c->error != LINUX_EINPROGRESS && c->error != LINUX_EISCONN &&
		c->error != LINUX_EALREADY && !is_temporary_error(c->error) && address.is_there &&
		call_address(address.bytes, peer, sizeof(peer)))
		connect_failed(t, c, peer);
}

/* Reads the result of a non-blocking connect from getsockopt(SO_ERROR). */
static void add_connect_result(struct api_tracker *t, const struct folded_call *c)
{
	uint32_t error;

	if (call_socket_error(c->call, &error) && error && is_internet_connection(c->file))
		connect_failed(t, c, c->file->peer);
}

static int handle_close(struct api_tracker *t, const struct folded_call *c, struct sooth_error *err)
{
	struct socket_key key = key_of(&c->process, c->fd);
	struct api_connection *x = map_get(&t->connections, &key);
	int status = x ? end_connection(t, &key, x, API_END_CLIENT, 0,
				 c->call->record.time_ns -
					 (call_is_timed(c->call) ? c->call->duration_ns : 0),
				 err)
		       : 0;

	map_remove(&t->connections, &key);
	map_remove(&t->sides, &key);
	return status;
}

/* Drops connections after a gap: unrecorded calls may have moved any part of an answer. */
static void drop_connections(struct api_tracker *t, const struct process_id *process)
{
	map_for_each_key (&t->connections, const struct socket_key *, key) {
		struct socket_key k = *key;

		if (!memcmp(&k.process, process, sizeof(*process)))
			map_remove(&t->connections, &k);
	}
}

static int handle_call(void *state, struct folded_call *c, struct sooth_error *err)
{
	struct api_tracker *t = state;

	t->has_calls = true;
	if (c->call->gaps & (SYSCALLS_GAP_WINDOW | SYSCALLS_GAP_TIME) ||
		(c->call->skipped && c->row->transfer.direction))
		drop_connections(t, &c->process);
	if (!c->has_returned)
		return 0;
	if (c->row->effect.what == SYSCALL_FD_CLOSES)
		return handle_close(t, c, err);
	if (c->row->traits & SYSCALL_CONNECTS)
		add_connect(t, c);
	else if (c->row->traits & SYSCALL_ASKS_SOCKET)
		add_connect_result(t, c);
	else if (c->row->transfer.direction == SYSCALL_READS ||
		 c->row->transfer.direction == SYSCALL_WRITES)
		return add_transfer(t, c, err);
	return 0;
}

/* --- other records --- */

static void add_socket(struct api_tracker *t, const struct sockets_socket *s)
{
	struct process_id process = process_id_of(&s->record);
	struct socket_key key = key_of(&process, s->fd);
	struct api_connection *x;
	uint8_t *side;

	if (!socket_is_inet(s))
		return;
	side = map_put(&t->sides, &key, NULL);
	if (side)
		*side = s->side;
	x = map_get(&t->connections, &key);
	if (x && s->retransmits_state == SOOTH_STATE_VALUE) {
		x->retransmits = s->retransmits;
		x->has_retransmits = true;
	}
}

bool api_tracker_retransmits(const struct api_connection *x, uint32_t *out)
{
	if (!x->has_retransmits || !x->call.has_retransmits_before ||
		x->retransmits < x->call.retransmits_before)
		return false;
	*out = x->retransmits - x->call.retransmits_before;
	return true;
}

static int end_all(struct api_tracker *t, const struct process_id *of, enum api_end by,
	uint64_t now_ns, struct sooth_error *err)
{
	int status = 0;

	map_for_each (map_while(!status, &t->connections), const struct socket_key *, key, void *,
		value) {
		struct socket_key k = *key;

		if (of && memcmp(&k.process, of, sizeof(*of)) != 0)
			continue;
		status = end_connection(t, &k, value, by, 0, now_ns, err);
		if (of)
			map_remove(&t->connections, &k);
	}
	return status;
}

static int handle_record(void *state, const struct sooth_record *r, struct sooth_error *err)
{
	struct api_tracker *t = state;
	const void *known;

	if (r->time_ns > t->last_ns)
		t->last_ns = r->time_ns;
	if ((known = record_as(r, SOCKETS_SOCKET, sizeof(struct sockets_socket))))
		add_socket(t, known);
	else if ((known = record_as(r, SYSCALLS_URING, sizeof(struct syscalls_uring))))
		t->uring += uring_network_requests(known);
	if (r->kind == PROCESS_LEAVE) {
		struct process_id process = process_id_of(r);

		return end_all(t, &process, API_END_PROCESS, r->time_ns, err);
	}
	return 0;
}

static const struct call_fold_consumer consumer = { .record = handle_record, .call = handle_call };

/* --- all of it --- */

void api_tracker_init(struct api_tracker *t, api_take take, void *user)
{
	*t = (struct api_tracker){ .take = take, .user = user };
	call_fold_init(&t->fold, &consumer, t);
	map_init(&t->connections, sizeof(struct socket_key), sizeof(struct api_connection),
		CONNECTIONS_MAX);
	map_init(&t->sides, sizeof(struct socket_key), sizeof(uint8_t), SIDES_MAX);
	map_init(&t->stories, sizeof(struct api_story_key), sizeof(struct api_story), STORIES_MAX);
}

void api_tracker_fini(struct api_tracker *t)
{
	if (!t->take)
		return;
	call_fold_fini(&t->fold);
	map_fini(&t->connections);
	map_fini(&t->sides);
	map_fini(&t->stories);
}

int api_tracker_push(struct api_tracker *t, const struct batch *batch, struct sooth_error *err)
{
	return call_fold_push(&t->fold, batch, err);
}

int api_tracker_record(struct api_tracker *t, const struct sooth_record *r, struct sooth_error *err)
{
	return call_fold_record(&t->fold, r, err);
}

int api_tracker_flush(struct api_tracker *t, struct sooth_error *err)
{
	return call_fold_end(&t->fold, err);
}

int api_tracker_end(struct api_tracker *t, struct sooth_error *err)
{
	int status = call_fold_end(&t->fold, err);

	return status ? status : end_all(t, NULL, API_END_NONE, t->last_ns, err);
}

const struct api_connection *api_tracker_connection(
	const struct api_tracker *t, const struct process_id *process, uint32_t fd)
{
	struct socket_key key = key_of(process, fd);

	return map_get(&t->connections, &key);
}

uint64_t api_tracker_refused(const struct api_tracker *t)
{
	return t->connections.refused + t->stories.refused;
}
