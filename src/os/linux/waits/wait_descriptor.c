/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors that a call waits for, and the processes at their other ends. Links and fdinfo
 * are read, files are not: that never blocks.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/waits/wait_reader.h"
#include "probes/sockets.h"

#define PARTIES_MAX   16 /* per descriptor */
#define OUTPUTS_MAX   16 /* of a process */
#define INIT	      1
#define ANCESTORS_MAX 64
#define PIPELINE      5 /* part of a second within which the processes of a pipeline start */

#define PTS_MAJOR                                                                                  \
	136 /* UNIX98_PTY_SLAVE_MAJOR, and how many follow (Documentation/admin-guide/devices.txt) \
	     */
#define PTS_MAJORS 8

#define ANONYMOUS "anon_inode:"

static enum fds_type anonymous_type(struct span name)
{
	static const struct {
		const char *name;
		enum fds_type type;
	} names[] = { { "[eventpoll]", FDS_EPOLL }, { "[eventfd]", FDS_EVENTFD },
		{ "[timerfd]", FDS_TIMERFD }, { "[signalfd]", FDS_SIGNALFD },
		{ "inotify", FDS_INOTIFY }, { "[fanotify]", FDS_FANOTIFY },
		{ "[pidfd]", FDS_PIDFD }, { "[io_uring]", FDS_IO_URING },
		{ "[perf_event]", FDS_PERF }, { "[userfaultfd]", FDS_USERFAULTFD } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (span_equal(name, names[i].name))
			return names[i].type;
	}
	return FDS_ANONYMOUS;
}

/* Returns whether a link is to the master end of a pseudo terminal, which its program has. */
static bool is_master(struct span link)
{
	return span_equal(link, "/dev/ptmx") || span_equal(link, "/dev/pts/ptmx");
}

/* Returns the type by the link. A path that shows no other type counts as a file. */
static enum fds_type type_of(struct span link)
{
	if (span_starts(link, "pipe:["))
		return FDS_PIPE;
	if (span_starts(link, "socket:["))
		return FDS_SOCKET;
	if (span_starts(link, ANONYMOUS))
		return anonymous_type(
			span_of(link.data + strlen(ANONYMOUS), link.size - strlen(ANONYMOUS)));
	if (span_starts(link, "pidfd:"))
		return FDS_PIDFD;
	if (span_starts(link, "/dev/pts/") || is_master(link))
		return FDS_PTY;
	if (span_starts(link, "/dev/tty") || span_equal(link, "/dev/console"))
		return FDS_TTY;
	if (span_starts(link, "/dev/"))
		return FDS_DEVICE;
	if (span_starts(link, "/memfd:"))
		return FDS_MEMFD;
	return FDS_FILE;
}

static bool read_info(
	struct wait_reader *r, const struct wait_node *n, uint32_t fd, struct fdinfo *info)
{
	char path[48];

	snprintf(path, sizeof(path), "fdinfo/%u", fd);
	*info = (struct fdinfo){ 0 };
	if (procfs_read_at(n->process, path, &r->more, PROCFS_SMALL) < 0)
		return false;
	fdinfo_parse(info, r->more.data, r->more.size);
	return true;
}

bool wait_read_file_identity(struct wait_reader *r, struct wait_node *n, uint32_t fd,
	uint64_t *inode, uint32_t *major, uint32_t *minor)
{
	const struct mount *mount;
	struct fdinfo info;

	if (!read_info(r, n, fd, &info) || !(info.has & FDINFO_MOUNT) || !info.inode)
		return false;
	if (!n->has_mounts)
		mounts_read(&n->mounts, n->process, &r->more);
	n->has_mounts = true;
	mount = mounts_get(&n->mounts, info.mount);
	if (!mount)
		return false;
	*inode = info.inode;
	*major = mount->device_major;
	*minor = mount->device_minor;
	return true;
}

/* --- parties --- */

struct end_search {
	enum wait_end_kind kind;
	uint64_t key;
	bool wants_writers;	    /* true: search for writers; false: for readers */
	bool is_both;		    /* a socket: both ends read and write */
	const struct fdinfo *queue; /* of the queue; NULL: a path names one object */
	struct wait_found found;
};

/* Returns whether `below` is a sleep in which a script of `above` waits: it writes nothing
 * itself. */
