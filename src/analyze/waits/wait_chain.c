/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_chain.h"

#include <assert.h>
#include <string.h>

#include "analyze/threads/thread_roles.h"
#include "analyze/waits/wait_circle.h"
#include "analyze/waits/wait_held.h"
#include "analyze/waits/wait_runtime.h"
#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_pace.h"
#include "analyze/waits/wait_prompts.h"
#include "analyze/waits/wait_trouble.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/units.h"
#include "probes/fds.h"
#include "probes/syscall_names.h"

#define MONITOR_SLACK (10 * NS_PER_MS) /* tolerance of a monitor's wake-up time */
#define CPU_BUSY      50	       /* percent: such a thread matters more than one that waits */
#define CPU_SHARE     10 /* percent for a thread that could run at both samples of a busy host */
#define CPU_ACTIVE    15 /* percent for a process that is not idle: ticks of 10 ms in 200 ms */

#define TOKEN_LEAST (5 * NS_PER_S) /* a free token is there at once */

/* --- the thread that matters --- */

static struct wait_graph sample_before(const struct wait_graph *g)
{
	return (struct wait_graph){ .records = g->before, .before = g->before };
}

/* Returns whether the owners of mutexes lead back to the first thread. */
static bool is_cycle(
	const struct wait_graph *g, const struct waits_process *p, const struct waits_thread *from)
{
	const struct waits_thread *t = from;

	for (uint32_t i = 0; t && i <= p->threads; i++) {
		struct wait_link link = wait_link_of(g, p, t);

		if ((link.what != WAIT_MUTEX && link.what != WAIT_THREAD_END) || !link.party)
			return false;
		if (link.party->party_tid == from->record.tid)
			return true;
		t = wait_graph_thread_of(g, p->node_pid, link.party->party_tid);
	}
	return false;
}

struct survey {
	struct wait_link main, busy, active, events, cycle;
	bool has_main, has_busy, has_active, has_events, has_cycle, has_accept;
	unsigned threads, locked;
};

static bool is_busy(const struct wait_graph *g, const struct waits_thread *t, double cpu)
{
	struct wait_graph before = sample_before(g);
	const struct waits_thread *then = NULL;

	if (cpu >= CPU_SHARE && t->state == 'R')
		then = wait_graph_thread_of(&before, t->node_pid, t->record.tid);
	return cpu >= CPU_BUSY || (then && then->state == 'R');
}

static void survey_wait(struct survey *s, const struct wait_graph *g, const struct waits_process *p)
{
	const struct waits_thread *t = NULL;

	for (size_t i = 0; (t = wait_graph_thread(g, p->node_pid, t)); i++) {
		struct wait_link link = wait_link_of(g, p, t);
		double cpu = wait_graph_thread_cpu(g, t);

		if (cpu < CPU_BUSY && thread_is_service(record_text(&t->record, &t->name), i))
			continue;
		s->threads++;
		s->locked += wait_is_of_locks(&link) && !wait_is_shared(&link) &&
			     !wait_is_woken_by_time(t) && !t->call_state;
		if (t->record.tid == p->node_pid) {
			s->main = link;
			s->has_main = true;
		}
		if (is_busy(g, t, cpu) && (!s->has_busy || cpu > s->busy.cpu_percent)) {
			s->busy = link;
			s->busy.what = WAIT_RUNS;
			s->busy.party = NULL; /* the wait has just begun */
			s->busy.cpu_percent = cpu;
			s->has_busy = true;
		}
		s->has_accept |= link.what == WAIT_ACCEPT;
		if (!s->has_cycle && link.what == WAIT_MUTEX && is_cycle(g, p, t)) {
			s->cycle = link;
			s->has_cycle = true;
		}
		if (!s->has_active && (!wait_is_of_locks(&link) || wait_is_of_owner(&link)) &&
			!link.is_idle && link.what != WAIT_SLEEP && link.what != WAIT_UNKNOWN) {
			s->active = link;
			s->has_active = true;
		}
		if (!s->has_events && !wait_is_of_locks(&link) && link.what != WAIT_UNKNOWN) {
			s->events = link;
			s->has_events = true;
		}
	}
}

/* Returns the thread that runs main() in a JVM, whose first thread only waits for its end: while
 * that thread waits to be woken, other threads serve, or there is no work. NULL: none, or not at
 * rest. */
