/* SPDX-License-Identifier: BSD-2-Clause */
/* deadlock: some threads of a process wait for locks, results or signals that nothing gives, while
 * others go on. Locks of Rust and Python have no owner that could be read, so the stacks decide:
 * threads wait for a lock, not for work, without a timeout and for a long time, and no other thread
 * rests with a lock in its hands. all-threads-waiting reports circles of mutexes with known owners,
 * and processes in which no thread can go on. */
#include <string.h>

#include "analyze/diagnosis/check_waits.h"
#include "base/sentence_units.h"
#include "analyze/evidence/stack_waits.h"
#include "analyze/waits/wait_runtime.h"
#include "base/cleanup.h"

#define THREADS_SHOWN	 6
#define SIGNAL_INTERRUPT 2
#define NAMED_MOST	 3 /* threads by name in the claim; of more, their functions */

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 10e9, 1e9, 86400e9, "minimum time these threads wait"),
	TIME_THRESHOLD("min-time-at-rest", 4e9, 1e9, 86400e9,
		"the same for a process with no other running thread"),
};

enum place {
	PLACE_RESTS, /* the thread waits for work, or for the end of a thread */
	PLACE_RUNS,  /* the thread ran during the observation */
	PLACE_AWAY,  /* the thread is in another wait, perhaps holding the lock */
	PLACE_LOCK,
	PLACE_RESULT,
	PLACE_SIGNAL, /* the thread waits for a latch, semaphore or future of Java */
	PLACE_UNSEEN,
	PLACES,
};

struct locked {
	const struct check *e;
	const struct wait_graph *g;
	const struct waits_process *p;
	unsigned count[PLACES];
	unsigned all;		 /* number of all threads, with those of the runtime */
	unsigned threads, locks; /* number of threads without the runtime's; number of locks that
				    they wait for */
	unsigned pool, pool_waits, loops;
	unsigned peers; /* threads in the pool of the first of these threads */
	unsigned peers_waiting;
	unsigned woken;	      /* resting threads that a client, a file or a timeout can wake */
	unsigned full;	      /* threads that put into a full queue, or wait until one is empty */
	bool is_main_pausing; /* main thread sleeps in a loop: it watches the others */
	const char *signal;   /* "waits for a CountDownLatch" */
	unsigned conditions;  /* threads of Java that wait on a condition, no timeout */
	bool has_main_ended;  /* Java: main() has ended */
	uint64_t for_ns[PLACES]; /* the shortest wait at each place */
	struct stack_wait
		first_at[PLACES]; /* the first thread at each place, or the first of a pool */
	uint64_t addresses[2];
};

/* --- threads --- */

/* Returns the place of a thread at a futex. If the owner of a mutex is known, all-threads-waiting
 * follows it. */
static enum place place_of_futex(const struct waits_thread *t, const struct stack_wait *s)
{
	bool is_private = t->arguments[1] & WAITS_FUTEX_PRIVATE;

	if (t->timeout_state != SOOTH_STATE_ABSENT)
		return PLACE_AWAY;
	if (t->lock == WAITS_LOCK_JOIN)
		return PLACE_RESTS;
	if (!is_private || t->lock == WAITS_LOCK_MUTEX || t->lock == WAITS_LOCK_OWNED)
		return PLACE_AWAY;
	switch (s->kind) {
	case STACK_WAIT_LOCK:
		return PLACE_LOCK;
	case STACK_WAIT_RESULT:
		return PLACE_RESULT;
	case STACK_WAIT_OTHER:
		return PLACE_RESTS;
	default:
		return PLACE_UNSEEN;
	}
}

static enum place place_of(const struct wait_graph *g, const struct waits_process *p,
	const struct waits_thread *t, const struct stack_wait *s)
{
	struct wait_link link;

	if (wait_graph_has_run(g, t))
		return PLACE_RUNS;
	if (t->lock == WAITS_LOCK_JAVA_TASK)
		return PLACE_RESULT;
	if (wait_runtime_text(t))
		return t->timeout_state == SOOTH_STATE_ABSENT ? PLACE_SIGNAL : PLACE_AWAY;
	/* If clients, timers or other threads may give the thread work, this wait is how a pool
	 * rests. */
	if (wait_is_runtime_idle(t))
		return PLACE_RESTS;
	if (!t->call_state && t->lock != WAITS_LOCK_NONE)
		return place_of_futex(t, s);
	link = wait_link_of(g, p, t);
	return link.is_idle ? PLACE_RESTS : PLACE_AWAY;
}

