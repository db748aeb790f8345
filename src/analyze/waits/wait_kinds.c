/* SPDX-License-Identifier: BSD-2-Clause */
/* The wait of one thread, from its call, the objects of the call and the parties found. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "analyze/waits/wait_channels.h"
#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_object_kinds.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "probes/fds.h"
#include "probes/signal_names.h"
#include "probes/sockets.h"
#include "probes/syscall_names.h"

#define CPU_RUNS 5 /* percent: with less, a thread that could run gets no CPU */
#define CHANNEL	 64

static void copy_channel(char out[CHANNEL], const struct waits_thread *t)
{
	struct span channel = record_text(&t->record, &t->wait_channel);

	snprintf(out, CHANNEL, "%.*s", (int)channel.size, channel.data);
}

/* --- one descriptor --- */

static bool row_writes(const struct syscall_row *row)
{
	return row->transfer.direction == SYSCALL_WRITES ||
	       row->transfer.direction == SYSCALL_COPIES || row->traits & SYSCALL_WRITES_MANY;
}

static void explain_data_wait(const struct wait_graph *g, const struct waits_thread *t,
	const struct syscall_row *row, struct wait_link *link)
{
	const struct waits_object *o = wait_first_object(g, t, WAITS_ROLE_CALL);

	link->party = wait_best_party(g, t, link);
	if (!o) {
		link->what = WAIT_IO;
		return;
	}
	wait_link_of_object(link, row, o, row_writes(row));
}

/* --- several descriptors --- */

struct watched {
	unsigned count, connections, requests;
	const struct waits_object *terminal, *listener, *connection, *pipe, *other;
	const struct waits_object *request; /* socket with an open request to a server */
	const struct waits_object *own;	    /* socket with an open request to its own listener */
	const struct waits_object *full;    /* connection that cannot be written to */
	bool has_signals;
};

/* Returns whether the other end is the process itself: such a pipe or socket only wakes an event
 * loop. A connection to its own listener that is not yet accepted is a request to itself. */
static bool is_own(
	const struct wait_graph *g, const struct waits_thread *t, const struct waits_object *o)
{
	const struct waits_party *p = wait_party_by_fd(g, t, o->fd);

	return p && p->party_pid == t->node_pid;
}

static bool is_connected_to_itself(
	const struct wait_graph *g, const struct waits_thread *t, const struct waits_object *o)
{
	return wait_party_by_fd(g, t, o->fd)->relation == WAITS_RELATION_LISTENER;
}

/* Returns whether a network socket is preferred to a known local one. */
static bool is_clearer(const struct waits_object *o, const struct waits_object *known)
{
	return !known || (known->type == FDS_UNIX && o->type != FDS_UNIX);
}

static void set_watched_object(struct watched *w, const struct waits_object *o)
{
	if (wait_is_terminal(o) && o->events & POLLIN && !w->terminal)
		w->terminal = o;
	if (wait_listens(o) && is_clearer(o, w->listener))
		w->listener = o;
	w->connections += wait_is_connection(o);
	if (o->has_open_request) {
		w->requests++;
		w->request = o;
	}
	if (wait_is_connection(o) && is_clearer(o, w->connection))
		w->connection = o;
	if (wait_is_pipe(o) && !w->pipe)
		w->pipe = o;
	w->has_signals |= o->type == FDS_SIGNALFD;
	if (o->type == FDS_INOTIFY || o->type == FDS_TIMERFD || o->type == FDS_SIGNALFD ||
		o->type == FDS_PIDFD)
		w->other = o;
}

static struct watched watched_of(const struct wait_graph *g, const struct waits_thread *t)
{
	const struct waits_object *o = NULL;
	struct watched w = { 0 };

	while ((o = wait_graph_object(g, t, o))) {
		if (o->role != WAITS_ROLE_WATCHED)
			continue;
		w.count++;
		if (!w.full && wait_is_unwritable(t, o))
			w.full = o;
		if (!is_own(g, t, o))
			set_watched_object(&w, o);
		else if (is_connected_to_itself(g, t, o))
			w.own = o;
	}
	return w;
}

bool wait_is_server_of(const struct wait_graph *g, uint32_t child, uint32_t parent)
{
	const struct waits_process *p = wait_graph_process(g, child);
	const struct waits_thread *t = wait_graph_thread_of(g, child, child);
	const struct waits_party *party = NULL;

	if (!p || !t || t->state == 'Z')
		return true;
	while ((party = wait_graph_party(g, child, child, party))) {
		if (party->party_pid == parent && party->relation != WAITS_RELATION_PARENT)
			return true;
	}
	return wait_link_of(g, p, t).is_idle;
}

