/* SPDX-License-Identifier: BSD-2-Clause */
/* The peers that a process could reach (see call_history.h). The result of a non-blocking connect
 * is known when the process asks for it (getsockopt of SO_ERROR, a second connect), reads or
 * writes; it stays unknown if the process only polls and closes. An established connection is
 * followed until something is read: an end or error before that is the peer's doing, unless the
 * process ended the connection first. Datagrams count if the socket has a peer that answers, or
 * whose host reports that no process has the port: by an error of the next call, or of the poll
 * before it. */
#include <string.h>

#include "analyze/calls/call_history_parts.h"
#include "base/units.h"
#include "model/errno_names.h"

#define EXCUSED_NS                                                                                 \
	(3 * NS_PER_S) /* longest time from a failure until another address is reached             \
			*/
#define GIVEN_UP_NS NS_PER_S
#define POLL_ERROR  0x8
#define DATAGRAMS   "UDP"
#define TIMEOUT_NS  (2 * NS_PER_S) /* a longer wait for a datagram timed out */
#define CUT_NS	    NS_PER_S	   /* a connection that the peer ended sooner counts as cut */

static struct call_peer *peer_at(struct call_history *h, const struct call_path *address)
{
	return map_get(&h->peers, address);
}

static void add_error(struct call_peer *p, unsigned error)
{
	for (size_t i = 0; i < CALL_PEER_ERRORS; i++) {
		if (p->errors[i].count && p->errors[i].error != error)
			continue;
		p->errors[i].error = error;
		p->errors[i].count++;
		return;
	}
}

static void count_failed_connect(struct call_peer *p, unsigned error, uint64_t now_ns)
{
	p->failed++;
	p->recent_failures = now_ns - p->last_failed_ns > EXCUSED_NS ? 1 : p->recent_failures + 1;
	p->last_failed_ns = now_ns;
	add_error(p, error);
}

/* Excuses the failed addresses of a service once the process reached another address. */
static void excuse_others(struct call_history *h, const struct call_peer *reached)
{
	map_for_each_value (map_while(*reached->service, &h->peers), struct call_peer *, p) {
		if (p == reached || !p->recent_failures ||
			strcmp(p->service, reached->service) != 0 ||
			reached->last_made_ns - p->last_failed_ns > EXCUSED_NS)
			continue;
		p->recent_failures--;
		p->excused++;
	}
}

/* Counts a connection as made at this call, although it was begun by an earlier one. */
static void count_made_connect(const struct call_at_hand *c, const struct call_path *address,
	struct call_peer *p, uint64_t since_ns)
{
	uint64_t now_ns = c->folded->call->record.time_ns;
	uint32_t fd = (uint32_t)c->folded->fd;
	struct call_unused *kept;

	p->made++;
	p->last_made_ns = now_ns;
	excuse_others(c->history, p);
	kept = map_put(&c->history->unused, &fd, NULL);
	if (kept)
		*kept = (struct call_unused){ .peer = *address, .since_ns = since_ns };
}

/* --- beginning --- */

/* Sets the service of a peer: the port in "10.0.0.2:443"; nothing for a path. */
static void name_service(struct call_peer *p, const char *address)
{
	const char *colon = strrchr(address, ':');
	size_t size = colon ? strlen(colon) : 0;

	if (*address != '/' && *address != '@' && size < sizeof(p->service) && size)
		memcpy(p->service, colon, size + 1);
}

static bool has_protocol(const struct call_at_hand *c, const char *protocol)
{
	return c->folded->file && !strncmp(c->folded->file->protocol, protocol, strlen(protocol));
}

static bool read_address(const struct call_at_hand *c, struct call_path *address)
{
	struct call_piece piece = call_piece(c->folded->call, 1, SYSCALLS_PART_TARGET);

	*address = (struct call_path){ { 0 } };
	return piece.is_there && call_address(piece.bytes, address->text, FD_FOLLOW_ADDRESS) &&
	       *address->text && !has_protocol(c, "RAW");
}

static struct call_peer *peer_put(
	const struct call_at_hand *c, const struct call_path *address, const char *protocol)
{
	bool is_new;
	struct call_peer *p = map_put(&c->history->peers, address, &is_new);

	if (!p || !is_new)
		return p;
	p->first_ns = c->folded->call->record.time_ns;
	name_service(p, address->text);
	memcpy(p->protocol, protocol, strnlen(protocol, sizeof(p->protocol) - 1));
	return p;
}