static void add_lock(struct locked *l, uint64_t address)
{
	for (unsigned i = 0; i < l->locks; i++) {
		if (l->addresses[i] == address)
			return;
	}
	if (l->locks < ARRAY_SIZE(l->addresses))
		l->addresses[l->locks++] = address;
}

static bool can_be_woken(const struct waits_thread *t)
{
	return t->lock == WAITS_LOCK_NONE || t->timeout_state != SOOTH_STATE_ABSENT;
}

/* Returns whether the main thread sleeps between two steps, as main threads do that wait for the
 * end of the others. */
static bool is_pausing(
	const struct wait_graph *g, const struct waits_process *p, const struct waits_thread *t)
{
	struct wait_link link;

	if (t->record.tid != t->node_pid || t->state != 'S')
		return false;
	link = wait_link_of(g, p, t);
	return link.what == WAIT_SLEEP;
}

static bool puts_into_queue(enum place place, const struct stack_wait *s)
{
	return place == PLACE_RESTS && s->is_queue && !span_ends(s->by, "get");
}

static void add_waiter(struct locked *l, const struct waits_thread *t, enum place place,
	const struct stack_wait *s)
{
	l->woken += place == PLACE_RESTS && can_be_woken(t);
	l->full += puts_into_queue(place, s);
	l->conditions += place == PLACE_RESTS && t->lock == WAITS_LOCK_JAVA_CONDITION &&
			 t->timeout_state == SOOTH_STATE_ABSENT;
	if (place == PLACE_SIGNAL && !l->signal)
		l->signal = wait_runtime_text(t);
	l->threads++;
	l->pool += s->is_pool;
	l->pool_waits += s->is_pool && place == PLACE_RESULT;
	l->loops += s->is_loop;
	if (!l->count[place]++ || (s->is_pool && !l->first_at[place].is_pool))
		l->first_at[place] = *s;
	if (place == PLACE_RUNS)
		return;
	if (l->count[place] == 1 || t->since_ns < l->for_ns[place])
		l->for_ns[place] = t->since_ns;
	if (place == PLACE_LOCK)
		add_lock(l, t->arguments[0]);
}

/* Returns the name without its number: threads of one pool are "pool-1-thread-2" and
 * "pool-1-thread-1". */
static struct span pool_name(const struct waits_thread *t)
{
	struct span name = record_text(&t->record, &t->name);

	while (name.size && name.data[name.size - 1] >= '0' && name.data[name.size - 1] <= '9')
		name.size--;
	return name;
}

/* Counts the pool of the first thread that waits for a task: only threads of its own pool can run
 * that task. */
static void count_peers(struct locked *l)
{
	const struct waits_thread *t = NULL, *first = NULL;

	while (!first && (t = wait_graph_thread(l->g, l->e->id.pid, t))) {
		if (t->lock == WAITS_LOCK_JAVA_TASK)
			first = t;
	}
	t = NULL;
	while (first && (t = wait_graph_thread(l->g, l->e->id.pid, t))) {
		if (!pool_name(first).size || span_compare(pool_name(t), pool_name(first)))
			continue;
		l->peers++;
		l->peers_waiting += t->lock == WAITS_LOCK_JAVA_TASK && !wait_graph_has_run(l->g, t);
	}
}

static void count_threads(struct locked *l)
{
	const struct waits_thread *t = NULL;

	for (size_t i = 0; (t = wait_graph_thread(l->g, l->e->id.pid, t)); i++) {
		struct stack_wait s = stack_wait_of(l->e->input, &l->e->id, t->record.tid);

		l->all++;
		if (thread_is_service(record_text(&t->record, &t->name), i))
			continue;
		l->is_main_pausing |= is_pausing(l->g, l->p, t);
		l->has_main_ended |=
			s.is_end || span_equal(record_text(&t->record, &t->name), "DestroyJavaVM");
		add_waiter(l, t, place_of(l->g, l->p, t, &s), &s);
	}
	count_peers(l);
}

