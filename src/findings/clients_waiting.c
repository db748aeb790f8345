/* SPDX-License-Identifier: BSD-2-Clause */
/* clients-waiting: a server does not serve. Connections stay in the queue of a listening socket, or
 * data on accepted connections stays unread, for the whole observation; a server that accepts or
 * reads anything in between is slow, not stuck. Or the server has read requests and not answered
 * them, and as many threads wait at one place of the program: a pool of connections is used up, a
 * lock is not released. An event loop reads what all its clients sent and answers in turn: if it
 * sleeps, waits or computes in a handler, both snapshots have requests without an answer. */
#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/stack_waits.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/sockets/socket_turn.h"
#include "analyze/waits/wait_text.h"
#include "base/cleanup.h"

#define PLACES_MAX 16

NUMBER(LONG_NS, 10 * NS_PER_S, NS, "a wait that keeps clients waiting");
NUMBER(LOOKS_LEAST, 5, NONE, "samples: fewer show no habit");
NUMBER(ELSEWHERE, 0.8, NONE, "share of the samples");
NUMBER(SLOW_LEAST, 2, NONE, "clients with unanswered requests at either snapshot");
NUMBER(LATE_NS, NS_PER_S, NS, "of a request without an answer");
NUMBER(LONG_WAITS_MOST, 2, NONE, "a second: with more, the server pauses shortly for each request");

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 3e9, 1e8, 86400e9,
		"minimum time in which the server accepts or reads nothing"),
	THRESHOLD("min-requests", 3, 2, 1e6,
		"minimum number of requests without an answer, and of threads that wait at one "
		"place"),
	TIME_THRESHOLD(
		"answer-time", 10e9, 1e9, 86400e9, "minimum time since such a request was read"),
};

struct clients {
	uint64_t queued; /* connections not accepted yet, on all listening sockets */
	uint64_t unread; /* connections whose data is unread */
	uint64_t unread_bytes;
	uint64_t on_edge; /* connections of `unread` for which epoll wakes the server only when more
			     data comes */
	uint64_t queued_ns, unread_ns;	    /* minimum times that these connections have waited */
	uint64_t ns;			    /* the longer one */
	unsigned asking_first, asking_last; /* connections with a request at each snapshot */
	unsigned late_first, late_last;	    /* requests of these that wait for LATE_NS or longer */
	uint64_t unanswered;		    /* connections whose last data came from the client */
	uint64_t unanswered_ns;		    /* time since the last data of the oldest unanswered */
	uint64_t accepted;		    /* connections, new since the first snapshot */
	unsigned listening;
	bool came;	  /* connections came to the queue after the first snapshot */
	unsigned unknown; /* listening sockets whose queue is unknown */
	const struct sockets_socket *queue; /* listening socket with most clients in its queue */
};

/* Connections of the process to itself do not count. */
static void add_listener(struct clients *c, const struct snapshot *last,
	const struct sockets_socket *before, const struct sockets_socket *s)
{
	uint64_t own = sockets_to_itself(last, s), queued;

	c->listening++;
	if (s->receive_queue_state) {
		c->unknown++;
		return;
	}
	queued = s->receive_queue_bytes > own ? s->receive_queue_bytes - own : 0;
	if (!queued)
		return;
	if (!before || before->receive_queue_state || !before->receive_queue_bytes ||
		s->receive_queue_bytes < before->receive_queue_bytes) {
		c->came = true;
		return;
	}
	if (!c->queue || queued > c->queued)
		c->queue = s;
	c->queued += queued;
	c->queued_ns = s->record.time_ns - before->record.time_ns;
}

static bool is_unread(const struct sockets_socket *before, const struct sockets_socket *s)
{
	return before && !before->receive_queue_state && !before->bytes_state &&
	       before->receive_queue_bytes &&
	       before->received_bytes - before->receive_queue_bytes ==
		       s->received_bytes - s->receive_queue_bytes;
}

