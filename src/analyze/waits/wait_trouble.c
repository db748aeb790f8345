/* SPDX-License-Identifier: BSD-2-Clause */
/* A process at rest, as a server that waits for connections, may watch more than its listener: a
 * pipe whose writer is stopped, the output of a command that has ended, a child that is held up, a
 * connection on which it waits for an answer. That is no rest, and nor is the wait of another
 * thread for such an end. */
#include "analyze/waits/wait_trouble.h"

#include <poll.h>

#include "analyze/threads/thread_roles.h"
#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_object_kinds.h"

#define DEPTH_MAX 8

static bool is_stopped(const struct wait_graph *g, uint32_t pid)
{
	const struct waits_process *p = wait_graph_process(g, pid);

	return p && (p->state == 'T' || p->is_frozen);
}

/* Returns whether a process is stopped or held up, or waits for a process that is. */
static bool is_stuck(const struct wait_graph *g, uint32_t pid)
{
	for (unsigned i = 0; i < DEPTH_MAX; i++) {
		const struct waits_process *p = wait_graph_process(g, pid);
		const struct waits_thread *t = p ? wait_graph_thread(g, pid, NULL) : NULL;
		struct wait_link link;

		if (!t)
			return false;
		link = wait_link_of(g, p, t);
		if (wait_is_stopped(&link) || wait_is_held(&link))
			return true;
		if ((link.what != WAIT_CHILD && link.what != WAIT_PIPE_READ) || !link.party)
			return false;
		pid = link.party->party_pid;
	}
	return false;
}

/* Returns whether every process with the other end is stopped: data cannot come. */
static bool are_ends_stopped(
	const struct wait_graph *g, const struct waits_thread *t, const struct waits_object *o)
{
	const struct waits_party *p = NULL;
	bool has_any = false;

	if (!wait_is_pipe(o) && !wait_may_be_output(o))
		return false;
	while ((p = wait_graph_party(g, t->node_pid, t->record.tid, p))) {
		if (p->waiting_fd != o->fd || p->relation == WAITS_RELATION_CHILD)
			continue;
		if (!is_stopped(g, p->party_pid))
			return false;
		has_any = true;
	}
	return has_any;
}

/* Returns whether a process of this host owes an answer, or has not even accepted the connection: a
 * proxy gives up such a request after some seconds, and makes the next one. A remote peer shows
 * only the last packets, which HTTP/2 also sends without a request. */
static bool is_owed(
	const struct wait_graph *g, const struct waits_thread *t, const struct waits_object *o)
{
	const struct waits_party *p = o->has_open_request ? wait_party_by_fd(g, t, o->fd) : NULL;

	return p && (o->has_open_request >= WAITS_REQUEST_OWED ||
			    p->relation == WAITS_RELATION_LISTENER);
}

/* Returns whether it is the output of a command that has ended, but left a process with it. */
static bool is_left_open(
	const struct wait_graph *g, const struct waits_thread *t, const struct waits_object *o)
{
	const struct wait_link link = { .process = wait_graph_process(g, t->node_pid),
		.thread = t,
		.object = o,
		.party = wait_party_by_fd(g, t, o->fd) };

	return link.process && wait_is_left_output(g, &link);
}

static bool is_troubled(
	const struct wait_graph *g, const struct waits_thread *t, const struct waits_object *o)
{
	return is_owed(g, t, o) || are_ends_stopped(g, t, o) || is_left_open(g, t, o);
}

static bool find_watched_in_trouble(const struct wait_graph *g, struct wait_link *link)
{
	const struct waits_thread *t = link->thread;
	const struct waits_object *o = NULL;

	while ((o = wait_graph_object(g, t, o))) {
		if (o->role != WAITS_ROLE_WATCHED || !(o->events & POLLIN) || !is_troubled(g, t, o))
			continue;
		link->is_idle = false;
		wait_link_of_object(link, NULL, o, false);
		link->party = wait_party_by_fd(g, t, o->fd);
		return true;
	}
	return false;
}

static bool find_children_in_trouble(const struct wait_graph *g, struct wait_link *link)
{
	const struct waits_thread *t = link->thread;
	const struct waits_party *p = NULL;

	while ((p = wait_graph_party(g, t->node_pid, t->record.tid, p))) {
		if (p->relation != WAITS_RELATION_CHILD || !is_stuck(g, p->party_pid) ||
			!wait_is_woken_by_children(g, t))
			continue;
		link->is_idle = false;
		link->what = WAIT_CHILD;
		link->object = NULL;
		link->party = p;
		return true;
	}
	return false;
}

/* Returns whether another thread is the one that does not go on: it waits for a child or for such
 * an end, or was refused a lock and tries again. */
static bool is_thread_in_trouble(const struct wait_graph *g, const struct wait_link *other)
{
	if (other->is_idle || !other->party)
		return false;
	if (other->what == WAIT_CHILD)
		return !wait_is_server_of(g, other->party->party_pid, other->process->node_pid);
	return other->is_polling || (other->object && is_troubled(g, other->thread, other->object));
}

/* Finds another thread that is in trouble in a call of its own. */
static bool find_threads_in_trouble(const struct wait_graph *g, struct wait_link *link)
{
	const struct waits_process *p = link->process;
	const struct waits_thread *t = NULL;

	for (size_t i = 0; (t = wait_graph_thread(g, p->node_pid, t)); i++) {
		struct wait_link other;

		if (t == link->thread || thread_is_service(record_text(&t->record, &t->name), i))
			continue;
		other = wait_link_of(g, p, t);
		if (!is_thread_in_trouble(g, &other))
			continue;
		*link = other;
		return true;
	}
	return false;
}

void wait_trouble_find(const struct wait_graph *g, struct wait_link *link)
{
	if (!link->is_idle || !link->thread || link->process->is_kernel)
		return;
	if ((find_watched_in_trouble(g, link) || find_children_in_trouble(g, link) ||
		    find_threads_in_trouble(g, link)) &&
		link->confidence > WAITS_MEDIUM)
		link->confidence = WAITS_MEDIUM;
}
