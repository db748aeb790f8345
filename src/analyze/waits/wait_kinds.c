/* SPDX-License-Identifier: BSD-2-Clause */
/* What one thread waits for, from its call, the objects of the call and the parties found. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "analyze/waits/wait_chain.h"
#include "base/cleanup.h"
#include "probes/fds.h"
#include "probes/sockets.h"
#include "probes/syscall_names.h"

#define CPU_RUNS 5 /* percent: below, a thread that could run gets no CPU */
#define CHANNEL	 64

static void copy_channel(char out[CHANNEL], const struct waits_thread *t)
{
	struct span channel = record_text(&t->record, &t->wait_channel);

	snprintf(out, CHANNEL, "%.*s", (int)channel.size, channel.data);
}

/* Another process than itself, then the surer one, then one whose own wait was read. */
static bool is_better(const struct wait_graph *g, const struct waits_thread *t,
	const struct waits_party *a, const struct waits_party *b)
{
	bool a_is_own = a->party_pid == t->node_pid, b_is_own = b->party_pid == t->node_pid;

	if (a_is_own != b_is_own)
		return b_is_own;
	if (a->confidence != b->confidence)
		return a->confidence > b->confidence;
	return !wait_graph_process(g, b->party_pid) && wait_graph_process(g, a->party_pid);
}

static const struct waits_party *party_of(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	const struct waits_party *p = NULL, *best = NULL;

	while ((p = wait_graph_party(g, t->node_pid, t->record.tid, p))) {
		if (!best) {
			best = p;
			continue;
		}
		if (p->party_pid != best->party_pid && p->party_pid != t->node_pid &&
			best->party_pid != t->node_pid && p->confidence == best->confidence)
			link->others++;
		if (is_better(g, t, p, best))
			best = p;
	}
	return best;
}

static const struct waits_party *party_with(const struct wait_graph *g,
	const struct waits_thread *t, enum waits_relation relation, unsigned *count)
{
	const struct waits_party *p = NULL, *best = NULL;

	while ((p = wait_graph_party(g, t->node_pid, t->record.tid, p))) {
		if (p->relation != relation)
			continue;
		if (count)
			++*count;
		/* Of several children the youngest: a shell waits for the one in the foreground. */
		if (!best || p->party_start_ticks > best->party_start_ticks ||
			(p->party_start_ticks == best->party_start_ticks &&
				p->party_pid > best->party_pid))
			best = p;
	}
	return best;
}

static const struct waits_object *first_object(
	const struct wait_graph *g, const struct waits_thread *t, enum waits_role role)
{
	const struct waits_object *o = NULL;

	while ((o = wait_graph_object(g, t, o)) && o->role != role)
		;
	return o;
}

static bool is_terminal(const struct waits_object *o)
{
	struct span path = record_text(&o->record, &o->path);

	return (o->type == FDS_PTY || o->type == FDS_TTY) && !span_equal(path, "/dev/ptmx");
}

static bool is_socket(const struct waits_object *o)
{
	return o->type == FDS_UNIX || o->type == FDS_TCP || o->type == FDS_UDP ||
	       o->type == FDS_SOCKET;
}

static bool listens(const struct waits_object *o)
{
	return is_socket(o) && !o->socket_state_state && o->socket_state == SOCKETS_LISTEN;
}

static bool is_connection(const struct waits_object *o)
{
	return is_socket(o) && !listens(o) &&
	       (o->peer_port || o->type == FDS_UNIX || o->type == FDS_SOCKET);
}

/* --- one descriptor --- */

static void of_socket(struct wait_link *link, const struct syscall_row *row,
	const struct waits_object *o, bool writes)
{
	bool connects = row && row->traits & SYSCALL_CONNECTS;

	link->what = listens(o) ? WAIT_ACCEPT
		     : connects || (!o->socket_state_state && o->socket_state == SOCKETS_SYN_SENT)
			     ? WAIT_CONNECT
		     : writes ? WAIT_SOCKET_WRITE
			      : WAIT_SOCKET_READ;
	link->is_idle = link->what == WAIT_ACCEPT;
}

