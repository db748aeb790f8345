/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_circle.h"

#include <assert.h>

#include "analyze/threads/thread_roles.h"
#include "analyze/waits/wait_runtime.h"
#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_pace.h"
#include "probes/fds.h"

/* Returns whether no other thread can help: each waits for a lock, or serves the runtime. */
static bool is_locked(const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_thread *t = NULL;
	size_t i = 0;

	for (; (t = wait_graph_thread(g, link->process->node_pid, t)); i++) {
		struct wait_link other = wait_link_of(g, link->process, t);

		if (t == link->thread || thread_is_service(record_text(&t->record, &t->name), i))
			continue;
		if (!wait_is_of_locks(&other) || wait_is_shared(&other) || wait_is_woken_by_time(t))
			return false;
	}
	return i >= link->process->threads;
}

/* Returns whether the owner of a file lock is the process itself, or a process that shares the
 * file, such as a child. For the heir of a lock such a process was searched for in vain. */
static bool is_own_lock(const struct wait_link *link)
{
	return link->what == WAIT_LOCK && link->party->party_pid == link->process->node_pid &&
	       link->party->source != WAITS_SOURCE_INHERITED;
}

static bool only_reads(const struct wait_link *link)
{
	return link->what == WAIT_PIPE_READ || link->what == WAIT_SOCKET_READ ||
	       link->what == WAIT_TERMINAL_READ;
}

/* Returns whether the process ran since the previous sample, so it is not stuck. Polling does not
 * count: a process that sleeps and tries again always runs. */
static bool has_run(const struct wait_graph *g, const struct wait_link *link)
{
	if (wait_is_same_monitor(g, link->thread))
		return false;
	struct wait_graph earlier = { .records = g->before };
	const struct waits_thread *now, *then;

	if (link->what == WAIT_RUNS || link->what == WAIT_READY)
		return true;
	if ((link->what == WAIT_PIPE_WRITE || link->what == WAIT_SOCKET_WRITE) &&
		wait_is_paced(g, link))
		return true;
	if (!link->thread || link->is_polling)
		return false;
	now = wait_graph_thread_of(g, link->thread->node_pid, link->thread->record.tid);
	then = wait_graph_thread_of(&earlier, link->thread->node_pid, link->thread->record.tid);
	if (!now || now->state == 'R')
		return true;
	return then && !then->switches_state && !now->switches_state &&
	       then->switches != now->switches;
}

static bool has_asked(const struct wait_link *link)
{
	return link->object && link->object->has_open_request;
}

/* Returns whether these may be client and server between two requests: either may have to write.
 * Each of two that have made a request of its own, on another connection, waits for the other. */
static bool is_exchange(const struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0], *second = &chain->links[1];

	return chain->count == 2 && !chain->circle && only_reads(first) && only_reads(second) &&
	       first->process != second->process && !(has_asked(first) && has_asked(second));
}

/* Returns the link that has unflushed output, for which the other one waits: no timer helps. */
static const struct wait_link *keeper_of(const struct wait_graph *g, const struct wait_chain *chain)
{
	for (size_t i = 0; is_exchange(chain) && i < chain->count; i++) {
		const struct wait_link *link = &chain->links[i];

		if (link->thread && !link->thread->unflushed_state &&
			link->thread->unflushed_bytes && !has_run(g, link))
			return link;
	}
	return NULL;
}

/* Returns whether a timer ends the wait, as in an event loop that asks its child each minute. */
static bool is_ended_by_timer(const struct wait_link *link)
{
	/* For a request to its own listener, the time is that after which it gives up. */
	bool is_to_itself = link->party && link->party->relation == WAITS_RELATION_LISTENER &&
			    link->party->party_pid == link->process->node_pid;

	return link->thread && link->thread->timeout_state == SOOTH_STATE_VALUE && !is_to_itself;
}

/* Returns whether the circle is one TCP connection on which no request is open: the server waits
 * for a request, which its client may send at any time. */
static bool is_quiet_connection(const struct wait_chain *chain)
{
	const struct wait_link *a = &chain->links[chain->circle], *b = a + 1;

	return chain->count - chain->circle == 2 && a->what == WAIT_SOCKET_READ && a->object &&
	       b->what == WAIT_SOCKET_READ && b->object && a->object->type == FDS_TCP &&
	       wait_is_other_end(a->object, b->object) && !a->object->has_open_request &&
	       !b->object->has_open_request;
}