static void begin_connect(const struct call_at_hand *c, const struct call_path *address)
{
	struct call_pending pending = { *address, c->folded->call->record.time_ns,
		has_protocol(c, DATAGRAMS) };
	uint32_t fd = (uint32_t)c->folded->fd;
	struct call_pending *kept = map_put(&c->history->pending, &fd, NULL);

	if (kept)
		*kept = pending;
}

static void resolve_connect(const struct call_at_hand *c, bool is_made, unsigned error)
{
	uint32_t fd = (uint32_t)c->folded->fd;
	const struct call_pending *pending = map_get(&c->history->pending, &fd);
	struct call_peer *p = pending ? peer_at(c->history, &pending->peer) : NULL;

	if (p && is_made)
		count_made_connect(c, &pending->peer, p, pending->since_ns);
	else if (p)
		count_failed_connect(p, error, c->folded->call->record.time_ns);
	map_remove(&c->history->pending, &fd);
}

static void add_connect(const struct call_at_hand *c)
{
	uint32_t fd = (uint32_t)c->folded->fd;
	const struct call_pending *pending = map_get(&c->history->pending, &fd);
	bool is_again = pending && !pending->is_datagram;
	struct call_path address;
	struct call_peer *p;

	if (is_again && c->folded->error != LINUX_EALREADY &&
		c->folded->error != LINUX_EINPROGRESS) {
		resolve_connect(c, !c->folded->is_error || c->folded->error == LINUX_EISCONN,
			c->folded->error);
		return;
	}
	if (is_again || c->folded->error == LINUX_EISCONN || !read_address(c, &address))
		return;
	if (has_protocol(c, DATAGRAMS)) {
		if (!c->folded->is_error)
			begin_connect(c, &address);
		return;
	}
	p = peer_put(c, &address, c->folded->file ? c->folded->file->protocol : "");
	if (!p)
		return;
	p->attempts++;
	if (!c->folded->is_error)
		count_made_connect(c, &address, p, c->folded->call->record.time_ns);
	else if (c->folded->error == LINUX_EINPROGRESS || c->folded->error == LINUX_EINTR)
		begin_connect(c, &address);
	else
		count_failed_connect(p, c->folded->error, c->folded->call->record.time_ns);
}

/* --- how an attempt to connect ended --- */

static void add_connect_result(const struct call_at_hand *c)
{
	uint32_t error;

	if (call_socket_error(c->folded->call, &error))
		resolve_connect(c, !error, error);
}

static void add_first_transfer(const struct call_at_hand *c)
{
	if (!c->folded->is_error)
		resolve_connect(c, true, 0);
	else if (c->folded->error == LINUX_ECONNREFUSED || c->folded->error == LINUX_ETIMEDOUT ||
		 c->folded->error == LINUX_EHOSTUNREACH || c->folded->error == LINUX_ENETUNREACH ||
		 c->folded->error == LINUX_ECONNRESET)
		resolve_connect(c, false, c->folded->error);
}

static void close_pending_connect(const struct call_at_hand *c)
{
	uint32_t fd = (uint32_t)c->folded->fd;
	const struct call_pending *pending = map_get(&c->history->pending, &fd);
	struct call_peer *p = pending ? peer_at(c->history, &pending->peer) : NULL;

	if (p && c->folded->call->record.time_ns - pending->since_ns >= GIVEN_UP_NS) {
		p->given_up++;
		count_failed_connect(p, 0, c->folded->call->record.time_ns);
	} else if (p) {
		p->unknown++;
	}
	map_remove(&c->history->pending, &fd);
}

/* --- datagrams --- */

static void count_attempt(
	const struct call_at_hand *c, const struct call_pending *pending, unsigned error)
{
	struct call_peer *p = peer_put(c, &pending->peer, DATAGRAMS);
	uint64_t now_ns = c->folded->call->record.time_ns;

	if (!p)
		return;
	p->attempts++;
	if (error) {
		count_failed_connect(p, error, now_ns);
		return;
	}
	p->made++;
	p->last_made_ns = p->last_answer_ns = now_ns;
	excuse_others(c->history, p);
}

static void add_datagram_answer(const struct call_at_hand *c, const struct call_pending *pending)
{
	uint32_t fd = (uint32_t)c->folded->fd;

	if (c->folded->error == LINUX_ECONNREFUSED)
		count_attempt(c, pending, LINUX_ECONNREFUSED);
	else if (c->folded->from.is_there && c->folded->call->result > 0)
		count_attempt(c, pending, 0);
	else if (c->folded->row->effect.what == SYSCALL_FD_CLOSES)
		map_remove(&c->history->pending, &fd);
}