static void of_object(struct wait_link *link, const struct syscall_row *row,
	const struct waits_object *o, bool writes)
{
	link->object = o;
	if (is_terminal(o)) {
		link->what = writes ? WAIT_TERMINAL_WRITE : WAIT_TERMINAL_READ;
		return;
	}
	if (is_socket(o)) {
		of_socket(link, row, o, writes);
		return;
	}
	switch ((enum fds_type)o->type) {
	case FDS_PIPE:
	case FDS_FIFO:
		link->what = writes ? WAIT_PIPE_WRITE : WAIT_PIPE_READ;
		break;
	case FDS_TIMERFD:
		link->what = WAIT_TIMER;
		break;
	case FDS_SIGNALFD:
		link->what = WAIT_SIGNAL;
		link->is_idle = true;
		break;
	case FDS_INOTIFY:
	case FDS_FANOTIFY:
		link->what = WAIT_FILE_CHANGES;
		link->is_idle = true;
		break;
	case FDS_PIDFD:
		link->what = WAIT_CHILD;
		break;
	case FDS_EVENTFD:
	case FDS_EPOLL:
		link->what = WAIT_EVENTS;
		link->is_idle = true;
		link->count = 1;
		break;
	case FDS_FILE:
	case FDS_DIRECTORY:
	case FDS_DELETED:
		link->what = WAIT_IO;
		break;
	default:
		link->what = WAIT_EVENTS;
		link->is_idle = true;
		link->count = 1;
		break;
	}
}

static bool row_writes(const struct syscall_row *row)
{
	return row->transfer.direction == SYSCALL_WRITES ||
	       row->transfer.direction == SYSCALL_COPIES || row->traits & SYSCALL_WRITES_MANY;
}

static void of_data(const struct wait_graph *g, const struct waits_thread *t,
	const struct syscall_row *row, struct wait_link *link)
{
	const struct waits_object *o = first_object(g, t, WAITS_ROLE_CALL);

	link->party = party_of(g, t, link);
	if (!o) {
		link->what = WAIT_IO;
		return;
	}
	of_object(link, row, o, row_writes(row));
}

/* --- several descriptors --- */

struct watched {
	unsigned count, connections, listening;
	const struct waits_object *terminal, *listener, *connection, *pipe, *other;
};

static struct watched watched_of(const struct wait_graph *g, const struct waits_thread *t)
{
	const struct waits_object *o = NULL;
	struct watched w = { 0 };

	while ((o = wait_graph_object(g, t, o))) {
		if (o->role != WAITS_ROLE_WATCHED)
			continue;
		w.count++;
		if (is_terminal(o) && o->events & POLLIN && !w.terminal)
			w.terminal = o;
		w.listening += listens(o);
		if (listens(o) &&
			(!w.listener || (w.listener->type == FDS_UNIX && o->type != FDS_UNIX)))
			w.listener = o;
		w.connections += is_connection(o);
		if (is_connection(o) &&
			(!w.connection || (w.connection->type == FDS_UNIX && o->type != FDS_UNIX)))
			w.connection = o;
		if ((o->type == FDS_PIPE || o->type == FDS_FIFO) && !w.pipe)
			w.pipe = o;
		if (o->type == FDS_INOTIFY || o->type == FDS_TIMERFD || o->type == FDS_SIGNALFD ||
			o->type == FDS_PIDFD)
			w.other = o;
	}
	return w;
}

/* A pipe to itself wakes an event loop: nothing of others comes from there. */
static bool is_from_others(
	const struct wait_graph *g, const struct waits_thread *t, enum waits_relation relation)
{
	const struct waits_party *p = NULL;

	while ((p = wait_graph_party(g, t->node_pid, t->record.tid, p))) {
		if (p->relation == relation && p->party_pid != t->node_pid)
			return true;
	}
	return false;
}