/* Ends the chain with the client at rest, which keeps a server busy that serves one connection at a
 * time, as one that a browser opens in advance. */
static void end_with_client(struct wait_chain *chain)
{
	struct wait_link *server = &chain->links[chain->circle];

	server->wants_request =
		chain->circle && server[-1].party->relation == WAITS_RELATION_LISTENER;
	server[1].repeats = false;
	server[1].is_idle = true;
	chain->is_exchange = chain->count == 2;
	chain->circle = chain->count;
}

/* Drops a circle if one of its processes runs, which can end the other waits. A client with a timer
 * that asks its server now and then can do so, too. */
void wait_circle_drop(const struct wait_graph *g, struct wait_chain *chain)
{
	chain->keeper = keeper_of(g, chain);
	if (!chain->keeper && is_quiet_connection(chain)) {
		end_with_client(chain);
		return;
	}
	for (size_t i = chain->circle; !chain->keeper && i < chain->count; i++) {
		if (!has_run(g, &chain->links[i]) &&
			!(is_ended_by_timer(&chain->links[i]) && is_exchange(chain)))
			continue;
		chain->links[chain->count - 1].repeats = false;
		chain->is_exchange = is_exchange(chain);
		chain->links[chain->count - 1].is_idle |= chain->is_exchange;
		chain->circle = chain->count;
		return;
	}
}

/* Decides how sure a circle is. Processes that wait for each other are stuck only if no other
 * thread or process could continue instead. If all of them read, one may still write: with sockets
 * this is ordinary between two requests, with pipes it is rare, because a program reads from a
 * child when it expects something. */
void wait_circle_weigh(const struct wait_graph *g, struct wait_chain *chain)
{
	size_t readers = 0, of_pipes = 0;

	for (size_t i = chain->circle; i < chain->count; i++) {
		struct wait_link *link = &chain->links[i];

		if (link->party->relation == WAITS_RELATION_THREAD)
			return; /* only the owner can end the wait */
		readers += only_reads(link);
		of_pipes += link->what == WAIT_PIPE_READ || link->what == WAIT_TERMINAL_READ;
		/* Another process may open a FIFO by its name. */
		chain->is_open |= link->object && link->object->type == FDS_FIFO;
		if ((link->others && link->what != WAIT_CHILD && !link->is_closed) ||
			is_own_lock(link) || !is_locked(g, link) || is_ended_by_timer(link))
			chain->is_open = true;
	}
	if (chain->is_open)
		chain->links[chain->count - 1].confidence = WAITS_LOW;
	chain->is_of_readers =
		chain->count - chain->circle > 1 && readers == chain->count - chain->circle;
	if (chain->is_of_readers && of_pipes < readers)
		chain->links[chain->count - 1].confidence = WAITS_LOW;
	else if (chain->is_of_readers && !chain->is_open)
		chain->links[chain->count - 1].confidence = WAITS_MEDIUM;
	if (chain->keeper) {
		chain->is_open = false;
		chain->links[chain->count - 1].confidence = WAITS_HIGH;
	}
}

const struct waits_object *wait_circle_pipe(const struct wait_chain *chain)
{
	assert(chain);

	const struct waits_object *pipe = NULL;
	size_t readers = 0;

	for (size_t i = chain->circle; i < chain->count; i++) {
		const struct wait_link *link = &chain->links[i];

		if (link->what == WAIT_CHILD)
			continue; /* skip the process that started them */
		if (link->what != WAIT_PIPE_READ || !link->object ||
			(pipe && pipe->inode != link->object->inode))
			return NULL;
		/* Older captures have no inode of a pipe. */
		if (!link->is_closed && (link->others || !link->object->inode))
			return NULL;
		pipe = link->object;
		readers++;
	}
	return readers > 1 && !chain->is_open ? pipe : NULL;
}

bool wait_is_abandoned(const struct wait_graph *g, const struct wait_link *link)
{
	assert(link);
	return link->what == WAIT_MUTEX && link->thread &&
	       link->thread->arguments[1] & WAITS_FUTEX_PRIVATE && link->party &&
	       !wait_is_runtime_lock(link->thread) &&
	       !wait_graph_thread_of(g, link->process->node_pid, link->party->party_tid);
}