/* Returns whether the child was already listed, because the process also has a pidfd of it. */
static bool is_repeated(const struct wait_graph *g, const struct waits_party *of)
{
	const struct waits_party *p = NULL;

	while ((p = wait_graph_party(g, of->node_pid, of->record.tid, p)) && p != of) {
		if (p->relation == of->relation && p->party_pid == of->party_pid)
			return true;
	}
	return false;
}

/* Returns whether a handler gets ends of children; true if that is unknown (older capture). */
static bool catches_child_ends(const struct wait_graph *g, const struct waits_thread *t)
{
	const struct waits_signals *s = find_process_signals(&g->records, t->node_pid);

	return !s || s->caught >> (SIGNAL_CHILD - 1) & 1;
}

static bool is_connected_to_child(
	const struct wait_graph *g, const struct waits_thread *t, const struct waits_object *o)
{
	const struct waits_party *by = wait_party_by_fd(g, t, o->fd), *p = NULL;

	while (by && (p = wait_graph_party(g, t->node_pid, t->record.tid, p))) {
		if (p->relation == WAITS_RELATION_CHILD && p->party_pid == by->party_pid)
			return true;
	}
	return false;
}

bool wait_is_woken_by_children(const struct wait_graph *g, const struct waits_thread *t)
{
	const struct waits_object *o = NULL;

	if (catches_child_ends(g, t))
		return true;
	while ((o = wait_graph_object(g, t, o))) {
		if (o->role == WAITS_ROLE_WATCHED &&
			(o->type == FDS_PIDFD || o->type == FDS_SIGNALFD ||
				is_connected_to_child(g, t, o)))
			return true;
	}
	return false;
}

/* Finds a child that an event loop waits for: it gets its end by a signal or a descriptor. */
static bool explain_worker(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	const struct waits_party *p = NULL, *best = NULL;
	unsigned count = 0;

	while ((p = wait_graph_party(g, t->node_pid, t->record.tid, p))) {
		if (p->relation != WAITS_RELATION_CHILD || is_repeated(g, p) ||
			wait_is_server_of(g, p->party_pid, t->node_pid))
			continue;
		count++;
		if (!best || p->party_start_ticks > best->party_start_ticks)
			best = p;
	}
	if (!best)
		return false;
	link->what = WAIT_CHILD;
	link->party = best;
	link->others = count - 1;
	link->confidence = WAITS_MEDIUM;
	return true;
}

static void explain_event_loop(const struct watched *w, struct wait_link *link)
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
}

/* Returns whether a pipe of the parent only serves to notice the parent's end, as in helpers of
 * PostgreSQL, which are woken by signals. */
static bool is_death_watch(
	const struct wait_graph *g, const struct waits_thread *t, const struct watched *w)
{
	const struct waits_process *p = wait_graph_process(g, t->node_pid);
	const struct waits_party *party = w->pipe ? wait_party_by_fd(g, t, w->pipe->fd) : NULL;

	return w->has_signals && p && party && party->party_pid == p->ppid;
}

static void explain_request_wait(const struct wait_graph *g, const struct waits_thread *t,
	const struct watched *w, struct wait_link *link)
{
	link->what = WAIT_SOCKET_READ;
	link->is_idle = false;
	link->object = w->request;
	link->party = wait_party_by_fd(g, t, w->request->fd);
	link->confidence = WAITS_MEDIUM;
}

void wait_link_follow_server(const struct wait_graph *g, struct wait_link *link)
{
	struct watched w;

	if (link->what != WAIT_ACCEPT || !link->thread)
		return;
	w = watched_of(g, link->thread);
	if (w.requests == 1)
		explain_request_wait(g, link->thread, &w, link);
}