static bool is_unanswered(const struct check *e, const struct sockets_socket *s)
{
	return socket_owes_answer(s) && !s->receive_queue_state && !s->receive_queue_bytes &&
	       !s->bytes_state && s->received_bytes &&
	       s->received_ago_ns >= check_option(e, "answer-time");
}

static bool is_edge_triggered(const struct check *e, const struct sockets_socket *s)
{
	snapshot_each (struct fds_member, m, check_last(e, &e->input->fds), FDS_MEMBER) {
		if (m->inode == s->inode && m->events & FDS_MEMBER_EDGE)
			return true;
	}
	return false;
}

static void add_accepted(const struct check *e, struct clients *c,
	const struct sockets_socket *before, const struct sockets_socket *s)
{
	uint64_t ns;

	if (is_unanswered(e, s)) {
		c->unanswered++;
		if (s->received_ago_ns > c->unanswered_ns)
			c->unanswered_ns = s->received_ago_ns;
	}

	if (!before) {
		c->accepted++;
		return;
	}
	if (s->receive_queue_state || s->bytes_state) {
		c->unknown++;
		return;
	}
	/* The end of the stream counts as a byte. */
	if (s->state != SOCKETS_ESTABLISHED || !is_unread(before, s))
		return;
	ns = s->record.time_ns - before->record.time_ns +
	     (before->received_state ? 0 : before->received_ago_ns);
	c->unread++;
	c->on_edge += is_edge_triggered(e, s);
	c->unread_bytes += s->receive_queue_bytes;
	if (ns > c->unread_ns)
		c->unread_ns = ns;
}

/* Returns whether the last data of the connection came from the client, whether or not it was read:
 * an event loop reads the requests of all clients before it answers the first. */
static bool has_request(const struct sockets_socket *s)
{
	if (s->state_state || s->state != SOCKETS_ESTABLISHED || !socket_is_inet(s) ||
		s->side != SOCKETS_SIDE_ACCEPTED)
		return false;
	return socket_owes_answer(s) || (!s->receive_queue_state && s->receive_queue_bytes);
}

static unsigned count_requests(const struct snapshot *snapshot, unsigned *late)
{
	unsigned count = 0;

	sockets_each (snapshot, s) {
		if (!has_request(s))
			continue;
		count++;
		*late += !s->received_state && s->received_ago_ns >= LATE_NS;
	}
	return count;
}

static void find_clients(struct clients *c, const struct check *e)
{
	const struct snapshot *first = check_first(e, &e->input->sockets),
			      *last = check_last(e, &e->input->sockets);
	_cleanup_(socket_index_fini) struct socket_index before = { 0 };

	socket_index_init(&before, first);
	c->asking_first = count_requests(first, &c->late_first);
	c->asking_last = count_requests(last, &c->late_last);
	sockets_each (last, s) {
		if (s->state_state)
			continue;
		if (s->state == SOCKETS_LISTEN)
			add_listener(c, last, socket_index_get(&before, s->inode), s);
		else if (socket_is_inet(s) && s->side == SOCKETS_SIDE_ACCEPTED)
			add_accepted(e, c, socket_index_get(&before, s->inode), s);
	}
	/* A connection was accepted meanwhile: the queue is served, slowly. */
	if (c->accepted) {
		c->queued = 0;
		c->came = false;
	}
	c->ns = c->unread_ns > c->queued_ns ? c->unread_ns : c->queued_ns;
}

static const struct thread_history *busiest_thread(const struct check *e)
{
	const struct thread_history *best = NULL;

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (thread_history_cpu(t) >= 0 &&
			(!best || thread_history_cpu(t) > thread_history_cpu(best)))
			best = t;
	}
	return best;
}

/* Appends the wait of the main thread, to the end of the chain: the thread serves nothing
 * meanwhile. */