static const struct waits_thread *resting_main(const struct wait_graph *g,
	const struct waits_process *p, const struct wait_link *main_link)
{
	const struct waits_thread *t;

	if (main_link->what != WAIT_THREAD_END || !main_link->party ||
		!span_equal(record_text(&p->record, &p->name), "java"))
		return NULL;
	t = wait_graph_thread_of(g, p->node_pid, main_link->party->party_tid);
	return t && wait_link_of(g, p, t).what == WAIT_CONDITION ? t : NULL;
}

/* Returns whether the thread may want a monitor, and may be in a deadlock: HotSpot checks each
 * second whether the monitor is free (ObjectMonitor::EnterI). */
static bool may_want_monitor(const struct waits_thread *t)
{
	return t->timeout_ns + MONITOR_SLACK >= NS_PER_S &&
	       t->timeout_ns <= NS_PER_S + MONITOR_SLACK;
}

/* Returns the wait of that thread. With a timeout it wakes by itself: then it works now and
 * then. */
static struct wait_link link_of_resting_main(const struct wait_graph *g,
	const struct waits_process *p, const struct waits_thread *main_thread,
	struct wait_link first)
{
	if (wait_is_woken_by_time(main_thread) && !may_want_monitor(main_thread)) {
		first = wait_link_of(g, p, main_thread);
		first.what = WAIT_SLEEP;
	} else if (wait_runtime_text(main_thread)) {
		first = wait_link_of(g, p, main_thread);
		first.what = WAIT_CONDITION;
	} else {
		first.what = WAIT_CONDITION;
		first.is_inside = true;
		first.is_idle = wait_is_runtime_idle(main_thread);
	}
	first.confidence = WAITS_MEDIUM;
	first.party = NULL;
	return first;
}

/* Returns whether any thread started or ran since the previous sample, and may wake the others. */
static bool has_run_any(const struct wait_graph *g, const struct waits_process *p)
{
	struct wait_graph before = sample_before(g);
	const struct waits_thread *t = NULL, *then;

	if (!wait_graph_process(&before, p->node_pid))
		return false;
	while ((t = wait_graph_thread(g, p->node_pid, t))) {
		then = wait_graph_thread_of(&before, p->node_pid, t->record.tid);
		if (!then || (!t->switches_state && !then->switches_state &&
				     t->switches != then->switches))
			return true;
	}
	return false;
}

static struct wait_link choose_running_or_waiting(
	const struct wait_graph *g, const struct waits_process *p)
{
	const struct waits_thread *resting;
	struct survey s = { 0 };

	survey_wait(&s, g, p);
	/* The first thread has ended, or was not read. */
	if (!s.has_main)
		s.main = wait_link_of(g, p, wait_graph_thread(g, p->node_pid, NULL));
	if (s.has_cycle)
		return s.cycle;
	if (s.has_busy &&
		(s.main.is_idle || wait_is_of_locks(&s.main) || s.main.what == WAIT_READY ||
			s.main.what == WAIT_SLEEP || s.busy.thread == s.main.thread))
		return s.busy;
	resting = resting_main(g, p, &s.main);
	if (resting && (s.has_active || s.has_events))
		return s.has_active ? s.active : s.events;
	if (resting)
		return link_of_resting_main(g, p, resting, s.main);
	if (s.threads > 1 && s.locked == s.threads && s.main.what == WAIT_CONDITION &&
		!has_run_any(g, p)) {
		s.main.what = WAIT_ALL_THREADS;
		s.main.count = s.threads;
		s.main.confidence = WAITS_MEDIUM;
		return s.main;
	}
	if (s.main.what == WAIT_CONDITION && s.has_active)
		return s.active;
	/* The main thread only takes signals, as in dig(1): other threads do the work. */
	if (s.main.what == WAIT_SIGNAL && s.has_active && !s.has_accept) {
		if (s.active.confidence > WAITS_MEDIUM)
			s.active.confidence = WAITS_MEDIUM;
		return s.active;
	}
	if (s.main.what == WAIT_CONDITION && s.has_events)
		return s.events;
	return s.main;
}

