/* SPDX-License-Identifier: BSD-2-Clause */
/* queue-starved: the main thread of a Python program waits at a queue of its own, and the other
 * threads only sleep or wait. Nothing new can come into the queue: no thread reads, connects or
 * looks at a file, and the sleeping threads woke several times meanwhile and put nothing in. */
#include <string.h>

#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/stack_waits.h"

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 8e9, 1e9, 86400e9, "minimum time that the main thread waits"),
	THRESHOLD("min-wakes", 3, 1, 1e6,
		"minimum number of times that each thread that sleeps woke meanwhile"),
};

struct starved {
	struct stack_wait wait;
	uint64_t for_ns;
	unsigned sleeping, waiting; /* other threads */
	double wakes; /* wakes of the longest sleeping thread while the main thread waits */
};

/* --- the threads --- */

static bool is_sleeping_thread(
	const struct wait_graph *g, const struct waits_process *p, const struct waits_thread *t)
{
	struct wait_link link;

	if (t->state != 'S' || t->call_state)
		return false;
	if (t->lock != WAITS_LOCK_NONE)
		return t->timeout_state != SOOTH_STATE_ABSENT;
	link = wait_link_of(g, p, t);
	return link.what == WAIT_SLEEP;
}

static bool is_resting_thread(const struct wait_graph *g, const struct waits_thread *t)
{
	return t->state == 'S' && !t->call_state && t->lock != WAITS_LOCK_NONE &&
	       t->arguments[1] & WAITS_FUTEX_PRIVATE && t->timeout_state == SOOTH_STATE_ABSENT &&
	       !wait_graph_has_run(g, t);
}

static void add_sleeper(struct starved *s, const struct check *e, const struct waits_thread *t)
{
	const struct thread_history *h = check_thread(e, t->record.tid);
	double hz = h ? thread_history_voluntary(h) : 0;
	double wakes = hz > 0 ? hz * (double)s->for_ns / (double)NS_PER_S : 0;

	if (!s->sleeping++ || wakes < s->wakes)
		s->wakes = wakes;
}

/* Counts the other threads. False: a thread does something else. */
static bool count_other_threads(
	struct starved *s, const struct check *e, const struct wait_graph *g)
{
	const struct waits_process *p = wait_graph_process(g, e->id.pid);
	const struct waits_thread *t = NULL;

	while (p && (t = wait_graph_thread(g, e->id.pid, t))) {
		if (t->record.tid == e->id.pid)
			continue;
		if (is_sleeping_thread(g, p, t))
			add_sleeper(s, e, t);
		else if (is_resting_thread(g, t))
			s->waiting++;
		else
			return false;
	}
	return s->sleeping > 0;
}

static bool is_at_queue(struct starved *s, const struct check *e, const struct wait_graph *g)
{
	const struct waits_thread *t = wait_graph_thread_of(g, e->id.pid, e->id.pid);

	if (!t || t->state != 'S' || t->since_state || t->timeout_state != SOOTH_STATE_ABSENT ||
		wait_graph_has_run(g, t))
		return false;
	s->wait = stack_wait_of(e->input, &e->id, e->id.pid);
	s->for_ns = t->since_ns;
	return s->wait.is_queue;
}

/* --- the calls --- */

/* Returns whether the calls are on a counter by which threads of the process wake each other:
 * "anon_inode:[eventfd]". */
static bool is_of_runtime(const struct call_repeat *r)
{
	return strstr(r->text, "[event") != NULL;
}

/* Returns whether nothing comes into the process: no file is looked at, and no descriptor used. */
static bool gets_no_input(const struct call_history *h)
{
	if (h->looks || h->uring_calls)
		return false;
	call_repeats_each (h, key, r) {
		if ((key->fd >= 0 || r->is_socket || r->has_path) && !is_of_runtime(r))
			return false;
	}
	return true;
}

static bool has_child(const struct check *e)
{
	process_table_for_each (&e->input->host.process_table, child) {
		if (child->parent == e->process && child->is_there)
			return true;
	}
	return false;
}

static void put_others(struct buffer *out, const struct starved *s)
{
	unsigned all = s->sleeping + s->waiting;

	if (all == 1)
		buffer_string(out, "the only other thread just sleeps");
	else if (!s->waiting)
		buffer_format(out, "the other %u threads just sleep", all);
	else
		buffer_format(out, "of the other %u threads %u wait%s and %u just sleep%s", all,
			s->waiting, s->waiting == 1 ? "s" : "", s->sleeping,
			s->sleeping == 1 ? "s" : "");
}

#define CLAIM  "its main thread has waited in {by}{, called by |within}, for {time}, and {others}: "
#define UNSEEN "whether a sleeping thread feeds the queue at a later set time"
#define REMEDY                                                                                     \
	"sooth stack {pid} shows where each thread waits; look for the error of the thread that "  \
	"feeds the queue in its log, and have that thread put its error in"

static const struct claim_row of_join = { CLAIM "a task of the queue was taken and never marked as "
						"done (task_done), or its thread has ended",
	UNSEEN, REMEDY },
			      of_get = { CLAIM "nothing is put into the queue, perhaps since the "
					       "thread that should has ended by an error",
				      UNSEEN, REMEDY };

static void report_queue(const struct check *e, struct check_result *out, const struct starved *s)
{
	bool is_join = span_ends(s->wait.by, "join");

	finding_begin(out, confidence_medium_if(is_join), "");
	finding_low_if(out, !is_join);
	finding_thread(out, e->id.pid);
	finding_value_span(out, "by", s->wait.by);
	stack_wait_put_within(finding_value(out, "within"), &s->wait);
	finding_value_time(out, "time", s->for_ns);
	put_others(finding_value(out, "others"), s);
	finding_time(out, "waiting for", s->for_ns);
	finding_count(out, "threads that sleep", s->sleeping, 0);
	finding_count(out, "threads that wait for another", s->waiting, 0);
	finding_count(out, "times that each one that sleeps woke meanwhile, at least", s->wakes, 0);
	finding_claim_row(out, is_join ? &of_join : &of_get);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct starved s = { 0 };
	struct wait_graph g;

	if (!check_graph_begin(e, out, &g))
		return;
	if (!is_at_queue(&s, e, &g) || !count_other_threads(&s, e, &g) || has_child(e))
		check_fine(out, "its main thread does not wait at a queue of its own, or something "
				"may come in");
	else if (check_is_stopped(e))
		check_fine(out, "the process is stopped");
	else if (check_has_finding(e, "deadlock") || check_has_finding(e, "all-threads-waiting"))
		check_fine(out, "reported by another check");
	else if (!e->calls.is_read)
		check_blind_because(out, "its system calls were not observed",
			"run as root; `sooth doctor` shows other ways");
	else if (!gets_no_input(e->calls.history))
		check_fine(
			out, "one of its threads runs, and may still put something into the queue");
	else if (s.wakes < check_option(e, "min-wakes"))
		check_fine(
			out, "another thread sleeps, and may still put something into the queue");
	else if (check_is_long(e, out, "min-time", s.for_ns,
			 "its main thread waits at a queue of its own"))
		report_queue(e, out, &s);
}

const struct finding_detector finding_queue_starved = { diagnose, FINDING_OPTIONS(options) };