static void of_loop(const struct wait_graph *g, const struct waits_thread *t,
	const struct watched *w, struct wait_link *link)
{
	link->what = WAIT_EVENTS;
	link->is_idle = true;
	link->count = w->count;
	link->confidence = WAITS_HIGH;
	if (w->listener) {
		link->what = WAIT_ACCEPT;
		link->object = w->listener;
		return;
	}
	/* Without a server's sockets it is a launcher that waits for what it started. */
	if (!w->connections && !w->terminal && party_with(g, t, WAITS_RELATION_CHILD, NULL)) {
		unsigned count = 0;

		link->party = party_with(g, t, WAITS_RELATION_CHILD, &count);
		link->others = count - 1;
		link->what = WAIT_CHILD;
		link->confidence = WAITS_MEDIUM;
		link->is_idle = false;
	}
}

static void of_ready(const struct wait_graph *g, const struct waits_thread *t,
	const struct syscall_row *row, struct wait_link *link)
{
	struct watched w = watched_of(g, t);
	const struct waits_object *o = NULL;
	bool is_few = w.count <= 4;

	if (row->traits & SYSCALL_SUBMITS) {
		link->what = WAIT_IO_URING;
		return;
	}
	if (w.listener || !is_few) {
		of_loop(g, t, &w, link);
		return;
	}
	if (w.connections == 1 && !w.terminal)
		o = w.connection;
	else if (w.terminal)
		o = w.terminal;
	else if (w.pipe &&
		 is_from_others(g, t,
			 (w.pipe->events & (POLLIN | POLLOUT)) == POLLOUT ? WAITS_RELATION_READER
									  : WAITS_RELATION_WRITER))
		o = w.pipe;
	else if (w.connections)
		o = w.connection;
	else if (w.other)
		o = w.other;
	if (!o || (o == w.other && party_with(g, t, WAITS_RELATION_CHILD, NULL))) {
		of_loop(g, t, &w, link);
		return;
	}
	of_object(link, NULL, o, (o->events & (POLLIN | POLLOUT)) == POLLOUT);
	link->count = w.count;
	if (is_terminal(o))
		return;
	if (o->type == FDS_PIPE || o->type == FDS_FIFO)
		link->party = party_with(g, t,
			link->what == WAIT_PIPE_WRITE ? WAITS_RELATION_READER
						      : WAITS_RELATION_WRITER,
			NULL);
	else
		link->party = party_with(g, t, WAITS_RELATION_PEER, NULL);
	if (!link->party && is_socket(o))
		link->party = party_with(g, t, WAITS_RELATION_LISTENER, NULL);
	if (link->confidence > WAITS_MEDIUM && w.count > 1)
		link->confidence = WAITS_MEDIUM;
}

/* --- locks, sleeps, the rest --- */

static void of_lock(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	link->party = party_with(g, t, WAITS_RELATION_THREAD, NULL);
	link->what = t->lock == WAITS_LOCK_JOIN && link->party ? WAIT_THREAD_END
		     : link->party			       ? WAIT_MUTEX
							       : WAIT_CONDITION;
}

static void of_time(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	link->what = WAIT_SLEEP;
	link->party = party_with(g, t, WAITS_RELATION_LOCK, NULL);
	if (link->party) {
		link->what = WAIT_LOCK;
	} else {
		link->party = party_with(g, t, WAITS_RELATION_LOCK_FILE, NULL);
		if (link->party)
			link->what = WAIT_LOCK_FILE;
	}
	link->is_polling = link->party != NULL;
}

static void of_signal(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	unsigned count = 0;

	link->party = party_with(g, t, WAITS_RELATION_CHILD, &count);
	link->what = link->party ? WAIT_CHILD : WAIT_SIGNAL;
	link->others = count ? count - 1 : 0;
	link->is_idle = !link->party;
	if (link->party)
		link->confidence = WAITS_MEDIUM;
}

static void of_open(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	link->object = first_object(g, t, WAITS_ROLE_CALL);
	link->party = party_of(g, t, link);
	link->what = link->object && link->object->type == FDS_FIFO ? WAIT_FIFO_OPEN
		     : link->object				    ? WAIT_IO
								    : WAIT_UNKNOWN;
}