static void put_chain(struct buffer *out, const struct check *e)
{
	_cleanup_(buffer_fini) struct buffer place = { 0 };
	struct wait_chain chain;
	struct wait_graph g;
	const struct wait_link *first = &chain.links[0];

	if (!check_chain(e, 0, &g, &chain) || first->is_idle || first->is_active ||
		first->what == WAIT_RUNS || first->what == WAIT_READY ||
		first->what == WAIT_UNKNOWN)
		return;
	buffer_string(out, "; it ");
	wait_link_text(out, &g, first);
	wait_chain_rest(out, &g, &chain);
	if (first->thread &&
		stack_wait_put_own(&place, e->input, e->process, first->thread->record.tid))
		buffer_format(out, "; %u is in %s", e->id.pid, buffer_cstr(&place));
}

static bool misses_edge_events(const struct check *e, const struct clients *c)
{
	if (!c->unread || c->on_edge < c->unread || c->queued)
		return false;
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (t->met > 1 && t->waits[THREAD_WAIT_READY] == t->met)
			return true;
	}
	return false;
}

enum cause { CAUSE_STOPPED, CAUSE_COMPUTES, CAUSE_SLEEPS, CAUSE_EDGE, CAUSE_WAITS };

static enum cause cause_of(const struct check *e, const struct clients *c)
{
	const struct thread_history *t = busiest_thread(e);

	if (check_is_stopped(e))
		return CAUSE_STOPPED;
	/* On a busy machine that may be a small share of a CPU. */
	if (t && t->running == t->met)
		return CAUSE_COMPUTES;
	if (t && t->waits[THREAD_WAIT_TIME] == t->met)
		return CAUSE_SLEEPS;
	return misses_edge_events(e, c) ? CAUSE_EDGE : CAUSE_WAITS;
}

#define CLAIM "clients wait: {queued}{and}{unread}, for at least {time}"
#define STACK_REMEDY                                                                               \
	"sooth stack {pid} shows where its threads wait instead; a server must not wait in the "   \
	"thread that serves"

static const struct claim_row rows[] = {
	[CAUSE_STOPPED] = { CLAIM "{chain}", NULL,
		"sooth why {pid} shows what stopped it, and how it goes on" },
	[CAUSE_COMPUTES] = { CLAIM "; it computes (thread {thread})", NULL,
		"sooth profile {pid} shows what it computes; a server needs another thread or "
		"process for such work" },
	[CAUSE_SLEEPS] = { CLAIM "; it sleeps", NULL, STACK_REMEDY },
	[CAUSE_EDGE] = { CLAIM "; its epoll is edge-triggered: what a read has left unread wakes "
			       "it only when more comes",
		NULL,
		"after each event of an edge-triggered epoll read until EAGAIN, or leave out "
		"EPOLLET" },
	[CAUSE_WAITS] = { CLAIM "{chain}", NULL, STACK_REMEDY },
};

static void set_values(const struct check *e, struct check_result *out, const struct clients *c)
{
	struct buffer *queued = finding_value(out, "queued"), *unread, *chain;

	if (c->queued) {
		buffer_format(queued, "%llu connection%s on ", (unsigned long long)c->queued,
			c->queued == 1 ? " is not accepted" : "s are not accepted");
		socket_put_local(queued, c->queue);
	}
	unread = finding_value(out, "unread");
	if (c->unread)
		buffer_format(unread, "what %llu client%s sent is not read",
			(unsigned long long)c->unread, c->unread == 1 ? "" : "s");
	finding_value_text(out, "and", "%s", c->queued && c->unread ? ", and " : "");
	finding_value_time(out, "time", c->ns);
	finding_value_text(out, "thread", "%s", busiest_thread(e) ? busiest_thread(e)->name : "");
	chain = finding_value(out, "chain");
	put_chain(chain, e);
	if (!chain->size && check_is_stopped(e))
		buffer_string(chain, "; it is stopped");
}