/* --- what it is --- */

enum kind {
	KIND_NONE,
	KIND_LOCKS,
	KIND_ALONE,
	KIND_CONDITION, /* the only thread waits on a condition */
	KIND_EVENT,	/* the only thread waits, and a handler of a signal could not end that */
	KIND_QUEUE,	/* the only thread waits at a queue */
	KIND_FULL,	/* all threads except a main thread that watches them wait at queues */
	KIND_POOL,
	KIND_TASKS,
	KIND_SIGNAL,	  /* no other thread is there */
	KIND_SIGNAL_IDLE, /* all other threads are idle */
	KIND_CONDITIONS,  /* Java: all threads wait on conditions */
	KIND_UNENDED,	  /* the same, and main() has ended */
};

#define ALONE	    "deadlock: its only thread waits "
#define EXHAUSTED   "thread pool exhausted: "
#define WHICH_LOCK  "which thread has which lock, and whether one that runs will release it"
#define RESULTS	    "whether another thread provides these results"
#define SIGNAL_HOOK "whether a signal, as for a hook at the end, will end the wait"
#define HANDLER	    "whether a signal handler will end the wait"

static const struct row {
	enum place place;
	const char *unseen, *claim;
} rows[] = {
	[KIND_LOCKS] = { PLACE_LOCK, WHICH_LOCK,
		"deadlock: {threads} wait for locks that nothing releases, for {time}{, in "
		"|within}{ and |other}" },
	[KIND_ALONE] = { PLACE_LOCK, WHICH_LOCK,
		ALONE "for a lock{ in |within} that no other thread of it can release{fork}, for "
		      "{time}" },
	[KIND_CONDITION] = { PLACE_RESTS, WHICH_LOCK,
		ALONE "on a condition{ in |caller}, for {time}: no other thread is left that could "
		      "signal it" },
	[KIND_EVENT] = { PLACE_RESTS, "whether it rests on purpose until it is ended",
		ALONE "in {by}{, called by |within}, for {time}: no other thread is left, and it "
		      "handles no signal but SIGINT" },
	[KIND_QUEUE] = { PLACE_RESTS, HANDLER,
		ALONE "in {by}{, called by |within}, for {time}: the threads at the other end of "
		      "the queue have ended" },
	[KIND_FULL] = { PLACE_RESTS, HANDLER,
		"deadlock: {full} in {by}{, called by |within}, for {time}: nothing takes from the "
		"queue, and no thread is left that could" },
	[KIND_POOL] = { PLACE_RESULT, RESULTS,
		EXHAUSTED "all {pool} pool threads wait for results of other tasks, for {time}, "
			  "and none is left to run these{: Future.result in |within}" },
	[KIND_TASKS] = { PLACE_RESULT, RESULTS,
		EXHAUSTED "{threads} wait for results of tasks that no thread has begun, for "
			  "{time}, and none is left to run these" },
	[KIND_SIGNAL] = { PLACE_SIGNAL, SIGNAL_HOOK,
		"deadlock: {threads} {signal}, for {time}: no other thread is left that could end "
		"this wait" },
	[KIND_SIGNAL_IDLE] = { PLACE_SIGNAL, SIGNAL_HOOK,
		"deadlock: {threads} {signal}, for {time}: all other threads are idle, none is "
		"left to end this wait" },
	[KIND_CONDITIONS] = { PLACE_RESTS, SIGNAL_HOOK,
		"deadlock: {conditions} on a condition, as of an empty queue, for {time}: no other "
		"thread, timer or connection is left that could end this wait" },
	[KIND_UNENDED] = { PLACE_RESTS, SIGNAL_HOOK,
		"its main() has ended, and {conditions} for work, for {time}, that none is left to "
		"give: a pool that was not shut down keeps the process" },
};

/* Returns whether the only thread is one of an interpreter that waits for an event, a condition or
 * a thread. The program has no handler that could end the wait: Python always handles SIGINT. */
static bool is_event_of_nothing(const struct locked *l)
{
	const struct waits_signals *w = check_signals(l->e, check_last(l->e, &l->e->input->waits));
	const struct stack_wait *s = &l->first_at[PLACE_RESTS];

	return l->all == 1 && l->count[PLACE_RESTS] && s->by.size && s->within.size && w &&
	       !(w->caught & ~(1u << (SIGNAL_INTERRUPT - 1)));
}