static void explain_poll(const struct wait_graph *g, const struct waits_thread *t,
	const struct syscall_row *row, struct wait_link *link)
{
	struct watched w = watched_of(g, t);
	const struct waits_object *o = NULL;
	bool is_few = w.count <= 4;
	bool is_epoll = row->arguments[1] == ARGUMENT_TYPE_epoll_out;

	if (row->traits & SYSCALL_SUBMITS) {
		link->what = WAIT_IO_URING;
		return;
	}
	if (w.own && is_few) {
		wait_link_of_object(link, NULL, w.own, false);
		link->party = wait_party_by_fd(g, t, w.own->fd);
		return;
	}
	if (w.full && !w.listener && is_few) {
		wait_link_of_object(link, NULL, w.full, true);
		link->count = w.count;
		link->party = wait_party_by_fd(g, t, w.full->fd);
		return;
	}
	if (!w.listener && (is_epoll || !w.terminal) &&
		!(is_few && w.pipe && wait_party_by_fd(g, t, w.pipe->fd)) &&
		wait_is_woken_by_children(g, t) && explain_worker(g, t, link))
		return;
	if (!w.listener && !is_few && w.requests == 1) {
		explain_request_wait(g, t, &w, link);
		return;
	}
	if (w.listener || !is_few || is_death_watch(g, t, &w)) {
		explain_event_loop(&w, link);
		return;
	}
	if (w.connections == 1 && !w.terminal)
		o = w.connection;
	else if (w.terminal)
		o = w.terminal;
	else if (w.pipe && wait_party_by_fd(g, t, w.pipe->fd))
		o = w.pipe;
	else if (w.connections)
		o = w.connection;
	else if (w.other)
		o = w.other;
	if (!o || (o == w.other && wait_youngest_party(g, t, WAITS_RELATION_CHILD, NULL))) {
		explain_event_loop(&w, link);
		return;
	}
	wait_link_of_object(link, NULL, o, (o->events & (POLLIN | POLLOUT)) == POLLOUT);
	link->count = w.count;
	if (wait_is_terminal(o))
		return;
	link->party = wait_party_by_fd(g, t, o->fd);
	if (link->confidence > WAITS_MEDIUM && w.count > 1)
		link->confidence = WAITS_MEDIUM;
}

/* --- a lock in shared memory --- */

enum stand {
	STAND_APART,   /* waits for the lock too, or for a child */
	STAND_UNKNOWN, /* may have it, and may release it */
	STAND_BLOCKED,
	STAND_STOPPED,
};

#define OWED_LEAST (3 * NS_PER_S)

/* Returns whether the thread has waited for some seconds for an answer that its process asked for.
 */
static bool is_asking(const struct wait_link *link)
{
	return link->what == WAIT_SOCKET_READ && wait_is_outgoing(link->object) &&
	       !link->thread->since_state && link->thread->since_ns >= OWED_LEAST;
}

/* Returns whether the thread is in a call that waits in this way. */
static bool is_in_call(const struct waits_thread *t, enum syscall_wait_kind what)
{
	const struct syscall_row *row = t->call_state ? NULL : syscall_row_of(t->abi, t->syscall);

	return row && row->wait.what == what;
}

/* Returns how a process with the same memory stands to the lock. Threads at a futex are not looked
 * at any further: they may wait for this lock. */
static enum stand lock_state_of(const struct wait_graph *g, const struct waits_process *p)
{
	bool waits_too = false, waits_for_child = true;
	enum stand stand = STAND_UNKNOWN;

	wait_threads_each (g, p->node_pid, t) {
		struct wait_link link;

		if (is_in_call(t, SYSCALL_WAIT_LOCK)) {
			waits_too |= !(t->arguments[1] & WAITS_FUTEX_PRIVATE);
			continue;
		}
		link = wait_link_of(g, p, t);
		if (wait_is_stopped(&link) || link.what == WAIT_DEBUGGER)
			return STAND_STOPPED;
		if (wait_is_held(&link) || is_asking(&link))
			stand = STAND_BLOCKED;
		waits_for_child &= link.what == WAIT_CHILD;
	}
	return stand == STAND_UNKNOWN && (waits_too || waits_for_child) ? STAND_APART : stand;
}

/* Sets the party of a thread that waits for a lock in shared memory, which has no owner: of the
 * processes with that memory, one that is stopped, else one that is blocked in a call. */
static void find_shared_owner(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	enum stand best = STAND_UNKNOWN;
	unsigned others = 0;

	wait_parties_each (g, t->node_pid, t->record.tid, p) {
		const struct waits_process *of;
		enum stand stand;

		if (p->relation != WAITS_RELATION_MEMORY)
			continue;
		of = wait_graph_process(g, p->party_pid);
		stand = of ? lock_state_of(g, of) : STAND_UNKNOWN;
		others += stand != STAND_APART;
		if (stand <= best)
			continue;
		best = stand;
		link->party = p;
	}
	if (link->party)
		link->confidence = others > 1 ? WAITS_LOW : WAITS_MEDIUM;
}