static bool is_pause_of(struct wait_reader *r, uint32_t below, uint32_t above)
{
	const struct wait_entry *entry = wait_table_get(&r->table, below);

	return entry && !strcmp(entry->name, "sleep") &&
	       wait_table_is_ancestor(&r->table, above, below);
}

/* Returns whether a process only passed the end on: a child of it has the same end. */
static bool passed_on(struct wait_reader *r, const struct wait_node *n, const struct wait_end *ends,
	size_t count, const struct wait_end *end)
{
	for (size_t i = 0; i < count; i++) {
		if (ends[i].pid != n->stat.pid && is_pause_of(r, end->pid, ends[i].pid))
			return true;
		if (is_pause_of(r, ends[i].pid, end->pid))
			continue;
		if (ends[i].pid != end->pid && ends[i].pid != n->stat.pid &&
			wait_table_is_ancestor(&r->table, end->pid, ends[i].pid))
			return true;
	}
	return false;
}

/* Returns the process that adopted a writer, or the one above it that lost its parent: it is above
 * the reader, a child of which has ended and left the writer behind. 0: none did. The standard
 * input of a reader may come from another part of its pipeline, whose parent is that of the
 * reader. */
static uint32_t adopter_of(struct wait_reader *r, const struct wait_node *n, uint32_t pid)
{
	const struct wait_entry *e = wait_table_get(&r->table, pid);
	uint64_t later = r->waiting_fd ? 0 : r->ticks_per_s / PIPELINE;

	for (unsigned i = 0; e && e->pid != n->stat.pid && i < ANCESTORS_MAX; i++) {
		bool is_init = e->ppid == INIT;

		if (is_init || wait_table_is_ancestor(&r->table, e->ppid, n->stat.pid))
			return (is_init || r->waiting_fd) &&
					       e->start_ticks > n->stat.start_ticks + later
				       ? e->ppid
				       : 0;
		e = wait_table_get(&r->table, e->ppid);
	}
	return 0;
}

static bool is_output_descriptor(uint32_t fd)
{
	return fd == STDOUT_FILENO || fd == STDERR_FILENO;
}

/* Reads the information of another process's descriptor. */
static bool read_end(struct wait_reader *r, const struct wait_end *end, struct fdinfo *info)
{
	char path[32];

	*info = (struct fdinfo){ 0 };
	snprintf(path, sizeof(path), "fdinfo/%u", end->fd);
	if (procfs_read(procfs_living((pid_t)end->pid), path, &r->more, PROCFS_SMALL) < 0)
		return false;
	fdinfo_parse(info, r->more.data, r->more.size);
	return true;
}

/* Returns whether the end is the queue that was searched: each IPC namespace has its own names, and
 * a file may have such a path, too. */
static bool is_queue(struct wait_reader *r, const struct wait_end *end, const struct fdinfo *queue)
{
	struct fdinfo info;

	if (!read_end(r, end, &info))
		return false;
	return info.inode == queue->inode && info.mount == queue->mount;
}

/* A process that waits at a queue is no end of it: most open it for both ways. */
static bool matches_end(struct wait_reader *r, const struct wait_node *n,
	const struct wait_end *end, const struct end_search *s)
{
	return (s->is_both || (s->wants_writers ? wait_end_writes(end) : wait_end_reads(end))) &&
	       (!s->queue || (end->pid != n->stat.pid && is_queue(r, end, s->queue)));
}

/* Adds the processes that have the end. A process that uses the end itself comes first. */
static unsigned add_ends(
	struct wait_reader *r, const struct wait_node *n, uint32_t tid, const struct end_search *s)
{
	size_t count, fitting = 0;
	const struct wait_end *all = wait_ends_first(&r->ends, s->kind, s->key, &count);
	struct wait_end ends[PARTIES_MAX];
	bool is_own =
		false; /* it has that end, too: jobs that pass on a token wait for each other */
	unsigned added = 0;