static enum kind kind_of(const struct locked *l)
{
	bool is_clear = !l->count[PLACE_AWAY] && !l->count[PLACE_UNSEEN];

	if (l->threads == 1 && l->count[PLACE_LOCK])
		return KIND_ALONE;
	if (l->threads == 1 && l->count[PLACE_RESTS] && l->first_at[PLACE_RESTS].is_queue)
		return KIND_QUEUE;
	if (l->all == 1 && l->count[PLACE_RESTS] && l->first_at[PLACE_RESTS].is_condition)
		return KIND_CONDITION;
	if (is_event_of_nothing(l))
		return KIND_EVENT;
	if (l->full && l->is_main_pausing && l->threads == l->full + 1)
		return KIND_FULL;
	if (is_clear && l->count[PLACE_LOCK] > 1 && l->locks > 1)
		return KIND_LOCKS;
	if (is_clear && l->pool && l->pool == l->pool_waits && !l->loops)
		return KIND_POOL;
	/* The whole pool waits, whatever the main thread and other threads do. */
	if (l->peers > 1 && l->peers == l->peers_waiting)
		return KIND_TASKS;
	if (is_clear && l->count[PLACE_SIGNAL] && !l->count[PLACE_RUNS] && !l->woken)
		return l->threads == l->count[PLACE_SIGNAL] ? KIND_SIGNAL : KIND_SIGNAL_IDLE;
	if (is_clear && l->conditions && l->threads == l->count[PLACE_RESTS] && !l->woken)
		return l->has_main_ended ? KIND_UNENDED : KIND_CONDITIONS;
	return KIND_NONE;
}

/* --- the finding --- */

/* Appends the names of threads, if they differ: those of Python are all the same. */
static void put_threads(struct buffer *out, const struct locked *l, enum place place)
{
	unsigned count = l->count[place], n = 0;
	const struct waits_thread *t = NULL;

	if (count > NAMED_MOST || l->first_at[place].within.size) {
		buffer_format(out, "%u of %u threads", count, l->threads);
		return;
	}
	buffer_string(out, count == 1 ? "thread " : "threads ");
	for (size_t i = 0; (t = wait_graph_thread(l->g, l->e->id.pid, t)); i++) {
		struct stack_wait s = stack_wait_of(l->e->input, &l->e->id, t->record.tid);
		struct span name = record_text(&t->record, &t->name);

		if (thread_is_service(name, i) || place_of(l->g, l->p, t, &s) != place)
			continue;
		buffer_format(out, "%s%.*s",
			!n		 ? ""
			: n + 1 == count ? " and "
					 : ", ",
			SPAN_ARGS(name));
		n++;
	}
}

/* Appends the first function that differs: "reader (b11.py:8)". */
static void put_other_place(struct buffer *out, const struct locked *l)
{
	const struct stack_wait *first = &l->first_at[PLACE_LOCK];
	const struct waits_thread *t = NULL;

	while (first->within.size && (t = wait_graph_thread(l->g, l->e->id.pid, t))) {
		struct stack_wait s = stack_wait_of(l->e->input, &l->e->id, t->record.tid);

		if (place_of(l->g, l->p, t, &s) != PLACE_LOCK || stack_wait_is_same(first, &s))
			continue;
		stack_wait_put_within(out, &s);
		return;
	}
}

/* Returns the parent whose fork() made the process, if both run the same program. */
static const struct process_entry *forked_by(const struct check *e)
{
	const struct process_entry *p = e->process, *parent = p ? p->parent : NULL;
	struct span own, of_parent;

	if (!parent || !parent->process || parent->process->threads < 2)
		return NULL;
	own = record_text(&p->process->record, &p->process->executable);
	of_parent = record_text(&parent->process->record, &parent->process->executable);
	return own.size && !span_compare(own, of_parent) ? parent : NULL;
}

static const char *plural_wait(unsigned count)
{
	return count == 1 ? " waits" : "s wait";
}