static void report_clients(const struct check *e, struct check_result *out, const struct clients *c)
{
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	/* A deadlock of threads is the cause of the wait, and is reported first. */
	finding_low_if(out,
		(c->queued + c->unread < 2 && c->ns < LONG_NS) || check_has_finding(e, "deadlock"));
	if (c->queued)
		finding_count(out, "connections that are not accepted", c->queued, c->queued_ns);
	if (c->unread)
		finding_number(out, "unread from clients", (double)c->unread_bytes,
			SOOTH_UNIT_BYTES, c->unread_ns);
	finding_time(out, "time without accepting or reading", c->ns);
	if (c->queued)
		finding_unseen(out, "whether another process that shares this listening socket "
				    "should accept the connections");
	set_values(e, out, c);
	finding_claim_row(out, &rows[cause_of(e, c)]);
}

/* --- requests without an answer --- */

struct place {
	struct stack_wait wait;
	unsigned threads;
};

/* Returns whether the thread waits for something inside the process, without a timeout, over the
 * whole observation. */
static bool is_stuck(const struct thread_history *t)
{
	return t->met > 1 && t->waits[THREAD_WAIT_LOCK] == t->met && !t->with_timeout &&
	       t->first.cpu_ns == t->last.cpu_ns && thread_history_voluntary(t) <= 0;
}

/* Returns where most threads wait, among the first PLACES_MAX. A pool thread that waits for work
 * has no function of the program on its stack, and does not count. */
static struct place busiest_place(const struct check *e)
{
	struct place places[PLACES_MAX] = { 0 }, most = { 0 };

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		struct stack_wait wait;
		size_t i = 0;

		if (!is_stuck(t))
			continue;
		wait = stack_wait_of(e->input, &e->id, t->tid);
		while (i < PLACES_MAX && places[i].threads &&
			!stack_wait_is_same(&places[i].wait, &wait))
			i++;
		if (!wait.within.size || i == PLACES_MAX)
			continue;
		places[i].wait = wait;
		if (++places[i].threads > most.threads)
			most = places[i];
	}
	return most;
}

/* Reports requests without an answer. False: nothing to report. At most as many threads wait as
 * requests do: the other requests are in a queue of the server. */
static bool diagnose_unanswered(
	const struct check *e, struct check_result *out, const struct clients *c)
{
	static const struct claim_row row = {
		"clients wait: {requests} requests were read and have no answer, the oldest for "
		"{time}; {threads} threads wait in {by}, called by {within}",
		"which requests have what these wait for",
		"each request waits for something that others have and do not give back: a "
		"connection of a pool, a place in a queue, a lock; sooth stack {pid} shows all "
		"threads. Give it back also when a request fails, and wait with a timeout"
	};
	double least = check_option(e, "min-requests");
	struct place p;

	if ((double)c->unanswered < least)
		return false;
	p = busiest_place(e);
	if ((double)p.threads < least || p.threads > c->unanswered)
		return false;
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "answers");
	finding_value_text(out, "requests", "%llu", (unsigned long long)c->unanswered);
	finding_value_time(out, "time", c->unanswered_ns);
	finding_value_text(out, "threads", "%u", p.threads);
	finding_value_span(out, "by", p.wait.by);
	stack_wait_put_within(finding_value(out, "within"), &p.wait);
	finding_count(out, "requests without an answer", c->unanswered, 0);
	finding_time(out, "time since the oldest was read", c->unanswered_ns);
	finding_count(out, "threads that wait at this place", p.threads, 0);
	finding_claim_row(out, &row);
	return true;
}

/* --- an event loop that waits in a handler --- */

/* Returns the main thread, if no other thread can be what serves the clients: no other waits for
 * data. */
static const struct thread_history *serving_thread(const struct check *e)
{
	const struct thread_history *main_thread = NULL;
	size_t i = 0;

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		bool is_service = thread_is_service(span_of_string(t->name), i++);

		if (t->tid == e->id.pid)
			main_thread = t;
		else if (!is_service && (t->waits[THREAD_WAIT_READY] || t->waits[THREAD_WAIT_DATA]))
			return NULL;
	}
	return main_thread && main_thread->met >= LOOKS_LEAST ? main_thread : NULL;
}

enum lateness { LATE_NOT, LATE_SLEEPS, LATE_WAITS, LATE_COMPUTES };