	r->ends_state = wait_ends_state(&r->ends);
	for (size_t i = 0; i < count && fitting < PARTIES_MAX; i++) {
		bool is_known = fitting && ends[fitting - 1].pid == all[i].pid;

		if (!is_known && matches_end(r, n, &all[i], s)) {
			is_own |= all[i].pid == n->stat.pid;
			ends[fitting++] = all[i];
		}
	}
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < fitting; i++) {
			struct wait_found found = s->found;
			uint32_t adopter;

			if (passed_on(r, n, ends, fitting, &ends[i]) != (pass == 1))
				continue;
			found.pid = ends[i].pid;
			found.fd = ends[i].fd;
			found.follows =
				(pass == 0 || is_own) && found.follows && found.pid != n->stat.pid;
			if (pass == 1 && found.confidence > WAITS_LOW)
				found.confidence = WAITS_LOW;
			adopter = s->wants_writers || s->is_both ? adopter_of(r, n, found.pid) : 0;
			if (adopter)
				found.source = WAITS_SOURCE_ADOPTED;
			/* It may also have been started there, and given the pipe. */
			if (adopter > INIT && found.confidence > WAITS_MEDIUM)
				found.confidence = WAITS_MEDIUM;
			if (adopter && !is_output_descriptor(found.fd))
				found.confidence = WAITS_LOW;
			wait_add_party(r, n, tid, &found);
			added++;
		}
	}
	return added;
}

/* Returns whether no process that could be read has the pipe open to read. */
static bool has_no_reader(struct wait_reader *r, uint64_t inode)
{
	size_t count;
	const struct wait_end *ends = wait_ends_first(&r->ends, WAIT_END_PIPE, inode, &count);

	for (size_t i = 0; ends && i < count; i++) {
		if (wait_end_reads(&ends[i]))
			return false;
	}
	r->ends_state = wait_ends_state(&r->ends);
	return ends && r->ends_state != SOOTH_STATE_TRUNCATED;
}

void wait_add_unread_output(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	struct buffer link = { 0 };
	uint64_t inode;

	if (!procfs_link_at(n->process, "fd/1", &link) &&
		procfs_link_inode(span_of((const char *)link.data, link.size), "pipe:[", &inode) &&
		has_no_reader(r, inode))
		wait_add_descriptor(r, n, c, STDOUT_FILENO, WAITS_ROLE_OUTPUT, POLLOUT, false);
	buffer_fini(&link);
}

static void add_pipe(struct wait_reader *r, const struct wait_node *n, uint32_t tid, uint64_t inode,
	bool writes, bool follows)
{
	struct end_search s = { .kind = WAIT_END_PIPE,
		.key = inode,
		.wants_writers = !writes,
		.found = { .relation = writes ? WAITS_RELATION_READER : WAITS_RELATION_WRITER,
			.source = WAITS_SOURCE_DESCRIPTORS,
			.confidence = WAITS_HIGH,
			.follows = follows } };

	add_ends(r, n, tid, &s);
}

static void add_fifo(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	struct span path, bool writes, const struct fdinfo *queue)
{
	struct end_search s = { .kind = WAIT_END_PATH,
		.key = wait_ends_hash_path(path),
		.wants_writers = !writes,
		.queue = queue,
		.found = { .relation = writes ? WAITS_RELATION_READER : WAITS_RELATION_WRITER,
			.source = WAITS_SOURCE_DESCRIPTORS,
			.confidence = WAITS_HIGH,
			.follows = true } };

	add_ends(r, n, tid, &s);
}

static unsigned add_socket_owner(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	uint64_t inode, enum waits_relation relation, bool follows)
{
	struct end_search s = { .kind = WAIT_END_SOCKET,
		.key = inode,
		.is_both = true,
		.found = { .relation = relation,
			.source = WAITS_SOURCE_SOCKETS,
			.confidence = WAITS_HIGH,
			.follows = follows } };

	return add_ends(r, n, tid, &s);
}

static void add_listener(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	const struct wait_socket *socket)
{
	const struct wait_socket *listener = wait_sockets_listener(&r->sockets, socket);

	if (listener && listener->inode)
		add_socket_owner(r, n, tid, listener->inode, WAITS_RELATION_LISTENER, true);
}

static void add_peer(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	const struct wait_socket *socket, bool follows)
{
	const struct wait_socket *peer = wait_sockets_peer(&r->sockets, socket);

	if (peer && add_socket_owner(r, n, tid, peer->inode, WAITS_RELATION_PEER, follows))
		return;
	if (!peer && follows && wait_socket_is_local(socket))
		add_listener(r, n, tid, socket);
}

