/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_lookup.h"

#include <assert.h>
#include <poll.h>

#include "probes/fds.h"
#include "probes/sockets.h"
#include "base/units.h"

#define OUTPUT	     1 /* number of the descriptor */
#define ERROR_OUTPUT 2

#define HELD_LEAST	(3 * NS_PER_S) /* a call that returns sooner blocks nothing */
#define HALF_OPEN_LEAST (2 * NS_PER_S)
#define FULL_LEAST	(64u << 10) /* bytes not read; fewer may be in transit */

/* Compares parties: first not the process itself, then confidence, then the one that others have
 * the lock from, then whether its wait was read. */
static bool is_better(const struct wait_graph *g, const struct waits_thread *t,
	const struct waits_party *a, const struct waits_party *b)
{
	bool a_is_own = a->party_pid == t->node_pid, b_is_own = b->party_pid == t->node_pid;

	if (a_is_own != b_is_own)
		return b_is_own;
	if (a->confidence != b->confidence)
		return a->confidence > b->confidence;
	if (a->source == WAITS_SOURCE_INHERITED && b->source == a->source &&
		a->party_start_ticks != b->party_start_ticks)
		return a->party_start_ticks < b->party_start_ticks;
	return !wait_graph_process(g, b->party_pid) && wait_graph_process(g, a->party_pid);
}

