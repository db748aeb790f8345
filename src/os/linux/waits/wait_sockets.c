/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/waits/wait_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "os/linux/files/procfs.h"
#include "os/linux/sock_diag/socket_diag.h"
#include "probes/sockets.h"
#include "probes/waits.h"

#define SOCKETS_MAX 262144
#define SILENT_MS   500 /* an answer that takes longer is waited for */
#define OWED_MS	    5000

void wait_sockets_fini(struct wait_sockets *s)
{
	buffer_fini(&s->entries);
	buffer_fini(&s->pending);
}

void wait_sockets_clear(struct wait_sockets *s)
{
	buffer_reset(&s->entries);
	buffer_reset(&s->pending);
	s->namespace = 0;
	s->state = SOOTH_STATE_VALUE;
}

/* Keeps pending connections: the server's socket for such a connection has no inode yet. */
static void store_pending_connections(struct wait_sockets *s, struct span inodes)
{
	for (size_t at = 0; at + sizeof(uint32_t) <= inodes.size; at += sizeof(uint32_t)) {
		struct wait_pending p = { .listener =
						  s->entries.size / sizeof(struct wait_socket) };
		uint32_t inode;

		memcpy(&inode, inodes.data + at, sizeof(inode));
		p.inode = inode;
		if (inode && s->pending.size / sizeof(p) < SOCKETS_MAX)
			buffer_append(&s->pending, &p, sizeof(p));
	}
}

/* Returns how long an answer is awaited. The kernel's times have steps of a few milliseconds: a
 * request and the answer to the previous one may have the same time. */
static enum waits_request awaits_answer(const struct socket_fact *fact)
{
	const struct socket_tcp *tcp = &fact->tcp;
	unsigned needed = SOCKET_TCP_TIMES | SOCKET_TCP_BYTES | SOCKET_TCP_SENT;

	if ((tcp->has & needed) != needed || fact->state != SOCKETS_ESTABLISHED ||
		fact->receive_queue || !tcp->sent_bytes || tcp->sent_ago_ms < SILENT_MS)
		return WAITS_REQUEST_NONE;
	if (tcp->sent_ago_ms > tcp->received_ago_ms ||
		(tcp->received_bytes && tcp->sent_ago_ms == tcp->received_ago_ms))
		return WAITS_REQUEST_NONE;
	return tcp->sent_ago_ms < OWED_MS ? WAITS_REQUEST_OPEN : WAITS_REQUEST_OWED;
}

static void add_socket(void *user, const struct socket_fact *fact)
{
	struct wait_sockets *s = user;
	struct wait_socket e = { .inode = fact->inode,
		.peer_inode = fact->peer_inode,
		.receive_queue = fact->receive_queue,
		.send_queue = fact->send_queue,
		.family = fact->family,
		.protocol = fact->protocol,
		.local_port = fact->local_port,
		.peer_port = fact->peer_port,
		.state = fact->state,
		.awaits_answer = awaits_answer(fact) };
	size_t size = fact->name.size < sizeof(e.name) ? fact->name.size : sizeof(e.name) - 1;

	if (s->entries.size / sizeof(e) >= SOCKETS_MAX) {
		s->state = SOOTH_STATE_TRUNCATED;
		return;
	}
	memcpy(e.local, fact->local, sizeof(e.local));
	memcpy(e.peer, fact->peer, sizeof(e.peer));
	if (size) {
		memcpy(e.name, fact->name.data, size);
		if (!e.name[0])
			e.name[0] = '@';
	}
	store_pending_connections(s, fact->pending);
	buffer_append(&s->entries, &e, sizeof(e));
}