/* Adds the name for a blocked connect of a unix socket: only memory has that name. */
static void add_named(struct wait_reader *r, const struct wait_node *n, const struct wait_call *c,
	struct buffer *name)
{
	struct sockaddr_un to = { 0 };
	size_t size = (size_t)c->thread->arguments[2];
	const struct wait_socket *listener;

	if (size <= sizeof(to.sun_family) || size > sizeof(to) ||
		!wait_read_memory(r, n, c->thread->arguments[1], &to, size) ||
		to.sun_family != AF_UNIX)
		return;
	if (!to.sun_path[0])
		to.sun_path[0] = '@';
	buffer_append(name, to.sun_path, strnlen(to.sun_path, sizeof(to.sun_path)));
	listener = wait_sockets_named(&r->sockets, span_of((const char *)name->data, name->size));
	if (listener && listener->inode)
		add_socket_owner(r, n, c->thread->record.tid, listener->inode,
			WAITS_RELATION_LISTENER, true);
}

/* --- the record --- */

struct object {
	struct waits_object record;
	struct span link;
	struct buffer local, peer;
};

static void fill_socket(struct object *o, const struct wait_socket *socket)
{
	static const enum fds_type types[] = { FDS_TCP, FDS_UDP };
	struct waits_object *w = &o->record;

	w->type = socket->family == AF_UNIX ? FDS_UNIX : types[socket->protocol == IPPROTO_UDP];
	w->socket_state = socket->state;
	w->socket_state_state = SOOTH_STATE_VALUE;
	w->receive_queue = socket->receive_queue;
	w->send_queue = socket->send_queue;
	w->local_port = socket->local_port;
	w->peer_port = socket->peer_port;
	wait_socket_local(&o->local, socket);
	wait_socket_peer(&o->peer, socket);
}

/* Returns whether to search for the other end although the call waits for many descriptors: it may
 * be the output of a command that has ended. */
static bool may_be_output(struct wait_node *n, const struct waits_object *w, bool writes)
{
	return w->role == WAITS_ROLE_WATCHED && !writes && n->outputs++ < OUTPUTS_MAX;
}

static void read_socket(struct wait_reader *r, struct wait_node *n, const struct wait_call *c,
	struct object *o, uint64_t inode, bool wants_parties)
{
	bool follows = wants_parties;
	const struct wait_socket *socket = wait_sockets_get(&r->sockets, n->process, inode);
	uint32_t tid = c->thread->record.tid;
	const struct wait_socket *peer;

	r->sockets_state = r->sockets.state;
	if (socket) {
		fill_socket(o, socket);
		o->record.has_open_request = wait_sockets_is_accepted(&r->sockets, socket)
						     ? WAITS_REQUEST_NONE
						     : socket->awaits_answer;
		wants_parties |= o->record.has_open_request != WAITS_REQUEST_NONE;
		follows = wants_parties;
		wants_parties |= (socket->family == AF_UNIX && !o->local.size && !o->peer.size &&
				  may_be_output(n, &o->record, false));
		o->record.is_peer_gone = wait_sockets_is_half_open(&r->sockets, socket);
	}
	if (socket && socket->family == AF_UNIX && !o->local.size) {
		peer = wait_sockets_peer(&r->sockets, socket);
		if (!peer)
			peer = wait_sockets_listener(&r->sockets, socket);
		if (peer)
			wait_socket_local(&o->peer, peer);
	}
	if (!wants_parties)
		return;
	if (c->row && c->row->traits & SYSCALL_CONNECTS && (!socket || socket->family == AF_UNIX)) {
		o->record.type = FDS_UNIX;
		add_named(r, n, c, &o->peer);
	} else if (socket && socket->state != SOCKETS_LISTEN) {
		add_peer(r, n, tid, socket, follows);
	}
}

/* Adds the process that runs the terminal: it has the other side open. */
static void add_terminal(
	struct wait_reader *r, const struct wait_node *n, uint32_t tid, uint64_t number)
{
	size_t count;
	const struct wait_end *ends = wait_ends_first(
		&r->ends, WAIT_END_PATH, wait_ends_hash_path(span_of_string("/dev/ptmx")), &count);