/* Marks a process that uses CPU as not idle, whatever it waits for at this moment. */
static struct wait_link weigh_cpu(
	const struct wait_graph *g, const struct waits_process *p, struct wait_link link)
{
	bool is_unknown = link.what == WAIT_UNKNOWN && !link.party;
	double cpu = -1;

	if ((link.is_idle || is_unknown) && !p->is_kernel)
		cpu = wait_graph_cpu(g, p->node_pid);
	if (cpu < CPU_ACTIVE) {
		wait_trouble_find(g, &link);
		return link;
	}
	if (is_unknown) {
		link.what = WAIT_RUNS; /* both samples met the process entering a call */
		return link;
	}
	link.is_idle = false;
	link.is_active = true;
	link.cpu_percent = cpu;
	return link;
}

/* Returns whether the thread is about to run, or enters or leaves a call. */
static bool is_between_waits(const struct wait_link *link)
{
	return link->what == WAIT_READY || link->what == WAIT_RUNS ||
	       (link->what == WAIT_UNKNOWN && !link->party);
}

/* Chooses the wait. Between two waits it is usually the same as in the previous sample. */
static struct wait_link choose_thread(const struct wait_graph *g, const struct waits_process *p)
{
	struct wait_link link = choose_running_or_waiting(g, p), earlier;
	struct wait_graph before = sample_before(g);
	const struct waits_process *then = wait_graph_process(&before, p->node_pid);

	if (link.what == WAIT_RUNS || !is_between_waits(&link) || !then ||
		then->node_start_ticks != p->node_start_ticks)
		return weigh_cpu(g, p, link);
	earlier = choose_running_or_waiting(&before, then);
	return weigh_cpu(g, p, is_between_waits(&earlier) ? link : earlier);
}

/* --- link by link --- */

static bool is_process_in_chain(const struct wait_chain *chain, const struct wait_link *link)
{
	for (size_t i = 0; i < chain->count; i++) {
		const struct wait_link *l = &chain->links[i];

		if (l->process == link->process &&
			(l->thread == link->thread || !l->thread || !link->thread))
			return true;
	}
	return false;
}

/* Returns the first link of the process; NULL: the chain does not have it. */
static const struct wait_link *link_of_process(const struct wait_chain *chain, uint32_t pid)
{
	for (size_t i = 0; i < chain->count; i++) {
		if (chain->links[i].process->node_pid == pid)
			return &chain->links[i];
	}
	return NULL;
}

static bool has_process(const struct wait_chain *chain, uint32_t pid)
{
	return link_of_process(chain, pid);
}

/* Returns whether a writer of a pipe has work, as one worker of a pool: it neither rests nor waits
 * for a process of the chain, nor for a lock that writers share. */
static bool has_task(const struct wait_graph *g, const struct wait_chain *chain,
	const struct waits_party *writer)
{
	const struct waits_process *p = wait_graph_process(g, writer->party_pid);
	struct wait_link link;

	if (!p || has_process(chain, writer->party_pid))
		return false;
	link = choose_thread(g, p);
	return !link.is_idle && !wait_is_of_locks(&link) && link.what != WAIT_UNKNOWN &&
	       link.what != WAIT_ZOMBIE && link.what != WAIT_IPC &&
	       !(link.party && has_process(chain, link.party->party_pid));
}

enum leads { LEADS_IN, LEADS_OUT, LEADS_UNKNOWN };

/* Returns whether a process waits, link by link, for a process of the chain. */
static enum leads leads_into_chain(
	const struct wait_graph *g, const struct wait_chain *chain, uint32_t pid)
{
	for (size_t i = 0; i < WAIT_LINKS_MAX; i++) {
		const struct waits_process *p = wait_graph_process(g, pid);
		struct wait_link link;

		if (has_process(chain, pid))
			return LEADS_IN;
		if (!p)
			return LEADS_UNKNOWN;
		link = choose_thread(g, p);
		if (link.is_idle || link.what == WAIT_UNKNOWN || link.what == WAIT_ZOMBIE)
			return LEADS_UNKNOWN;
		if (!link.party || link.party->party_pid == pid)
			return LEADS_OUT;
		pid = link.party->party_pid;
	}
	return LEADS_UNKNOWN;
}

/* Returns whether the chain goes on at this process at the other end of a pipe. A reader waits for
 * a writer that has work, while other workers of a pool rest. A writer waits for the reader that in
 * turn waits for the writer, for example a parent that joins its workers before it reads their
 * results; other processes that inherited the pipe wait for a lock. */