static void emit_threads(struct check_result *out, const struct locked *l, enum place place)
{
	const struct waits_thread *t = NULL;
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	unsigned shown = 0;

	while ((t = wait_graph_thread(l->g, l->e->id.pid, t)) && shown < THREADS_SHOWN) {
		struct stack_wait s = stack_wait_of(l->e->input, &l->e->id, t->record.tid);
		struct span name = record_text(&t->record, &t->name);

		if (place_of(l->g, l->p, t, &s) != place)
			continue;
		shown++;
		buffer_reset(&text);
		buffer_format(&text, "%.*s (%u) waits at 0x%llx for %s", SPAN_ARGS(name),
			t->record.tid, (unsigned long long)t->arguments[0],
			SENTENCE_DURATION(t->since_ns));
		if (s.by.size)
			buffer_format(&text, " in %.*s", SPAN_ARGS(s.by));
		buffer_string(&text, s.within.size ? ", called by " : "");
		stack_wait_put_within(&text, &s);
		finding_text(out, "thread", "%s", buffer_cstr(&text));
	}
}

static void report_deadlock(struct check_result *out, const struct locked *l, enum kind kind)
{
	struct claim_row row = { rows[kind].claim, rows[kind].unseen,
		"sooth stack {pid} shows where each thread waits; only ending the process helps" };
	enum place place = rows[kind].place;
	const struct stack_wait *s = &l->first_at[place];
	const struct process_entry *parent = forked_by(l->e);
	struct buffer *fork;

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_time(out, "waiting for at least", l->for_ns[place]);
	finding_count(out, "threads that wait", l->count[place], 0);
	finding_count(out, "other threads, which ran", l->count[PLACE_RUNS], 0);
	emit_threads(out, l, place);
	finding_value_time(out, "time", l->for_ns[place]);
	put_threads(finding_value(out, "threads"), l, place);
	stack_wait_put_within(finding_value(out, "within"), s);
	stack_wait_put_function(finding_value(out, "caller"), s->caller, s->caller_file);
	put_other_place(finding_value(out, "other"), l);
	finding_value_span(out, "by", s->by);
	finding_value_text(out, "pool", "%u", l->pool);
	finding_value_text(out, "full", "%u thread%s", l->full, plural_wait(l->full));
	if (kind == KIND_UNENDED)
		finding_value_text(out, "conditions", "%u thread%s", l->conditions,
			plural_wait(l->conditions));
	else
		finding_value_text(out, "conditions", "%s",
			l->conditions == 1 ? "a thread waits" : "all its threads wait");
	if (l->signal)
		finding_value_text(out, "signal", "%s%s", l->count[place] == 1 ? "waits" : "wait",
			l->signal + strlen("waits"));
	fork = finding_value(out, "fork");
	if (parent)
		buffer_format(
			fork, ": perhaps another thread of %u had it at the fork", parent->id.pid);
	finding_claim_row(out, &row);
}

/* Returns the option that sets the time. If nothing else of the process goes on, only a signal can
 * end the wait; nothing ends the wait for a pool that has no free thread. */
static const char *time_option(const struct check *e, const struct locked *l, enum kind kind)
{
	bool is_closed = !l->count[PLACE_RUNS] || kind == KIND_TASKS;

	return is_closed && check_option(e, "min-time-at-rest") < check_option(e, "min-time")
		       ? "min-time-at-rest"
		       : "min-time";
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct wait_graph g;
	struct locked l = { .e = e, .g = &g };
	enum kind kind;

	if (!check_graph_begin(e, out, &g))
		return;
	l.p = wait_graph_process(&g, e->id.pid);
	count_threads(&l);
	kind = kind_of(&l);
	if (kind == KIND_NONE)
		check_fine(out, "%u thread%s for a lock with a holder that could not go on",
			l.count[PLACE_LOCK], l.count[PLACE_LOCK] == 1 ? " waits" : "s wait");
	else if (check_has_finding(e, "all-threads-waiting"))
		check_fine(out, "reported by all-threads-waiting");
	else if (check_is_long(e, out, time_option(e, &l, kind), l.for_ns[rows[kind].place],
			 "threads wait for locks"))
		report_deadlock(out, &l, kind);
}

const struct finding_detector finding_deadlock = { diagnose, FINDING_OPTIONS(options) };