static void of_call(const struct wait_graph *g, const struct waits_thread *t,
	const struct syscall_row *row, struct wait_link *link)
{
	unsigned count = 0;

	switch ((enum syscall_wait_kind)row->wait.what) {
	case SYSCALL_WAIT_LOCK:
		of_lock(g, t, link);
		break;
	case SYSCALL_WAIT_TIME:
		of_time(g, t, link);
		break;
	case SYSCALL_WAIT_READY:
		if (row->wait.count && !syscall_value(t->arguments, row->wait.count, 1))
			of_time(g, t, link);
		else
			of_ready(g, t, row, link);
		break;
	case SYSCALL_WAIT_DATA:
		of_data(g, t, row, link);
		break;
	case SYSCALL_WAIT_TURN:
		link->object = first_object(g, t, WAITS_ROLE_CALL);
		link->party = party_of(g, t, link);
		link->what = row->wait.descriptor ? WAIT_LOCK : WAIT_IPC;
		break;
	case SYSCALL_WAIT_CHILD:
	case SYSCALL_WAIT_SPAWN:
		link->what = WAIT_CHILD;
		link->party = party_with(g, t, WAITS_RELATION_CHILD, &count);
		link->others = count ? count - 1 : 0;
		break;
	case SYSCALL_WAIT_SIGNAL:
		of_signal(g, t, link);
		break;
	case SYSCALL_WAIT_YIELD:
		link->what = WAIT_RUNS;
		break;
	default:
		of_open(g, t, link);
		break;
	}
}

/* Where the call cannot be read the wait channel still names the kind. */
static void of_channel(const struct wait_graph *g, const struct waits_thread *t,
	const char *channel, struct wait_link *link)
{
	static const struct {
		const char *part;
		enum wait_what what;
		bool is_idle;
	} known[] = { { "do_wait", WAIT_CHILD, false }, { "pipe_read", WAIT_PIPE_READ, false },
		{ "pipe_write", WAIT_PIPE_WRITE, false }, { "futex_", WAIT_CONDITION, false },
		{ "ep_poll", WAIT_EVENTS, true }, { "poll_schedule", WAIT_EVENTS, true },
		{ "do_select", WAIT_EVENTS, true }, { "do_poll", WAIT_EVENTS, true },
		{ "hrtimer_", WAIT_SLEEP, false }, { "n_tty_read", WAIT_TERMINAL_READ, false },
		{ "sk_wait_data", WAIT_SOCKET_READ, false },
		{ "unix_stream", WAIT_SOCKET_READ, false }, { "csk_accept", WAIT_ACCEPT, true },
		{ "lock_inode_wait", WAIT_LOCK, false }, { "sigsusp", WAIT_SIGNAL, true },
		{ "sigtimedwait", WAIT_SIGNAL, true } };
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!strstr(channel, known[i].part))
			continue;
		link->what = known[i].what;
		link->is_idle = known[i].is_idle;
		link->confidence = WAITS_MEDIUM;
		if (link->what == WAIT_CHILD) {
			link->party = party_with(g, t, WAITS_RELATION_CHILD, &count);
			link->others = count ? count - 1 : 0;
		}
		return;
	}
}

static bool is_frozen(const char *channel)
{
	return strstr(channel, "refrigerator") || strstr(channel, "freezer");
}

static bool is_of_daemon(const char *channel)
{
	return strstr(channel, "fuse") || strstr(channel, "request_wait_answer") ||
	       strstr(channel, "nfs") || strstr(channel, "rpc_") || strstr(channel, "cifs");
}

/* A stop while it used its terminal from the background is the terminal's. */
static void of_stop(const struct wait_graph *g, const struct waits_process *p,
	const struct waits_thread *t, struct wait_link *link)
{
	const struct waits_object *o = t ? first_object(g, t, WAITS_ROLE_CALL) : NULL;
	bool is_background = p->terminal && p->process_group != p->terminal_group;

	link->what = WAIT_STOPPED;
	if (is_background && o && is_terminal(o)) {
		link->what = WAIT_STOPPED_BY_TERMINAL;
		link->object = o;
	}
}