static bool is_reader_meant(const struct wait_graph *g, const struct wait_chain *chain,
	const struct wait_link *link, const struct waits_party *p)
{
	if (link->what == WAIT_PIPE_READ)
		return has_task(g, chain, p);
	return p->party_pid != link->process->node_pid &&
	       leads_into_chain(g, chain, p->party_pid) == LEADS_IN;
}

/* Returns whether the process waits for the end of a child: it is the one that should read what the
 * child writes, rather than other children that have inherited that end. */
static bool is_parent_at_rest(const struct wait_graph *g, uint32_t pid)
{
	const struct waits_process *p = wait_graph_process(g, pid);

	return p && choose_thread(g, p).what == WAIT_CHILD;
}

/* Takes another process with the other end of the pipe, if the first one rests. */
static void choose_end(
	const struct wait_graph *g, const struct wait_chain *chain, struct wait_link *link)
{
	const struct waits_party *first = NULL;
	unsigned ends = 0;

	if ((link->what != WAIT_PIPE_READ && link->what != WAIT_PIPE_WRITE) || !link->thread ||
		!link->party || has_task(g, chain, link->party))
		return;
	/* Without others that are as sure, only one that waits for the chain gives way. */
	if (!link->others &&
		(link->what == WAIT_PIPE_READ ||
			leads_into_chain(g, chain, link->party->party_pid) != LEADS_IN))
		return;
	wait_parties_each (g, link->process->node_pid, link->thread->record.tid, p) {
		if (p->relation != link->party->relation)
			continue;
		ends += p->party_pid != link->process->node_pid;
		if ((!first || link->what == WAIT_PIPE_WRITE) &&
			is_reader_meant(g, chain, link, p) &&
			(!first || is_parent_at_rest(g, p->party_pid)))
			first = p;
	}
	if (!first || first == link->party)
		return;
	link->party = first;
	link->others = ends - 1; /* the others may be surer, and read it too */
}

/* Returns the party of the chain that could write to a pipe of tokens, which each user of the pipe
 * writes back to it (make's jobserver); NULL: it is no such pipe, or none is in the chain. */
static const struct waits_party *token_holder(
	const struct wait_graph *g, const struct wait_chain *chain, const struct wait_link *link)
{
	const struct waits_party *holder = NULL;
	bool is_own = false;

	if (link->what != WAIT_PIPE_READ || !link->object || link->thread->since_state ||
		link->thread->since_ns < TOKEN_LEAST)
		return NULL;
	wait_parties_each (g, link->process->node_pid, link->thread->record.tid, p) {
		if (p->waiting_fd != link->object->fd)
			continue;
		is_own |= p->party_pid == link->process->node_pid;
		if (has_process(chain, p->party_pid))
			holder = p;
	}
	return is_own ? holder : NULL;
}

/* Replaces the rest of a server's listening thread by another one's wait for a token that the
 * clients of the server have. */
static void follow_token(
	const struct wait_graph *g, const struct wait_chain *chain, struct wait_link *rest)
{
	wait_threads_each (g, rest->process->node_pid, t) {
		struct wait_link link = wait_link_of(g, rest->process, t);
		const struct waits_party *holder = token_holder(g, chain, &link);

		if (holder) {
			*rest = link;
			rest->party = holder;
			return;
		}
	}
}

/* Returns whether the process is blocked until a child ends: it does not read what is written to a
 * terminal that it runs, while an event loop may, once its output is no longer held (Ctrl-S). */
static bool waits_for_end(const struct wait_link *link)
{
	return link->what == WAIT_CHILD && link->confidence == WAITS_HIGH;
}