const struct waits_party *wait_best_party(
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

const struct waits_party *wait_youngest_party(const struct wait_graph *g,
	const struct waits_thread *t, enum waits_relation relation, unsigned *count)
{
	const struct waits_party *p = NULL, *best = NULL;

	while ((p = wait_graph_party(g, t->node_pid, t->record.tid, p))) {
		if (p->relation != relation)
			continue;
		if (count)
			++*count;
		/* The youngest of several children: a shell waits for its foreground child. */
		if (!best || p->party_start_ticks > best->party_start_ticks ||
			(p->party_start_ticks == best->party_start_ticks &&
				p->party_pid > best->party_pid))
			best = p;
	}
	return best;
}

const struct waits_party *wait_server_of(const struct wait_graph *g, uint32_t pid, uint32_t tid)
{
	const struct waits_party *party = NULL;

	while ((party = wait_graph_party(g, pid, tid, party))) {
		if (party->relation == WAITS_RELATION_DAEMON ||
			party->relation == WAITS_RELATION_GUARD)
			return party;
	}
	return NULL;
}

/* Returns the best party that was found by a descriptor. */
const struct waits_party *wait_party_by_fd(
	const struct wait_graph *g, const struct waits_thread *t, uint32_t fd)
{
	const struct waits_party *p = NULL, *best = NULL;

	assert(t);
	while ((p = wait_graph_party(g, t->node_pid, t->record.tid, p))) {
		if (p->waiting_fd == fd && (!best || is_better(g, t, p, best)))
			best = p;
	}
	return best;
}

const struct waits_object *wait_first_object(
	const struct wait_graph *g, const struct waits_thread *t, enum waits_role role)
{
	const struct waits_object *o = NULL;

	while ((o = wait_graph_object(g, t, o)) && o->role != role)
		;
	return o;
}

bool wait_is_terminal(const struct waits_object *o)
{
	assert(o);

	struct span path = record_text(&o->record, &o->path);

	return (o->type == FDS_PTY || o->type == FDS_TTY) && !span_ends(path, "/ptmx");
}

bool wait_is_terminal_master(const struct waits_object *o)
{
	return o->type == FDS_PTY && !wait_is_terminal(o);
}

bool wait_is_pipe(const struct waits_object *o)
{
	return o->type == FDS_PIPE || o->type == FDS_FIFO || o->type == FDS_QUEUE ||
	       wait_is_terminal_master(o);
}

bool wait_is_socket(const struct waits_object *o)
{
	return o->type == FDS_UNIX || o->type == FDS_TCP || o->type == FDS_UDP ||
	       o->type == FDS_SOCKET;
}

bool wait_listens(const struct waits_object *o)
{
	return wait_is_socket(o) && !o->socket_state_state && o->socket_state == SOCKETS_LISTEN;
}

bool wait_is_half_open(const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;

	return link->object && link->object->is_peer_gone && t && !t->since_state &&
	       t->since_ns >= HALF_OPEN_LEAST;
}

bool wait_is_connection(const struct waits_object *o)
{
	return wait_is_socket(o) && !wait_listens(o) &&
	       (o->peer_port || o->type == FDS_UNIX || o->type == FDS_SOCKET);
}

/* Returns whether no data can be written. An edge-triggered descriptor is watched for writing all
 * the time. */
bool wait_is_unwritable(const struct waits_thread *t, const struct waits_object *o)
{
	return wait_is_connection(o) && o->events & POLLOUT &&
	       o->socket_state != SOCKETS_SYN_SENT &&
	       o->send_queue >= (o->events & FDS_MEMBER_EDGE ? FULL_LEAST : 1) && !t->since_state &&
	       t->since_ns >= HELD_LEAST;
}

bool wait_is_other_end(const struct waits_object *a, const struct waits_object *b)
{
	return a->type == b->type && a->peer_port && a->peer_port == b->local_port &&
	       a->local_port == b->peer_port;
}

bool wait_is_outgoing(const struct waits_object *o)
{
	return o &&
	       ((o->type == FDS_UNIX && !o->local.size && o->peer.size) || o->has_open_request);
}

/* Returns the terminal that a stopped process used; NULL: it used none. */
static const struct waits_object *used_terminal(
	const struct wait_graph *g, const struct waits_thread *t)
{
	const struct waits_object *o =
		t && t->state == 'T' ? wait_first_object(g, t, WAITS_ROLE_CALL) : NULL;

	return o && wait_is_terminal(o) ? o : NULL;
}

/* Returns the terminal that any process of the job used: the terminal stops the whole job. */
static const struct waits_object *used_by_job(
	const struct wait_graph *g, const struct waits_process *of)
{
	const struct waits_object *o;

	batch_for_each (r, &g->records) {
		const struct waits_process *p = record_as(r, WAITS_PROCESS, sizeof(*p));

		if (!p || p->process_group != of->process_group || p->terminal != of->terminal)
			continue;
		o = used_terminal(g, wait_graph_thread_of(g, p->node_pid, p->node_pid));
		if (o)
			return o;
	}
	return NULL;
}

const struct waits_object *wait_used_terminal(
	const struct wait_graph *g, const struct waits_process *p, const struct waits_thread *t)
{
	const struct waits_object *o = used_terminal(g, t);

	return o ? o : used_by_job(g, p);
}

bool wait_is_pager(const struct waits_process *p)
{
	assert(p);

	static const char *const pagers[] = { "less", "more", "most", "man", "pg", "bat" };
	struct span name = record_text(&p->record, &p->name);

	return SPAN_ANY(name, span_equal, pagers);
}

bool wait_is_of_locks(const struct wait_link *link)
{
	return link->what == WAIT_CONDITION || link->what == WAIT_MUTEX ||
	       link->what == WAIT_THREAD_END;
}

bool wait_is_shared(const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;

	return (link->what == WAIT_CONDITION || link->what == WAIT_MUTEX) && t && !t->call_state &&
	       t->lock != WAITS_LOCK_NONE && !(t->arguments[1] & WAITS_FUTEX_PRIVATE);
}

bool wait_is_of_owner(const struct wait_link *link)
{
	assert(link);
	return link->what == WAIT_CONDITION && link->party;
}

bool wait_is_left_mutex(const struct wait_link *link)
{
	assert(link);
	return link->what == WAIT_MUTEX && link->party &&
	       link->party->relation == WAITS_RELATION_LOCK && link->party->party_tid;
}

bool wait_is_woken_by_time(const struct waits_thread *t)
{
	return t->timeout_state != SOOTH_STATE_ABSENT;
}

bool wait_is_writing(const struct wait_link *link)
{
	assert(link);
	return link->what == WAIT_PIPE_WRITE || link->what == WAIT_SOCKET_WRITE;
}

const char *wait_error_output(const struct wait_link *link)
{
	assert(link);
	return wait_is_writing(link) && link->object && link->object->fd == ERROR_OUTPUT
		       ? " (its standard error)"
		       : "";
}

#define STARTED_LATER (NS_PER_S / 5) /* processes of one pipeline start within that time */
#define INIT	      1

bool wait_is_for_memory(const struct waits_thread *t)
{
	return t && span_starts(record_text(&t->record, &t->wait_channel), "mem_cgroup_oom");
}

bool wait_may_be_output(const struct waits_object *o)
{
	return o &&
	       (o->type == FDS_PIPE || (o->type == FDS_UNIX && !o->local.size && !o->peer.size));
}

bool wait_is_output_of(const struct waits_party *p)
{
	assert(p);
	return p->fd == OUTPUT || p->fd == ERROR_OUTPUT;
}

bool wait_may_be_output_of(const struct waits_party *p, const struct waits_object *o)
{
	assert(p && o);
	return wait_is_output_of(p) || o->role != WAITS_ROLE_WATCHED;
}

/* Returns whether a writer was adopted, and may have the pipe as its output. Older captures show
 * only those that init adopted. */
static bool is_left(
	const struct wait_graph *g, const struct wait_link *link, const struct waits_party *p)
{
	const struct waits_process *by = wait_graph_process(g, p->party_pid);

	return wait_may_be_output_of(p, link->object) &&
	       (p->source == WAITS_SOURCE_ADOPTED ||
		       (by && by->ppid == INIT && by->node_pid != INIT &&
			       by->age_ns + STARTED_LATER < link->process->age_ns));
}

bool wait_is_left_output(const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_party *p = NULL;

	if (!wait_may_be_output(link->object) || !link->party || !link->thread ||
		link->process->node_pid == INIT)
		return false;
	while ((p = wait_graph_party(g, link->process->node_pid, link->thread->record.tid, p))) {
		if (p->waiting_fd == link->party->waiting_fd && p->is_alive &&
			p->party_pid != link->process->node_pid && !is_left(g, link, p))
			return false;
	}
	return is_left(g, link, link->party);
}

bool wait_is_held(const struct wait_link *link)
{
	assert(link);
	switch (link->what) {
	case WAIT_PIPE_WRITE:
	case WAIT_FIFO_OPEN:
	case WAIT_SOCKET_WRITE:
	case WAIT_CONNECT:
	case WAIT_TERMINAL_WRITE:
	case WAIT_LOCK:
	case WAIT_LOCK_FILE:
	case WAIT_IO:
	case WAIT_FILE_SYSTEM:
	case WAIT_HANDLER:
	case WAIT_DATABASE_LOCK:
		return link->thread && !link->thread->since_state &&
		       link->thread->since_ns >= HELD_LEAST;
	default:
		return false;
	}
}

bool wait_is_stopped(const struct wait_link *link)
{
	assert(link);
	return link->what == WAIT_STOPPED || link->what == WAIT_STOPPED_BY_TERMINAL ||
	       link->what == WAIT_FROZEN;
}