/* States that no call explains. True: that is all. */
static bool of_state(const struct wait_graph *g, const struct waits_process *p,
	const struct waits_thread *t, const char *channel, struct wait_link *link)
{
	char state = t ? t->state : p->state;

	if (p->is_kernel) {
		link->what = WAIT_KERNEL_THREAD;
		link->is_idle = true;
		return true;
	}
	switch (state) {
	case 'Z':
	case 'X':
		link->what = WAIT_ZOMBIE;
		link->party = wait_graph_party(g, p->node_pid, p->node_pid, NULL);
		return true;
	case 'T':
		of_stop(g, p, t, link);
		return true;
	case 't':
		link->what = WAIT_DEBUGGER;
		link->party = wait_graph_party(g, p->node_pid, p->node_pid, NULL);
		return true;
	case 'R':
		link->cpu_percent = wait_graph_thread_cpu(g, t);
		link->what = link->cpu_percent >= 0 && link->cpu_percent < CPU_RUNS ? WAIT_READY
										    : WAIT_RUNS;
		return true;
	default:
		break;
	}
	if (is_frozen(channel)) {
		link->what = WAIT_FROZEN;
		return true;
	}
	if (is_of_daemon(channel)) {
		link->what = WAIT_FILE_SYSTEM;
		link->object = first_object(g, t, WAITS_ROLE_CALL);
		return true;
	}
	return false;
}

static bool is_database_wait(const struct wait_graph *g, const struct waits_process *p)
{
	const struct waits_party *party = wait_graph_party(g, p->node_pid, p->node_pid, NULL);
	struct span title = record_text(&p->record, &p->title);

	while (party && party->relation != WAITS_RELATION_BACKEND)
		party = wait_graph_party(g, p->node_pid, p->node_pid, party);
	return span_starts(title, "postgres: ") && (party || span_contains(title, " waiting"));
}

static void of_database(
	const struct wait_graph *g, const struct waits_process *p, struct wait_link *link)
{
	const struct waits_party *party = NULL;

	link->what = WAIT_DATABASE_LOCK;
	link->party = NULL;
	link->others = 0;
	link->object = NULL;
	while ((party = wait_graph_party(g, p->node_pid, p->node_pid, party))) {
		if (party->relation != WAITS_RELATION_BACKEND)
			continue;
		if (link->party)
			link->others++;
		else
			link->party = party;
	}
	link->confidence = link->others ? WAITS_LOW : WAITS_MEDIUM;
}

/* A call that a stop interrupted goes on under another name, without its arguments. */
static bool is_restarted(const struct syscall_row *row)
{
	return row->wait.what == SYSCALL_WAIT_TIME && !(row->traits & SYSCALL_SLEEPS);
}

struct wait_link wait_link_of(
	const struct wait_graph *g, const struct waits_process *p, const struct waits_thread *t)
{
	struct wait_link link = {
		.process = p, .thread = t, .confidence = WAITS_HIGH, .cpu_percent = -1
	};
	const struct syscall_row *row = NULL;
	char channel[CHANNEL] = "";

	if (t)
		copy_channel(channel, t);
	if (of_state(g, p, t, channel, &link) || !t)
		return link;
	if (is_database_wait(g, p)) {
		of_database(g, p, &link);
		return link;
	}
	if (!t->call_state)
		row = syscall_row_of(t->abi, t->syscall);
	if (row && !is_restarted(row))
		of_call(g, t, row, &link);
	else
		of_channel(g, t, channel, &link);
	if (t->state == 'D' && (link.what == WAIT_UNKNOWN || link.what == WAIT_EVENTS))
		link.what = WAIT_IO;
	if (link.party && link.party->confidence < link.confidence)
		link.confidence = (enum waits_confidence)link.party->confidence;
	if (link.what == WAIT_CHILD && link.party && !link.is_idle &&
		link.confidence < WAITS_MEDIUM)
		link.confidence = WAITS_MEDIUM;
	return link;
}