static void read_sockets(struct wait_sockets *s, int process)
{
	static const struct socket_request requests[] = {
		{ .family = AF_UNIX, .needs_detail = true },
		{ .family = AF_INET, .protocol = IPPROTO_TCP, .needs_detail = true },
		{ .family = AF_INET6, .protocol = IPPROTO_TCP, .needs_detail = true },
		{ .family = AF_INET, .protocol = IPPROTO_UDP },
		{ .family = AF_INET6, .protocol = IPPROTO_UDP },
	};
	struct sooth_error ignored;
	_cleanup_close_ int netlink = socket_diag_open(process, &ignored);

	if (netlink < 0) {
		s->state = procfs_state(netlink);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (socket_diag_request(netlink, &requests[i], add_socket, s, &ignored) < 0)
			s->state = SOOTH_STATE_TRUNCATED;
	}
	if (buffer_failed(&s->entries) || buffer_failed(&s->pending)) {
		buffer_reset(&s->entries);
		buffer_reset(&s->pending);
	}
}

const struct wait_socket *wait_sockets_all(const struct wait_sockets *s, size_t *count)
{
	*count = s->entries.size / sizeof(struct wait_socket);
	return (const void *)s->entries.data;
}

const struct wait_socket *wait_sockets_get(struct wait_sockets *s, int process, uint64_t inode)
{
	const struct wait_socket *all;
	struct stat st;
	size_t count;

	if (fstatat(process, "ns/net", &st, 0))
		return NULL;
	if (s->namespace != st.st_ino) {
		wait_sockets_clear(s);
		s->namespace = st.st_ino;
		read_sockets(s, process);
	}
	all = wait_sockets_all(s, &count);
	for (size_t i = 0; i < count; i++) {
		if (all[i].inode == inode)
			return &all[i];
	}
	return NULL;
}

/* Returns whether two addresses are the same. An IPv6 socket may talk to an IPv4 one by a mapped
 * address. */
static bool is_same_address(const struct wait_socket *a, const unsigned char *x,
	const struct wait_socket *b, const unsigned char *y)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->family == b->family)
		return !memcmp(x, y, a->family == AF_INET ? 4 : 16);
	if (a->family == AF_INET6)
		return !memcmp(x, mapped, sizeof(mapped)) && !memcmp(x + 12, y, 4);
	return !memcmp(y, mapped, sizeof(mapped)) && !memcmp(y + 12, x, 4);
}

static bool is_any_address(const struct wait_socket *s)
{
	static const unsigned char none[16];

	return !memcmp(s->local, none, s->family == AF_INET ? 4 : 16);
}

/* Returns the server's socket of UDP: a server has one socket that is connected to no client. */
static const struct wait_socket *udp_server(
	const struct wait_sockets *s, const struct wait_socket *of)
{
	size_t count;
	const struct wait_socket *all = wait_sockets_all(s, &count), *found = NULL;

	for (size_t i = 0; i < count && of->peer_port; i++) {
		const struct wait_socket *e = &all[i];

		if (e == of || e->family == AF_UNIX || e->protocol != IPPROTO_UDP || !e->inode ||
			e->peer_port || e->local_port != of->peer_port)
			continue;
		if (is_same_address(e, e->local, of, of->peer))
			return e;
		if (is_any_address(e))
			found = e;
	}
	return wait_socket_is_local(of) ? found : NULL;
}

/* Returns whether a socket is the other end. That may be a socket without an inode: its process has
 * closed it, or has not accepted it yet. */
static bool is_other_end(const struct wait_socket *e, const struct wait_socket *of)
{
	return e != of && e->family != AF_UNIX && e->protocol == of->protocol && of->peer_port &&
	       e->local_port == of->peer_port && e->peer_port == of->local_port &&
	       is_same_address(e, e->local, of, of->peer) &&
	       is_same_address(e, e->peer, of, of->local);
}

const struct wait_socket *wait_sockets_peer(
	const struct wait_sockets *s, const struct wait_socket *of)
{
	size_t count;
	const struct wait_socket *all = wait_sockets_all(s, &count);

	for (size_t i = 0; i < count; i++) {
		const struct wait_socket *e = &all[i];

		if (of->family == AF_UNIX ? of->peer_inode && e->family == AF_UNIX &&
						    e->inode == of->peer_inode
					  : is_other_end(e, of))
			return e->inode ? e : NULL;
	}
	return of->protocol == IPPROTO_UDP ? udp_server(s, of) : NULL;
}