/* Appends the next wait of the chain; false: the chain ends here. */
static bool next_link(const struct wait_graph *g, struct wait_chain *chain, struct wait_link *out)
{
	struct wait_link *last = &chain->links[chain->count - 1];
	const struct wait_link *earlier;
	const struct waits_party *party;
	const struct waits_process *p;
	struct wait_graph before;
	bool is_written;

	choose_end(g, chain, last);
	party = last->party;
	is_written = last->what == WAIT_TERMINAL_WRITE;
	if (!party || last->is_idle || last->what == WAIT_ZOMBIE)
		return false;
	if (party->relation == WAITS_RELATION_THREAD) {
		const struct waits_thread *t =
			wait_graph_thread_of(g, last->process->node_pid, party->party_tid);

		if (!t)
			return false;
		*out = wait_link_of(g, last->process, t);
		if (is_process_in_chain(chain, out)) {
			last->repeats = true;
			return false;
		}
		return true;
	}
	/* The program that runs a terminal matters only if its question has no answer yet, or if it
	 * is stopped and therefore reads nothing. */
	if (party->relation == WAITS_RELATION_TERMINAL && !wait_has_prompt(last) && !is_written)
		return false;
	earlier = link_of_process(chain, party->party_pid);
	if (earlier) {
		last->repeats = !is_written || waits_for_end(earlier);
		return false;
	}
	p = wait_graph_process(g, party->party_pid);
	if (!p) { /* a wait in the previous sample, which has its party */
		before = sample_before(g);
		g = &before;
		p = wait_graph_process(g, party->party_pid);
	}
	if (!p)
		return false;
	*out = choose_thread(g, p);
	if (party->relation == WAITS_RELATION_TERMINAL &&
		!(is_written ? wait_is_stopped(out)
			     : out->party && has_process(chain, out->party->party_pid)))
		return false;
	if (last->what == WAIT_SOCKET_READ) {
		wait_link_follow_server(g, out);
		/* A server rests in the thread that takes connections, while the one that owes an
		 * answer is held up. */
		if (out->is_idle && wait_is_outgoing(last->object) &&
			!wait_find_held(g, out->process, out->thread, out))
			follow_token(g, chain, out);
	}
	return true;
}

/* --- children beside a circle --- */

/* Returns whether another child can end the wait: the process waits for any of its children. */
static bool is_ended_by_another(
	const struct wait_graph *g, struct wait_chain *chain, struct wait_link *link)
{
	const struct waits_party *p = NULL;

	if (link->what != WAIT_CHILD || !link->others || !link->thread)
		return false;
	while ((p = wait_graph_party(g, link->process->node_pid, link->thread->record.tid, p))) {
		enum leads leads;

		if (p->relation != WAITS_RELATION_CHILD)
			continue;
		leads = leads_into_chain(g, chain, p->party_pid);
		chain->is_open |= leads == LEADS_UNKNOWN;
		if (leads == LEADS_OUT) {
			link->party = p;
			return true;
		}
	}
	return false;
}

/* Returns whether each process that could write to the pipe, or read from it, waits for the chain:
 * the jobs of a build whose pipe has lost its last token, workers that have inherited the pipe of
 * their results. */
static bool are_ends_within(
	const struct wait_graph *g, const struct wait_chain *chain, const struct wait_link *link)
{
	unsigned others = 0;

	if ((link->what != WAIT_PIPE_READ && link->what != WAIT_PIPE_WRITE) || !link->others ||
		!link->thread)
		return false;
	wait_parties_each (g, link->process->node_pid, link->thread->record.tid, p) {
		if (p->relation != link->party->relation || p == link->party ||
			p->party_pid == link->process->node_pid)
			continue;
		if (leads_into_chain(g, chain, p->party_pid) != LEADS_IN)
			return false;
		others++;
	}
	return others >= link->others;
}

/* Leaves a circle by a child outside of it, as make does while a make below it waits for a free
 * job. */
static bool leave_circle(const struct wait_graph *g, struct wait_chain *chain)
{
	for (size_t i = chain->circle; i < chain->count; i++) {
		if (!is_ended_by_another(g, chain, &chain->links[i]))
			continue;
		chain->count = i + 1;
		chain->links[i].repeats = false;
		chain->is_open = false;
		return true;
	}
	return false;
}

static bool is_same_wait(const struct wait_link *link, const struct wait_link *last)
{
	const struct waits_party *party = last->party;

	if (party->relation == WAITS_RELATION_THREAD)
		return link->process == last->process &&
		       (!link->thread || link->thread->record.tid == party->party_tid);
	return link->process->node_pid == party->party_pid;
}

static void extend_chain(const struct wait_graph *g, struct wait_chain *out)
{
	struct wait_link next;

	while (out->count < WAIT_LINKS_MAX && next_link(g, out, &next))
		out->links[out->count++] = next;
	out->circle = out->count;
	for (size_t i = out->count; i-- > 0 && out->links[out->count - 1].repeats;) {
		if (is_same_wait(&out->links[i], &out->links[out->count - 1]))
			out->circle = i;
	}
}