	for (size_t i = 0; i < count; i++) {
		struct wait_found found = { .relation = WAITS_RELATION_TERMINAL,
			.source = WAITS_SOURCE_DESCRIPTORS,
			.confidence = WAITS_HIGH,
			.pid = ends[i].pid,
			.fd = ends[i].fd,
			.follows = true };
		struct fdinfo info;

		if (read_end(r, &ends[i], &info) && info.has & FDINFO_TERMINAL &&
			info.terminal == number) {
			wait_add_party(r, n, tid, &found);
			return;
		}
	}
}

/* Sets the number of the pseudo terminal to which a link leads; /dev/tty is the controlling one. */
static bool terminal_number(const struct wait_node *n, struct span link, uint64_t *number)
{
	unsigned type = major(n->stat.terminal);

	if (span_equal(link, "/dev/tty") && type >= PTS_MAJOR && type < PTS_MAJOR + PTS_MAJORS) {
		*number = minor(n->stat.terminal) + (uint64_t)(type - PTS_MAJOR) * 256;
		return true;
	}
	return span_starts(link, "/dev/pts/") &&
	       span_decimal(span_of(link.data + 9, link.size - 9), number);
}

/* Adds the programs on the terminal that the process runs. */
static void add_terminal_users(
	struct wait_reader *r, const struct wait_node *n, uint32_t tid, uint32_t fd)
{
	struct fdinfo info;
	char path[32];

	if (!read_info(r, n, fd, &info) || !(info.has & FDINFO_TERMINAL))
		return;
	snprintf(path, sizeof(path), "/dev/pts/%u", (unsigned)info.terminal);
	struct end_search s = { .kind = WAIT_END_PATH,
		.key = wait_ends_hash_path(span_of_string(path)),
		.is_both = true,
		.found = { .relation = WAITS_RELATION_TERMINAL_USER,
			.source = WAITS_SOURCE_DESCRIPTORS,
			.confidence = WAITS_HIGH,
			.detail = span_of_string(path),
			.follows = true } };

	add_ends(r, n, tid, &s);
}

static bool call_writes(const struct wait_call *c)
{
	return c->row && (c->row->transfer.direction == SYSCALL_WRITES ||
				 c->row->transfer.direction == SYSCALL_COPIES ||
				 c->row->traits & SYSCALL_WRITES_MANY);
}

static void read_kind(struct wait_reader *r, struct wait_node *n, const struct wait_call *c,
	struct object *o, bool wants_parties)
{
	struct waits_object *w = &o->record;
	uint32_t tid = c->thread->record.tid;
	bool is_watched = w->role == WAITS_ROLE_WATCHED;
	bool writes = is_watched ? (w->events & (POLLIN | POLLOUT)) == POLLOUT : call_writes(c);
	struct fdinfo info;
	uint64_t number;

	switch ((enum fds_type)w->type) {
	case FDS_PIPE:
		sscanf(o->link.data, "pipe:[%lu", &w->inode);
		if (wants_parties || may_be_output(n, w, writes))
			add_pipe(r, n, tid, w->inode, writes, wants_parties);
		break;
	case FDS_SOCKET:
		sscanf(o->link.data, "socket:[%lu", &w->inode);
		read_socket(r, n, c, o, w->inode, wants_parties);
		break;
	case FDS_FIFO:
		if (wants_parties)
			add_fifo(r, n, tid, o->link, writes, NULL);
		break;
	case FDS_QUEUE:
		if (wants_parties && read_info(r, n, w->fd, &info))
			add_fifo(r, n, tid, o->link, writes, &info);
		break;
	case FDS_PTY:
	case FDS_TTY:
		if (wants_parties && is_master(o->link))
			add_terminal_users(r, n, tid, w->fd);
		else if (wants_parties && !is_watched && terminal_number(n, o->link, &number))
			add_terminal(r, n, tid, number);
		break;
	case FDS_TIMERFD:
		if (read_info(r, n, w->fd, &info) && info.has & FDINFO_TIMER) {
			w->expires_ns = info.next_ns;
			w->expires_state = SOOTH_STATE_VALUE;
		}
		break;
	case FDS_PIDFD:
		if (wants_parties && read_info(r, n, w->fd, &info) && info.has & FDINFO_PID &&
			info.pid > 0)
			wait_add_party(r, n, tid,
				&(struct wait_found){ .relation = WAITS_RELATION_CHILD,
					.source = WAITS_SOURCE_DESCRIPTORS,
					.confidence = WAITS_HIGH,
					.pid = (uint32_t)info.pid,
					.fd = w->fd,
					.follows = true });
		break;
	default:
		break;
	}
}