/* --- locks, sleeps, the rest --- */

static void explain_lock_wait(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	link->party = wait_youngest_party(g, t, WAITS_RELATION_THREAD, NULL);
	if (!link->party)
		link->party = wait_youngest_party(g, t, WAITS_RELATION_LOCK, NULL);
	link->what = t->lock == WAITS_LOCK_JOIN && link->party ? WAIT_THREAD_END
		     : link->party			       ? WAIT_MUTEX
							       : WAIT_CONDITION;
	if (!link->party)
		find_shared_owner(g, t, link);
}

static void explain_sleep(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	link->what = WAIT_SLEEP;
	link->party = wait_youngest_party(g, t, WAITS_RELATION_LOCK, NULL);
	if (link->party) {
		link->what = WAIT_LOCK;
	} else {
		link->party = wait_youngest_party(g, t, WAITS_RELATION_LOCK_FILE, NULL);
		if (link->party)
			link->what = WAIT_LOCK_FILE;
	}
	link->is_polling = link->party != NULL;
}

/* Finds a wait for a signal; which signals sigtimedwait() waits for is not known. */
static void explain_signal_wait(const struct wait_graph *g, const struct waits_thread *t,
	const struct syscall_row *row, struct wait_link *link)
{
	if ((row->wait.timeout || catches_child_ends(g, t)) && explain_worker(g, t, link))
		return;
	link->what = WAIT_SIGNAL;
	link->is_idle = true;
}

static void explain_open_wait(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link)
{
	link->object = wait_first_object(g, t, WAITS_ROLE_CALL);
	link->party = wait_best_party(g, t, link);
	if (link->party && link->party->relation == WAITS_RELATION_LOCK) {
		link->what = WAIT_LOCK; /* a lease */
		return;
	}
	link->what = link->object && link->object->type == FDS_FIFO ? WAIT_FIFO_OPEN
		     : link->object				    ? WAIT_IO
								    : WAIT_UNKNOWN;
}

static void explain_call(const struct wait_graph *g, const struct waits_thread *t,
	const struct syscall_row *row, struct wait_link *link)
{
	unsigned count = 0;

	switch ((enum syscall_wait_kind)row->wait.what) {
	case SYSCALL_WAIT_LOCK:
		explain_lock_wait(g, t, link);
		break;
	case SYSCALL_WAIT_TIME:
		explain_sleep(g, t, link);
		break;
	case SYSCALL_WAIT_READY:
		if (row->wait.count && !syscall_value(t->arguments, row->wait.count, 1))
			explain_sleep(g, t, link);
		else
			explain_poll(g, t, row, link);
		break;
	case SYSCALL_WAIT_DATA:
		explain_data_wait(g, t, row, link);
		break;
	case SYSCALL_WAIT_TURN:
		link->object = wait_first_object(g, t, WAITS_ROLE_CALL);
		link->party = wait_best_party(g, t, link);
		link->what = row->wait.descriptor ? WAIT_LOCK : WAIT_IPC;
		break;
	case SYSCALL_WAIT_CHILD:
	case SYSCALL_WAIT_SPAWN:
		link->what = WAIT_CHILD;
		link->party = wait_youngest_party(g, t, WAITS_RELATION_CHILD, &count);
		link->others = count ? count - 1 : 0;
		break;
	case SYSCALL_WAIT_SIGNAL:
		explain_signal_wait(g, t, row, link);
		break;
	case SYSCALL_WAIT_YIELD:
		link->what = WAIT_RUNS;
		break;
	default:
		explain_open_wait(g, t, link);
		break;
	}
}

/* Finds the kind by the wait channel, if the call cannot be read. */
static void explain_channel_wait(const struct wait_graph *g, const struct waits_thread *t,
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

	switch (wait_link_of_channel(g, t, link)) {
	case WAIT_CHANNEL_WHOLE:
		return;
	case WAIT_CHANNEL_OR_WORKER:
		if (explain_worker(g, t, link)) {
			link->is_idle = false;
			link->object = NULL;
		}
		return;
	default:
		break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!strstr(channel, known[i].part))
			continue;
		link->what = known[i].what;
		link->is_idle = known[i].is_idle;
		link->confidence = WAITS_MEDIUM;
		if (link->what == WAIT_PIPE_READ || link->what == WAIT_PIPE_WRITE) {
			link->object = wait_first_object(g, t, WAITS_ROLE_WATCHED);
			link->party =
				link->object ? wait_party_by_fd(g, t, link->object->fd) : NULL;
		}
		if (link->what == WAIT_CHILD) {
			link->party = wait_youngest_party(g, t, WAITS_RELATION_CHILD, &count);
			link->others = count ? count - 1 : 0;
		}
		return;
	}
	link->party = wait_youngest_party(g, t, WAITS_RELATION_CHILD, &count);
	if (link->party) {
		link->what = WAIT_CHILD;
		link->others = count - 1;
		link->confidence = WAITS_LOW;
	}
}

