/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds objects and parties of a waiting thread, by the message and the address of its wait. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/bsd/waits.h"
#include "probes/bsd_channels.h"

#define CHILDREN_MAX 16
#define PARTIES_MAX  16
#define WATCHED_MAX  32
/* Larger than struct socket, smaller than the distance to the next one. */
#define SOCKET_BYTES 1024

static const struct bsd_descriptor *descriptor_at(const struct bsd_waits *w, size_t i)
{
	const struct bsd_kept_descriptor *all = (const void *)w->descriptors.data;

	return i < w->descriptors.size / sizeof(*all) ? &all[i].d : NULL;
}

/* --- records --- */

static void put_address(char *out, size_t room, const struct bsd_descriptor *d, bool is_peer)
{
	const char *text = is_peer ? d->remote : d->local;
	unsigned port = is_peer ? d->socket.peer_port : d->socket.local_port;

	if (d->file.type == FDS_UNIX)
		snprintf(out, room, "%s", text);
	else if (port)
		snprintf(out, room, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, port);
	else
		out[0] = '\0';
}

static void write_object(const struct bsd_wait_node *n, const struct bsd_descriptor *d,
	enum waits_role role, uint32_t events)
{
	char local[BSD_ADDRESS_SIZE + 8] = "", peer[BSD_ADDRESS_SIZE + 8] = "";
	struct waits_object o = { .record = bsd_wait_record(n, n->tid, WAITS_OBJECT),
		.node_start_ticks = n->process->id.start_ticks,
		.node_pid = n->process->id.pid,
		.inode = d->file.inode,
		.fd = d->file.fd,
		.events = events,
		.role = role,
		.type = d->file.type,
		.socket_state_state = d->is_socket ? d->socket.state_state : SOOTH_STATE_ABSENT,
		.expires_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = {
		{ &o.path, d->path.data, d->path.size },
		{ &o.local, local, 0 },
		{ &o.peer, peer, 0 },
	};