/* Adds the parent, if it has the same pipe, FIFO or socket as standard input: a command that was
 * started without an input of its own reads data that was sent to the parent. */
static void add_sharer(struct wait_reader *r, const struct wait_node *n, const struct wait_call *c,
	const struct object *o)
{
	const struct waits_object *w = &o->record;
	struct wait_found found = { .relation = WAITS_RELATION_SHARER,
		.source = WAITS_SOURCE_DESCRIPTORS,
		.confidence = WAITS_HIGH,
		.pid = n->stat.ppid };
	_cleanup_close_ int parent = -1;

	if (w->fd || call_writes(c) ||
		(w->type != FDS_PIPE && w->type != FDS_FIFO && w->type != FDS_UNIX))
		return;
	parent = procfs_open((pid_t)n->stat.ppid);
	if (parent >= 0 && !procfs_link_at(parent, "fd/0", &r->more) &&
		r->more.size == o->link.size && !memcmp(r->more.data, o->link.data, o->link.size))
		wait_add_party(r, n, c->thread->record.tid, &found);
}

/* Returns a better type. The links of a POSIX queue and a FIFO look like the link of a file. A
 * queue has calls of its own, which wait until a time; ioctl and fcntl do not. Two signs show a
 * FIFO: the wait channel names a pipe, or a thread waits until the descriptor is ready. A file is
 * always ready. */
static enum fds_type refined_type(const struct object *o, const struct wait_call *c)
{
	bool is_of_queue = c->row && c->row->category == SYSCALL_CATEGORY_IPC &&
			   c->row->wait.timeout && c->row->wait.what == SYSCALL_WAIT_DATA;
	enum fds_type type = type_of(o->link);
	bool is_pipe = strstr(c->channel, "pipe") || strstr(c->channel, "fifo");
	bool is_of_kernel = span_starts(o->link, "/proc/") || span_starts(o->link, "/sys/");

	is_pipe |= o->record.role == WAITS_ROLE_WATCHED && !is_of_kernel;
	if (type != FDS_FILE)
		return type;
	return is_of_queue ? FDS_QUEUE : is_pipe ? FDS_FIFO : FDS_FILE;
}

static void write_object(struct wait_reader *r, const struct wait_call *c, struct object *o)
{
	o->record.record = wait_record(r, c->thread->record.tid, WAITS_OBJECT);
	o->record.node_pid = c->thread->node_pid;
	o->record.node_start_ticks = c->thread->node_start_ticks;
	struct record_tail tail[] = {
		{ &o->record.path, o->link.data, o->link.size },
		{ &o->record.local, o->local.data, o->local.size },
		{ &o->record.peer, o->peer.data, o->peer.size },
	};
	RECORD_APPEND(&r->run->out, &o->record, tail, ARRAY_SIZE(tail));
}

enum fds_type wait_add_descriptor(struct wait_reader *r, struct wait_node *n,
	const struct wait_call *c, uint32_t fd, enum waits_role role, uint32_t events,
	bool wants_parties)
{
	struct object o = { .record = { .fd = fd,
				    .role = role,
				    .events = events,
				    .socket_state_state = SOOTH_STATE_ABSENT,
				    .expires_state = SOOTH_STATE_ABSENT } };
	struct buffer link = { 0 };
	enum fds_type type;
	char path[48];

	snprintf(path, sizeof(path), "fd/%u", fd);
	if (procfs_link_at(n->process, path, &link)) {
		buffer_fini(&link);
		return FDS_UNKNOWN;
	}
	buffer_cstr(&link);
	o.link = span_of((const char *)link.data, link.size);
	o.record.type = refined_type(&o, c);
	r->waiting_fd = fd;
	read_kind(r, n, c, &o, wants_parties);
	if (role == WAITS_ROLE_CALL)
		add_sharer(r, n, c, &o);
	r->waiting_fd = WAITS_NO_FD;
	type = o.record.type;
	write_object(r, c, &o);
	buffer_fini(&o.local);
	buffer_fini(&o.peer);
	buffer_fini(&link);
	return type;
}