static void count_timeout(const struct call_at_hand *c, const struct call_pending *pending)
{
	const struct syscalls_call *call = c->folded->call;
	struct call_peer *p;

	if (call->duration_state || call->duration_ns < TIMEOUT_NS)
		return;
	p = peer_put(c, &pending->peer, DATAGRAMS);
	if (!p)
		return;
	p->timeouts++;
	p->timeout_ns += call->duration_ns;
}

/* Adds a poll result: glibc's resolver gives up after an error event, without a failing call. */
static void add_poll_result(const struct call_at_hand *c)
{
	uint32_t events = 0, fd = (uint32_t)call_ready_fd(c->folded, &events);
	const struct call_pending *pending = map_get(&c->history->pending, &fd);

	if (!pending || !pending->is_datagram)
		return;
	if (events & POLL_ERROR)
		count_attempt(c, pending, LINUX_ECONNREFUSED);
	else if (!c->folded->call->result)
		count_timeout(c, pending);
}

static void update_pending_connect(const struct call_at_hand *c)
{
	const struct syscall_row *row = c->folded->row;
	uint32_t fd = (uint32_t)c->folded->fd;
	const struct call_pending *pending;

	if (!c->history->pending.count)
		return;
	if (row->traits & SYSCALL_POLLS)
		add_poll_result(c);
	pending = c->folded->has_fd ? map_get(&c->history->pending, &fd) : NULL;
	if (!pending)
		return;
	if (pending->is_datagram)
		add_datagram_answer(c, pending);
	else if (row->traits & SYSCALL_ASKS_SOCKET)
		add_connect_result(c);
	else if (row->effect.what == SYSCALL_FD_CLOSES)
		close_pending_connect(c);
	else if (row->transfer.direction)
		add_first_transfer(c);
}

/* --- what the connection brought --- */

static void count_answered_connection(
	const struct call_at_hand *c, const struct call_unused *u, uint32_t fd)
{
	struct call_peer *p = peer_at(c->history, &u->peer);

	if (p)
		p->last_answer_ns = c->folded->call->record.time_ns;
	map_remove(&c->history->unused, &fd);
}

static void count_cut_connection(
	const struct call_at_hand *c, const struct call_unused *u, uint32_t fd)
{
	uint64_t now_ns = c->folded->call->record.time_ns;
	struct call_peer *p = peer_at(c->history, &u->peer);

	if (p && now_ns - u->since_ns < CUT_NS) {
		if (!p->cut++)
			p->first_cut_ns = now_ns;
		p->cut_after_sending += u->has_sent;
		p->cut_life_ns += now_ns - u->since_ns;
		p->last_cut_ns = now_ns;
	}
	map_remove(&c->history->unused, &fd);
}

static void read_unused_connection(
	const struct call_at_hand *c, const struct call_unused *u, uint32_t fd)
{
	const struct folded_call *call = c->folded;
	bool has_room = syscall_value(call->call->arguments, call->row->transfer.size, 1) != 0;

	if (!call->is_error && call->call->result > 0)
		count_answered_connection(c, u, fd);
	else if (call->is_error ? call->error == LINUX_ECONNRESET : has_room)
		count_cut_connection(c, u, fd);
}

/* Stops following a connection that the process itself closes or shuts down. */
static void update_unused_connection(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;
	bool reads = call->from.is_there;
	int64_t at = reads ? call->from.fd : call->fd;
	uint32_t fd = (uint32_t)at;
	struct call_unused *u;

	if (!c->history->unused.count || !(reads || call->has_fd))
		return;
	u = map_get(&c->history->unused, &fd);
	if (!u)
		return;
	if (reads)
		read_unused_connection(c, u, fd);
	else if (call->row->effect.what == SYSCALL_FD_CLOSES ||
		 call->row->traits & SYSCALL_SHUTS_DOWN)
		map_remove(&c->history->unused, &fd);
	else if (call->to.is_there && call->error == LINUX_EPIPE)
		count_cut_connection(c, u, fd);
	else if (call->to.is_there && !call->is_error)
		u->has_sent = true;
}

void call_peers_add_call(const struct call_at_hand *c)
{
	const struct syscall_row *row = c->folded->row;

	if (row->traits & SYSCALL_CONNECTS) {
		add_connect(c);
		return;
	}
	update_pending_connect(c);
	update_unused_connection(c);
}

void call_peers_resolve(struct call_history *h)
{
	map_for_each_value (&h->pending, struct call_pending *, pending) {
		struct call_peer *p = peer_at(h, &pending->peer);

		if (p && !pending->is_datagram)
			p->under_way++;
	}
}