static bool is_frozen(const char *channel)
{
	return strstr(channel, "refrigerator") || strstr(channel, "freezer");
}

/* Finds why a process is stopped: a background process that used its terminal was stopped by it. */
static void explain_stop(const struct wait_graph *g, const struct waits_process *p,
	const struct waits_thread *t, struct wait_link *link)
{
	bool is_background = p->terminal && p->process_group != p->terminal_group;
	const struct waits_object *o = is_background ? wait_used_terminal(g, p, t) : NULL;

	link->what = WAIT_STOPPED;
	if (o) {
		link->what = WAIT_STOPPED_BY_TERMINAL;
		link->object = o;
	}
}

/* Handles states that do not depend on a call. True: nothing else is to be found. */
static bool explain_state(const struct wait_graph *g, const struct waits_process *p,
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
		explain_stop(g, p, t, link);
		return true;
	case 't':
		link->what = WAIT_DEBUGGER;
		link->party = wait_graph_party(g, p->node_pid, p->node_pid, NULL);
		return true;
	case 'R':
		link->cpu_percent =
			t ? wait_graph_thread_cpu(g, t) : wait_graph_cpu(g, p->node_pid);
		link->what = link->cpu_percent >= 0 && link->cpu_percent < CPU_RUNS ? WAIT_READY
										    : WAIT_RUNS;
		return true;
	default:
		break;
	}
	if (p->is_frozen || is_frozen(channel)) {
		link->what = WAIT_FROZEN;
		return true;
	}
	if (t && waits_handler(span_of_string(channel))) {
		link->what = WAIT_HANDLER;
		link->party = wait_best_party(g, t, link);
		link->confidence =
			link->party ? (enum waits_confidence)link->party->confidence : WAITS_HIGH;
		if (link->party && !link->party->party_pid)
			link->party = NULL;
		return true;
	}
	/* Another process has the lock that a call such as flock(2) waits for. */
	if (t && waits_is_of_file_system(channel) && !is_in_call(t, SYSCALL_WAIT_TURN)) {
		const struct waits_party *server = wait_server_of(g, p->node_pid, t->record.tid);

		link->what = WAIT_FILE_SYSTEM;
		link->object = wait_first_object(g, t, WAITS_ROLE_CALL);
		if (server && server->party_pid) {
			link->party = server;
			link->confidence = (enum waits_confidence)server->confidence;
		}
		return true;
	}
	return false;
}

/* Returns whether the process waits within its database server: its title says so, or its command
 * has rested for a while, and another process of the server is stopped. */
static bool is_database_wait(
	const struct wait_graph *g, const struct waits_process *p, const struct waits_thread *t)
{
	struct span title = record_text(&p->record, &p->title);
	bool rests = !t->since_state && t->since_ns >= NS_PER_S;

	if (!span_starts(title, "postgres: "))
		return false;
	wait_parties_each (g, p->node_pid, p->node_pid, party) {
		if (party->relation == WAITS_RELATION_BACKEND &&
			(rests || span_contains(title, " waiting")))
			return true;
	}
	return span_contains(title, " waiting");
}

static void explain_database_lock(
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

/* Returns whether the call continues one that a stop interrupted, without its arguments. */
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
	if (explain_state(g, p, t, channel, &link) || !t)
		return link;
	if (is_database_wait(g, p, t)) {
		explain_database_lock(g, p, &link);
		return link;
	}
	if (!t->call_state)
		row = syscall_row_of(t->abi, t->syscall);
	if (row && !is_restarted(row))
		explain_call(g, t, row, &link);
	else
		explain_channel_wait(g, t, channel, &link);
	if (t->state == 'D' && (link.what == WAIT_UNKNOWN || link.what == WAIT_EVENTS))
		link.what = WAIT_IO;
	if (link.party && link.party->confidence < link.confidence && link.what != WAIT_CHILD &&
		!wait_is_of_owner(&link))
		link.confidence = (enum waits_confidence)link.party->confidence;
	return link;
}