static void follow_chain(const struct wait_graph *g, struct wait_chain *out)
{
	extend_chain(g, out);
	if (out->circle < out->count && leave_circle(g, out))
		extend_chain(g, out);
	wait_circle_drop(g, out);
	for (size_t i = out->circle; i < out->count; i++)
		out->links[i].is_closed = are_ends_within(g, out, &out->links[i]);
	if (out->circle < out->count)
		wait_circle_weigh(g, out);
	for (size_t i = 0; i < out->count; i++)
		out->is_deadlock |= out->links[i].repeats ||
				    out->links[i].what == WAIT_ALL_THREADS ||
				    wait_is_abandoned(g, &out->links[i]);
}

/* Finds the process of each party: a sentence needs its details, and a party has only a short
 * name. */
static void find_parties(const struct wait_graph *g, struct wait_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		const struct wait_link *next = i + 1 < chain->count ? &chain->links[i + 1] : NULL;
		struct wait_link *link = &chain->links[i];

		if (!link->party || !link->party->party_pid || !link->party->is_alive)
			continue;
		link->party_process = next && next->process->node_pid == link->party->party_pid
					      ? next->process
					      : wait_graph_process(g, link->party->party_pid);
	}
}

void wait_chain_follow(const struct wait_graph *g, uint32_t pid, struct wait_chain *out)
{
	const struct waits_process *p = wait_graph_process(g, pid);

	assert(out);
	*out = (struct wait_chain){ 0 };
	if (!p)
		return;
	out->links[out->count++] = choose_thread(g, p);
	follow_chain(g, out);
	find_parties(g, out);
}

void wait_chain_follow_thread(
	const struct wait_graph *g, uint32_t pid, uint32_t tid, struct wait_chain *out)
{
	const struct waits_process *p = wait_graph_process(g, pid);
	const struct waits_thread *t = wait_graph_thread_of(g, pid, tid);

	assert(out);
	*out = (struct wait_chain){ 0 };
	if (!p || !t)
		return;
	out->links[out->count++] = wait_link_of(g, p, t);
	follow_chain(g, out);
	find_parties(g, out);
}

enum waits_confidence wait_chain_confidence(const struct wait_chain *chain)
{
	enum waits_confidence least = WAITS_HIGH;

	for (size_t i = 0; i < chain->count; i++) {
		if (chain->links[i].confidence < least)
			least = chain->links[i].confidence;
	}
	return least;
}

/* Returns the oldest process: of a parent and its children, it is the parent. */
static uint32_t oldest_of_circle(const struct wait_chain *chain)
{
	const struct waits_process *oldest = chain->links[chain->circle].process;

	for (size_t i = chain->circle + 1; i < chain->count; i++) {
		const struct waits_process *p = chain->links[i].process;

		if (p->node_start_ticks < oldest->node_start_ticks ||
			(p->node_start_ticks == oldest->node_start_ticks &&
				p->node_pid < oldest->node_pid))
			oldest = p;
	}
	return oldest->node_pid;
}

/* Returns the key of the object; without an inode, as for a FIFO not yet open, that of its path. */
static uint64_t object_of(const struct wait_link *link)
{
	const struct waits_object *o = link->object;
	struct span path = record_text(&o->record, &o->path);

	if (wait_is_socket(o) || (wait_is_pipe(o) && o->inode))
		return o->inode;
	return path.size && (wait_is_pipe(o) || link->what == WAIT_LOCK ||
				    link->what == WAIT_FILE_SYSTEM)
		       ? hash_bytes(HASH_BEGIN ^ o->inode, path.data, path.size)
		       : 0;
}

void wait_chain_root(const struct wait_chain *chain, struct wait_root *out)
{
	const struct wait_link *last;

	assert(chain);
	*out = (struct wait_root){ 0 };
	if (!chain->count)
		return;
	last = &chain->links[chain->count - 1];
	if (wait_circle_pipe(chain))
		out->object = wait_circle_pipe(chain)->inode;
	else if (chain->circle < chain->count)
		out->pid = oldest_of_circle(chain);
	else if (last->party && last->party->is_alive && !last->is_idle &&
		 last->party->relation != WAITS_RELATION_THREAD &&
		 last->party->party_pid != last->process->node_pid)
		out->pid = last->party->party_pid;
	else if (last->what == WAIT_MUTEX && last->party && !last->party->is_alive)
		out->object = (uint64_t)last->party->party_tid << 32;
	else if (last->process != chain->links[0].process)
		out->pid = last->process->node_pid;
	else if (last->object && !last->is_idle)
		out->object = object_of(last);
}