bool wait_sockets_is_half_open(const struct wait_sockets *s, const struct wait_socket *of)
{
	size_t count;
	const struct wait_socket *all = wait_sockets_all(s, &count);

	if (s->state != SOOTH_STATE_VALUE || of->family == AF_UNIX || of->protocol != IPPROTO_TCP ||
		of->state != SOCKETS_ESTABLISHED || !wait_socket_is_local(of) ||
		wait_sockets_listener(s, of))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_other_end(&all[i], of))
			return false;
	}
	return true;
}

static const struct wait_socket *pending_at(
	const struct wait_sockets *s, const struct wait_socket *of)
{
	size_t count;
	const struct wait_socket *entries = wait_sockets_all(s, &count);

	buffer_each (const struct wait_pending, pending, &s->pending) {
		if (pending->inode == of->inode && pending->listener < count)
			return &entries[pending->listener];
	}
	return NULL;
}

bool wait_sockets_is_accepted(const struct wait_sockets *s, const struct wait_socket *of)
{
	size_t count;
	const struct wait_socket *all = wait_sockets_all(s, &count);

	for (size_t i = 0; i < count; i++) {
		if (all[i].family != AF_UNIX && all[i].state == SOCKETS_LISTEN &&
			all[i].protocol == of->protocol && all[i].local_port == of->local_port)
			return true;
	}
	return false;
}

/* Returns whether the listener may still have to accept the connection: of one that is established
 * for the client, its queue counts it, also while the queue is too full for the last step. */
static bool may_have_to_accept(const struct wait_socket *listener, const struct wait_socket *of)
{
	return of->protocol != IPPROTO_TCP || of->state != SOCKETS_ESTABLISHED ||
	       listener->receive_queue;
}

const struct wait_socket *wait_sockets_listener(
	const struct wait_sockets *s, const struct wait_socket *of)
{
	size_t count;
	const struct wait_socket *all = wait_sockets_all(s, &count), *found = NULL;

	if (of->family == AF_UNIX)
		return pending_at(s, of);
	for (size_t i = 0; i < count; i++) {
		const struct wait_socket *e = &all[i];

		if (e->family == AF_UNIX || e->state != SOCKETS_LISTEN ||
			e->protocol != of->protocol || e->local_port != of->peer_port ||
			!may_have_to_accept(e, of))
			continue;
		if (is_same_address(e, e->local, of, of->peer))
			return e;
		if (is_any_address(e))
			found = e;
	}
	return found;
}

const struct wait_socket *wait_sockets_named(const struct wait_sockets *s, struct span name)
{
	size_t count;
	const struct wait_socket *all = wait_sockets_all(s, &count);

	for (size_t i = 0; i < count; i++) {
		if (all[i].family == AF_UNIX && all[i].state == SOCKETS_LISTEN &&
			span_equal(name, all[i].name))
			return &all[i];
	}
	return NULL;
}

bool wait_socket_is_local(const struct wait_socket *of)
{
	static const unsigned char loopback[16] = { [15] = 1 };

	switch (of->family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return of->peer[0] == 127 || !memcmp(of->local, of->peer, 4);
	default:
		return !memcmp(of->peer, loopback, 16) || !memcmp(of->local, of->peer, 16) ||
		       (of->peer[10] == 0xff && of->peer[11] == 0xff && of->peer[12] == 127);
	}
}

static void put_address(struct buffer *out, int family, const unsigned char *address, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	if (!port)
		return;
	if (family == AF_INET6 && address[10] == 0xff && address[11] == 0xff && !address[0]) {
		family = AF_INET;
		address += 12;
	}
	if (!inet_ntop(family, address, text, sizeof(text)))
		return;
	buffer_format(out, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

void wait_socket_local(struct buffer *out, const struct wait_socket *of)
{
	if (of->family == AF_UNIX)
		buffer_string(out, of->name);
	else
		put_address(out, of->family, of->local, of->local_port);
}

void wait_socket_peer(struct buffer *out, const struct wait_socket *of)
{
	if (of->family != AF_UNIX)
		put_address(out, of->family, of->peer, of->peer_port);
}