#define LATE_CLAIM                                                                                 \
	"clients wait: {requests} requests have no answer yet; its main thread, which serves "     \
	"them, {does} nearly all of the time"
#define LATE_UNSEEN "whether the same ones wait: some are served in between"

static const struct claim_row late_waits = { LATE_CLAIM, LATE_UNSEEN,
	"sooth stack {pid} shows where it waits; an event loop must not sleep or wait in a "
	"handler: use its own timers and asynchronous calls, or a thread" };
static const struct claim_row late_computes = { LATE_CLAIM, LATE_UNSEEN,
	"sooth profile {pid} shows what it computes; an event loop answers no client meanwhile: "
	"use a worker thread or another process for such work" };

/* Returns whether the event loop spends nearly all of its time in long waits for something else
 * than its clients, or runs while requests are late: a server that has much to do answers each of
 * them soon. */
static enum lateness lateness_of(const struct check *e, const struct clients *c)
{
	const struct thread_history *t = serving_thread(e);
	double voluntary = t ? thread_history_voluntary(t) : -1;

	if (voluntary < 0 || voluntary > LONG_WAITS_MOST)
		return LATE_NOT;
	if (t->waits[THREAD_WAIT_TIME] >= ELSEWHERE * t->met)
		return LATE_SLEEPS;
	if (t->waits[THREAD_WAIT_TIME] + t->waits[THREAD_WAIT_DATA] + t->waits[THREAD_WAIT_LOCK] >=
		ELSEWHERE * t->met)
		return LATE_WAITS;
	return t->running == t->met && c->late_first >= SLOW_LEAST && c->late_last >= SLOW_LEAST
		       ? LATE_COMPUTES
		       : LATE_NOT;
}

static bool diagnose_slow(const struct check *e, struct check_result *out, const struct clients *c)
{
	unsigned least = c->asking_first < c->asking_last ? c->asking_first : c->asking_last;
	enum lateness late = least >= SLOW_LEAST ? lateness_of(e, c) : LATE_NOT;

	if (late == LATE_NOT)
		return false;
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "slow");
	finding_value_text(out, "requests", "%u", c->asking_last);
	finding_value_text(out, "does", "%s",
		late == LATE_SLEEPS  ? "sleeps"
		: late == LATE_WAITS ? "waits for something else"
				     : "computes");
	finding_count(out, "requests without an answer at the start", c->asking_first, 0);
	finding_count(out, "requests without an answer at the end", c->asking_last, 0);
	finding_claim_row(out, late == LATE_COMPUTES ? &late_computes : &late_waits);
	return true;
}

static void emit_fine(struct check_result *out, const struct clients *c, uint8_t state)
{
	if (c->came)
		check_blind_by(out, FINDING_SHORT,
			"connections came into the queue of a listening socket and were not "
			"accepted yet",
			CHECK_LONGER);
	else if (state || c->unknown)
		check_blind(out, state ? state : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED));
	else if (!c->listening)
		check_fine(out, "the process serves no connections");
	else
		check_fine(out, "%llu clients wait", (unsigned long long)(c->queued + c->unread));
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *first = check_first(e, &e->input->sockets);
	const struct snapshot *last = check_last(e, &e->input->sockets);
	const struct sockets_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;
	struct clients c = { 0 };

	if (!first || !end || end->sockets_state > SOOTH_STATE_TRUNCATED) {
		check_blind(out, end && end->sockets_state
					 ? end->sockets_state
					 : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	find_clients(&c, e);
	if (c.queued + c.unread < SLOW_LEAST && diagnose_slow(e, out, &c))
		return;
	if (c.queued + c.unread && check_is_over(e, "min-time", c.ns, ""))
		report_clients(e, out, &c);
	else if (!diagnose_unanswered(e, out, &c))
		emit_fine(out, &c, end->sockets_state);
}

const struct finding_detector finding_clients_waiting = { diagnose, FINDING_OPTIONS(options) };