	if (d->is_socket) {
		put_address(local, sizeof(local), d, false);
		put_address(peer, sizeof(peer), d, true);
		o.socket_state = d->socket.state;
		o.receive_queue = d->socket.receive_queue_bytes;
		o.send_queue = d->socket.send_queue_bytes;
		o.local_port = d->socket.local_port;
		o.peer_port = d->socket.peer_port;
	}
	tail[1].size = strlen(local);
	tail[2].size = strlen(peer);
	RECORD_APPEND(&n->run->out, &o, tail, ARRAY_SIZE(tail));
}

/* Adds the processes that have the other end. If the process itself has inherited the other end
 * too, it counts only if no other process has it. */
static void add_ends(
	const struct bsd_wait_node *n, const struct bsd_descriptor *d, enum waits_relation relation)
{
	struct bsd_waits *w = n->run->state;
	const struct bsd_wait_end *end;
	struct bsd_wait_end own;
	size_t position = 0;
	unsigned others = 0;

	if (!bsd_find_other_end(&own, d, n->process->id.pid))
		return;
	bsd_wait_ends_read(&w->ends, bsd_source_of(n->run->os), &w->processes);
	while (others < PARTIES_MAX && (end = bsd_wait_ends_next(&w->ends, &own, &position))) {
		if (end->pid == own.pid)
			continue;
		bsd_wait_party(n, end->listens ? WAITS_RELATION_LISTENER : relation,
			WAITS_SOURCE_DESCRIPTORS, WAITS_HIGH, end->pid, end->fd, own.fd);
		others++;
	}
	position = 0;
	if (others || !(end = bsd_wait_ends_next(&w->ends, &own, &position)))
		return;
	bsd_wait_party(n, end->listens ? WAITS_RELATION_LISTENER : relation,
		WAITS_SOURCE_DESCRIPTORS, WAITS_HIGH, own.pid, end->fd, own.fd);
}

static void add_children(const struct bsd_wait_node *n, enum waits_confidence confidence)
{
	const struct bsd_waits *w = n->run->state;
	unsigned added = 0;

	buffer_each_while (const struct bsd_process, process, &w->processes, added < CHILDREN_MAX) {
		if (process->ppid != n->process->id.pid)
			continue;
		bsd_wait_party(n, WAITS_RELATION_CHILD, WAITS_SOURCE_PROCESSES, confidence,
			process->id.pid, WAITS_NO_FD, WAITS_NO_FD);
		added++;
	}
}

/* --- pipes --- */

static bool is_awaited_descriptor(const struct bsd_descriptor *d, uint64_t address, bool writes)
{
	return d->file.type == FDS_PIPE && address && (writes ? d->peer : d->own) == address;
}

/* Returns the only possible FIFO; NULL: none, or several. */
static const struct bsd_descriptor *only_fifo(const struct bsd_waits *w, bool writes)
{
	uint8_t other_way = writes ? FDS_ACCESS_READ : FDS_ACCESS_WRITE;
	const struct bsd_descriptor *d, *found = NULL;

	for (size_t i = 0; (d = descriptor_at(w, i)); i++) {
		if (d->file.type != FDS_FIFO || d->file.access == other_way)
			continue;
		if (found && found->file.inode != d->file.inode)
			return NULL;
		found = d;
	}
	return found;
}

static void write_pipe_objects(const struct bsd_wait_node *n, bool writes)
{
	const struct bsd_waits *w = n->run->state;
	const struct bsd_descriptor *d = NULL;

	for (size_t i = 0; (d = descriptor_at(w, i)); i++) {
		if (is_awaited_descriptor(d, n->thread->wait_address, writes))
			break;
	}
	if (!d)
		d = only_fifo(w, writes);
	if (!d)
		return;
	write_object(n, d, WAITS_ROLE_CALL, writes ? POLLOUT : POLLIN);
	add_ends(n, d, writes ? WAITS_RELATION_READER : WAITS_RELATION_WRITER);
}

/* --- sockets --- */

static uint64_t address_of(struct bsd_waits *w, const struct bsd_source *s, uint64_t own)
{
	if (!w->has_addresses)
		w->sockets_state = bsd_state(
			s->socket_addresses ? s->socket_addresses(s, &w->addresses) : -EOPNOTSUPP);
	w->has_addresses = true;
	buffer_each (const struct bsd_socket_at, socket, &w->addresses) {
		if (socket->own == own)
			return socket->address;
	}
	return 0;
}

/* Returns the process's socket that contains the wait address: the nearest one below. */
static const struct bsd_descriptor *socket_at(const struct bsd_wait_node *n)
{
	const struct bsd_source *s = bsd_source_of(n->run->os);
	uint64_t wanted = n->thread->wait_address, best = 0;
	const struct bsd_descriptor *d, *found = NULL;
	struct bsd_waits *w = n->run->state;

	for (size_t i = 0; wanted && (d = descriptor_at(w, i)); i++) {
		uint64_t at = d->is_socket && d->own ? address_of(w, s, d->own) : 0;

		if (!at || at > wanted || wanted - at >= SOCKET_BYTES || at <= best)
			continue;
		best = at;
		found = d;
	}
	return found;
}

static bool is_listening_socket(const struct bsd_descriptor *d)
{
	return d->is_socket && !d->socket.state_state && d->socket.state == SOCKETS_LISTEN;
}

static void write_socket_objects(const struct bsd_wait_node *n, enum bsd_channel channel)
{
	const struct bsd_source *s = bsd_source_of(n->run->os);
	const struct bsd_descriptor *d = socket_at(n);
	bool sends;

	if (!d)
		return;
	sends = channel == BSD_CHANNEL_SOCKET && s->waits_to_send &&
		s->waits_to_send(s, (pid_t)n->process->id.pid, n->thread->tid);
	write_object(n, d, WAITS_ROLE_CALL, sends ? POLLOUT : POLLIN);
	if (!is_listening_socket(d))
		add_ends(n, d, WAITS_RELATION_PEER);
}

/* --- the rest --- */

static bool is_terminal(const struct bsd_descriptor *d)
{
	return d->file.type == FDS_TTY || d->file.type == FDS_PTY;
}

static void write_terminal_objects(const struct bsd_wait_node *n, bool writes)
{
	const struct bsd_waits *w = n->run->state;
	const struct bsd_descriptor *d;

	for (size_t i = 0; (d = descriptor_at(w, i)); i++) {
		if (!is_terminal(d))
			continue;
		write_object(n, d, WAITS_ROLE_CALL, writes ? POLLOUT : POLLIN);
		return;
	}
}

/* Adds listening sockets and connections, because an event loop usually watches these. */
static void write_event_objects(const struct bsd_wait_node *n)
{
	const struct bsd_waits *w = n->run->state;
	const struct bsd_descriptor *d, *only = NULL;
	unsigned written = 0, connections = 0;

	for (size_t i = 0; written < WATCHED_MAX && (d = descriptor_at(w, i)); i++) {
		bool is_candidate = d->file.type == FDS_PIPE || d->file.type == FDS_FIFO ||
				    is_terminal(d) || d->is_socket;

		if (!is_candidate)
			continue;
		write_object(n, d, WAITS_ROLE_WATCHED, POLLIN);
		written++;
		if (!d->is_socket || is_listening_socket(d))
			continue;
		connections++;
		only = d;
	}
	if (connections == 1 && written == 1)
		add_ends(n, only, WAITS_RELATION_PEER);
}

static bool has_locked(const struct bsd_file_lock *l, const struct bsd_descriptor *d, uint32_t self)
{
	return l->pid != self && l->inode == d->file.inode &&
	       l->device_major == d->file.device_major && l->device_minor == d->file.device_minor;
}

struct opener {
	const struct bsd_descriptor *file;
	bool has_it;
};

static bool is_open_there(void *user, const struct bsd_descriptor *d)
{
	struct opener *o = user;

	o->has_it = !d->special && !d->file.inode_state && d->file.inode == o->file->file.inode &&
		    d->file.device_major == o->file->file.device_major &&
		    d->file.device_minor == o->file->file.device_minor;
	return !o->has_it;
}

/* Adds the processes that have the file open, because the system does not report which of them
 * holds a lock of flock(2). Some of them may also wait for the lock. */
static void add_openers(const struct bsd_wait_node *n, const struct bsd_descriptor *d)
{
	const struct bsd_source *s = bsd_source_of(n->run->os);
	const struct bsd_waits *w = n->run->state;
	uint32_t pids[PARTIES_MAX];
	unsigned count = 0;

	buffer_each_while (const struct bsd_process, process, &w->processes, count < PARTIES_MAX) {
		struct opener o = { .file = d };

		if (process->is_kernel || process->id.pid == n->process->id.pid)
			continue;
		s->descriptors(s, (pid_t)process->id.pid, is_open_there, &o);
		if (o.has_it)
			pids[count++] = process->id.pid;
	}
	for (unsigned i = 0; i < count; i++)
		bsd_wait_party(n, WAITS_RELATION_LOCK, WAITS_SOURCE_DESCRIPTORS,
			count > 1 ? WAITS_LOW : WAITS_MEDIUM, pids[i], WAITS_NO_FD, d->file.fd);
}

/* Finds the wanted lock: it is on a file that the process has open and another has locked. */
static void write_file_lock_objects(const struct bsd_wait_node *n)
{
	const struct bsd_source *s = bsd_source_of(n->run->os);
	struct bsd_waits *w = n->run->state;
	const struct bsd_descriptor *d;
	unsigned files = 0;

	if (!w->has_locks && s->file_locks && s->file_locks(s, &w->locks))
		buffer_reset(&w->locks);
	w->has_locks = true;
	for (size_t i = 0; (d = descriptor_at(w, i)); i++) {
		bool is_written = false;

		buffer_each_while (const struct bsd_file_lock, l, &w->locks, !d->file.inode_state) {
			if (!has_locked(l, d, n->process->id.pid))
				continue;
			if (!is_written)
				write_object(n, d, WAITS_ROLE_CALL, 0);
			files += !is_written;
			is_written = true;
			if (l->pid)
				bsd_wait_party(n, WAITS_RELATION_LOCK, WAITS_SOURCE_LOCKS,
					files > 1 ? WAITS_LOW : WAITS_HIGH, l->pid, WAITS_NO_FD,
					d->file.fd);
			else
				add_openers(n, d);
		}
	}
}

void bsd_wait_objects(const struct bsd_wait_node *n)
{
	const struct bsd_thread *t = n->thread;
	enum bsd_channel channel;

	if (t->state != 'S' && t->state != 'D')
		return;
	channel = bsd_channel_of(span_of_string(t->wait_channel));
	switch (channel) {
	case BSD_CHANNEL_PIPE_READ:
	case BSD_CHANNEL_PIPE_WRITE:
		write_pipe_objects(n, channel == BSD_CHANNEL_PIPE_WRITE);
		break;
	case BSD_CHANNEL_SOCKET:
	case BSD_CHANNEL_ACCEPTS:
	case BSD_CHANNEL_CONNECTS:
		write_socket_objects(n, channel);
		break;
	case BSD_CHANNEL_TERMINAL_READ:
	case BSD_CHANNEL_TERMINAL_WRITE:
		write_terminal_objects(n, channel == BSD_CHANNEL_TERMINAL_WRITE);
		break;
	case BSD_CHANNEL_CHILD:
		add_children(n, WAITS_HIGH);
		break;
	case BSD_CHANNEL_EVENTS:
		write_event_objects(n);
		add_children(n, WAITS_LOW);
		break;
	case BSD_CHANNEL_SIGNAL:
		add_children(n, WAITS_LOW);
		break;
	case BSD_CHANNEL_FILE_LOCK:
		write_file_lock_objects(n);
		break;
	default:
		/* This system has no wait message. */
		if (!t->wait_channel[0] && n->tid == n->process->id.pid)
			add_children(n, WAITS_LOW);
		break;
	}
}
