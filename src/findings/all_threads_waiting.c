/* SPDX-License-Identifier: BSD-2-Clause */
/* all-threads-waiting: a deadlock. Every thread waits, without a timeout, to be woken by another
 * thread of the same process: none ran during the observation, and the futexes are in memory that
 * no other process shares. A program with one thread waits for its signals this way, so that is no
 * finding; waiting for a lock is. A circle of owned mutexes is a deadlock even if other threads
 * wait for other things, and so are processes that wait for each other. */
#include <stdio.h>

#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/stack_waits.h"
#include "analyze/waits/wait_circle.h"
#include "analyze/waits/wait_prompts.h"
#include "analyze/waits/wait_runtime.h"
#include "analyze/waits/wait_text.h"
#include "probes/maps.h"
#include "probes/signal_names.h"

#define PLACES_NAMED  2 /* threads in the claim */
#define THREADS_SHOWN 8

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 2e9, 1e6, 86400e9,
		"minimum time in which no thread of the process ran"),
	THRESHOLD("min-readings", 3, 2, 500, "minimum number of samples of each thread"),
};

enum standing {
	STANDING_STUCK, /* nothing that was seen can wake the thread */
	STANDING_RUNS,
	STANDING_IS_DUE, /* the thread waits for another event, or with a timeout */
	STANDING_UNSEEN,
	STANDING_SHORT, /* too few samples of the thread */
};

struct hang {
	enum standing worst;
	uint32_t services;	 /* threads of the runtime, which wake none of the others */
	uint32_t threads, locks; /* stuck threads; those of them that wait for a held lock */
	uint64_t least_ns;	 /* the shortest observation of a thread */
	const struct thread_history *not_stuck; /* the first thread that is not stuck */
};

/* --- private or shared memory --- */

enum memory { MEMORY_OWN, MEMORY_SHARED, MEMORY_UNKNOWN };

/* Joining a thread waits on a futex without FUTEX_PRIVATE_FLAG, so the mapping decides. */
static enum memory memory_kind_of(const struct check *e, uint64_t address)
{
	snapshot_each (struct maps_mapping, m, check_last(e, &e->input->maps), MAPS_MAPPING) {
		if (address >= m->from && address < m->to)
			return m->protection & MAPS_SHARED ? MEMORY_SHARED : MEMORY_OWN;
	}
	return MEMORY_UNKNOWN;
}

/* --- each thread --- */

static enum standing standing_of(const struct check *e, const struct thread_history *t)
{
	enum memory memory;

	if (t->met < check_option(e, "min-readings") || !thread_history_ns(t))
		return STANDING_SHORT;
	if (t->first.cpu_ns != t->last.cpu_ns || thread_history_voluntary(t) > 0 ||
		thread_history_involuntary(t) > 0)
		return STANDING_RUNS;
	if (thread_history_stay_unseen(t))
		return STANDING_UNSEEN;
	if (t->waits[THREAD_WAIT_LOCK] != t->met || t->with_timeout)
		return STANDING_IS_DUE;
	memory = t->of_others ? memory_kind_of(e, t->waiting.address) : MEMORY_OWN;
	return memory == MEMORY_OWN	 ? STANDING_STUCK
	       : memory == MEMORY_SHARED ? STANDING_IS_DUE
					 : STANDING_UNSEEN;
}

static uint8_t why_unseen(const struct check *e, const struct thread_history *t)
{
	const struct snapshot *last = check_last(e, &e->input->maps);
	const struct maps_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;

	if (thread_history_stay_unseen(t))
		return thread_history_stay_unseen(t);
	if (end && end->mappings_state > SOOTH_STATE_VALUE)
		return end->mappings_state;
	return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
}

/* Fills `h`. One thread that is not stuck is enough to end the search. A thread seen not to be
 * stuck outweighs a thread that could not be read. */
static void find_stuck_threads(const struct check *e, struct hang *h)
{
	size_t i = 0;

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		enum standing standing;

		if (thread_is_service(span_of_string(t->name), i++)) {
			h->services++;
			continue;
		}
		standing = standing_of(e, t);
		if (!h->threads++ || thread_history_ns(t) < h->least_ns)
			h->least_ns = thread_history_ns(t);
		h->locks += t->waiting.is_mutex;
		if (standing == STANDING_STUCK)
			continue;
		if (h->worst == STANDING_STUCK || standing < h->worst) {
			h->worst = standing;
			h->not_stuck = t;
		}
	}
}

/* --- the finding --- */

#define STACK  "sooth stack {pid} shows where each thread waits; only ending the process helps"
#define LIMITS "whether a POSIX timer will signal the process and wake a thread"

static const struct claim_row of_all = { "deadlock: all {threads} threads wait{how}{places}",
	LIMITS, STACK };
static const struct claim_row of_only_one = {
	"deadlock: the only thread of the process waits for a lock that it holds itself, or that "
	"nothing holds any more",
	LIMITS, "sooth stack {pid} shows where it waits; only ending the process helps"
};
static const struct claim_row of_last_one = { "deadlock: the only thread of the process waits for "
					      "another thread to wake it, and none is left",
	LIMITS, "sooth stack {pid} shows where it waits; only ending the process helps" };

static const struct claim_row of_ended = {
	"its main program has ended, and {rest}, and no thread is left that could end that", LIMITS,
	"end these threads with the program: an item that ends each, a daemon thread, shutdown() "
	"of their pool; sooth kill --any {pid} ends the process"
};

/* Returns whether the main thread is at the end of the program, and sets what the others wait for:
 * "thread worker (7) waits in Queue.get, called by consume (jobs.py:3): nothing puts into it". */
static bool set_other_threads(const struct check *e, struct check_result *out, const struct hang *h)
{
	struct buffer *rest = finding_value(out, "rest");
	struct stack_wait of = { 0 };

	if (h->locks || h->threads < 2 || !stack_wait_of(e->input, &e->id, e->id.pid).is_end)
		return false;
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (t->tid == e->id.pid || t->waits[THREAD_WAIT_LOCK] != t->met)
			continue;
		of = stack_wait_of(e->input, &e->id, t->tid);
		if (h->threads == 2)
			buffer_format(rest, "thread %s (%u) waits", t->name, t->tid);
		else
			buffer_format(rest, "%u threads wait, the first", h->threads - 1);
		break;
	}
	if (of.by.size)
		buffer_format(rest, " in %.*s", SPAN_ARGS(of.by));
	buffer_string(rest, of.within.size ? ", called by " : "");
	stack_wait_put_within(rest, &of);
	buffer_string(rest, of.is_queue && span_ends(of.by, "get") ? ": nothing puts into it" : "");
	return rest->size;
}

/* Adds the threads, and sets where in the program's own script the first ones wait. */
static void emit_threads(const struct check *e, struct check_result *out)
{
	struct buffer *places = finding_value(out, "places"), place = { 0 };
	unsigned all = 0, named = 0;

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (all++ < THREADS_SHOWN)
			finding_text(out, "thread", "%s (%u) waits at 0x%llx", t->name, t->tid,
				(unsigned long long)t->waiting.address);
		buffer_reset(&place);
		if (named < PLACES_NAMED &&
			stack_wait_put_own(&place, e->input, e->process, t->tid))
			buffer_format(places, "%s thread %u is in %s", named++ ? "," : ";", t->tid,
				buffer_cstr(&place));
	}
	if (all > THREADS_SHOWN)
		finding_text(out, "more threads", "%u", all - THREADS_SHOWN);
	buffer_fini(&place);
}

static void report_hang(const struct check *e, struct check_result *out, const struct hang *h)
{
	struct wait_chain chain;
	struct wait_graph g;

	finding_begin(out, confidence_high_if(h->locks), "");
	if (!h->locks)
		finding_severity(out, FINDING_MEDIUM);
	finding_value_text(out, "threads", "%u", h->threads);
	finding_value_text(out, "how", "%s",
		h->locks ? " for each other, none can wake another"
			 : ", and none is left that could wake another");
	finding_count(out, "threads", h->threads, 0);
	finding_count(
		out, "threads that wait for a lock that another thread has locked", h->locks, 0);
	finding_number(out, "time in which no thread of the process ran", (double)h->least_ns,
		SOOTH_UNIT_NS, h->least_ns);
	finding_text(out, "waiting",
		"every thread waits in futex, without a timeout, and no lock is in shared memory");
	emit_threads(e, out);
	if (h->services)
		finding_count(out, "helper threads of the runtime, which wake no other thread",
			h->services, 0);
	if (check_chain(e, 0, &g, &chain) && chain.is_deadlock)
		check_chain_evidence(out, &g, &chain);
	if (h->threads > 1)
		finding_unseen(out, "which thread holds which lock, and since when: only the call "
				    "stacks show that");
	finding_claim_row(out, set_other_threads(e, out, h) ? &of_ended
			       : h->threads > 1		    ? &of_all
			       : h->locks		    ? &of_only_one
							    : &of_last_one);
}

/* --- a circle beside threads that wait for other things, or across processes --- */

enum circle {
	CIRCLE_ABANDONED,
	CIRCLE_OWN_MUTEX,
	CIRCLE_JAVA,
	CIRCLE_CLASSES,
	CIRCLE_MUTEXES,
	CIRCLE_OWN_SERVER,
	CIRCLE_ITSELF,
	CIRCLE_FILLS,	    /* has filled a pipe whose reader waits for its end */
	CIRCLE_CHILD_FILLS, /* the child whose end it waits for has, or a process below it */
	CIRCLE_CHILD_READS, /* the child whose end it waits for waits for input of this process */
	CIRCLE_WRITES,	    /* blocked writing to a process that waits for it */
	CIRCLE_OTHER_WRITES,
	CIRCLE_ASKS, /* waits for input at a terminal whose program waits for output */
	CIRCLE_OTHER_ASKS,
	CIRCLE_ONE_PIPE,
	CIRCLE_KEEPS, /* has not flushed the answer */
	CIRCLE_OTHER_KEEPS,
	CIRCLE_READERS,
	CIRCLE_OTHER,
};

#define TAKEN "where in the program each lock was taken"
#define ENDS  "whether a signal or a timer will end one of the waits"
#define PIPE_REMEDY                                                                                \
	"read what a child writes before waiting for its end (in Python "                          \
	"subprocess.run(capture_output=True) or communicate(), not wait(); get() from a queue "    \
	"before join()), or let it write to a file; sooth kill --any {writer pid} ends the wait"
#define PROMPT_REMEDY                                                                              \
	"run the command so that it does not ask (-y, --batch, sudo -n, a key or a file for the "  \
	"password), or let its caller answer this prompt; sooth kill --any {user pid} ends the "   \
	"command"
#define FLUSH_REMEDY                                                                               \
	"flush after each message (fflush(stdout), print(..., flush=True), PYTHONUNBUFFERED=1, "   \
	"stdbuf -oL) and end it as the reader expects, mostly by a newline; sooth kill --any "     \
	"{last pid} ends the wait"
#define WAY_OUT "{way out}: sooth kill --any {pid}"

static const struct claim_row rows[] = {
	[CIRCLE_ABANDONED] = { "deadlock: {waiting} for a mutex of a thread that has ended",
		TAKEN ": only the call stacks show that", STACK },
	[CIRCLE_OWN_MUTEX] = { "deadlock: {waiting} for a mutex that it holds itself",
		TAKEN ": only the call stacks show that", STACK },
	[CIRCLE_JAVA] = { "deadlock: {count} Java threads wait for locks of each other", TAKEN,
		"jstack {pid} shows the deadlock and where each lock was taken; only ending the "
		"process helps" },
	[CIRCLE_CLASSES] = { "deadlock: {count} Java threads wait for classes that another of them "
			     "initializes: {classes}",
		"where in the program each initialization began",
		"jstack {pid} shows the stacks; let no static initializer need a class that is "
		"derived from its own, or waits for it; only ending the process helps" },
	[CIRCLE_MUTEXES] = { "deadlock: {count} threads wait for mutexes of each other",
		TAKEN ": only the call stacks show that", STACK },
	[CIRCLE_OWN_SERVER] = { "deadlock: it waits for an answer from itself, on {object}: it "
				"cannot accept that connection while it waits",
		NULL,
		"let the server handle requests in several processes or threads (PHP: "
		"PHP_CLI_SERVER_WORKERS=4), or send it no request while it handles one" },
	[CIRCLE_ITSELF] = { "deadlock: it {does}", ENDS, WAY_OUT },
	[CIRCLE_FILLS] = { "deadlock: it has filled a {kind} that {reader} does not read, since "
			   "that waits for the end of {child}",
		ENDS, PIPE_REMEDY },
	[CIRCLE_CHILD_FILLS] = { "deadlock: it waits for the end of its child {other}, {which} has "
				 "filled a {kind} that {reader} does not read",
		ENDS, PIPE_REMEDY },
	[CIRCLE_CHILD_READS] = { "deadlock: it waits for the end of its child {other}, which waits "
				 "for input that this process has to send, or to end by closing it",
		ENDS,
		"give the child its input before waiting for its end, or none at all (stdin from "
		"/dev/null); sooth kill --any {last pid} ends the wait" },
	[CIRCLE_WRITES] = { "deadlock: it is blocked writing{what} to {other}, which does not read "
			    "it and waits for this process",
		ENDS, WAY_OUT },
	[CIRCLE_OTHER_WRITES] = { "deadlock: it waits for {other}, which is blocked writing{what} "
				  "to this process: that does not read it",
		ENDS, WAY_OUT },
	[CIRCLE_ASKS] = { "deadlock: it waits for input from its terminal {terminal}, and {other}, "
			  "which runs that terminal, waits for its output: {prompt}",
		"the text of the prompt", PROMPT_REMEDY },
	[CIRCLE_OTHER_ASKS] = { "deadlock: it waits for output of {other} on the pseudo terminal "
				"{terminal}, and that waits there for input: {prompt}",
		"the text of the prompt", PROMPT_REMEDY },
	[CIRCLE_ONE_PIPE] = { "deadlock: it waits to read a pipe, and the only processes that "
			      "could write to it, {other}{more}, wait to read it too: perhaps "
			      "the last token of a job server was lost",
		"which process took the last token and did not give it back",
		"end these processes and start the build again: sooth kill --any {pid} and the "
		"others; a job has to give its token back however it ends" },
	[CIRCLE_KEEPS] = { "deadlock: an answer is waited for by {other}, and this process has "
			   "written {bytes}, has not flushed them, and waits for input",
		"which of them wrote last", FLUSH_REMEDY },
	[CIRCLE_OTHER_KEEPS] = { "deadlock: it waits for an answer of {other}, which has written "
				 "{bytes}, has not flushed them, and waits for input",
		"which of them wrote last", FLUSH_REMEDY },
	[CIRCLE_READERS] = { "deadlock: this process{others} each wait for the other to write: the "
			     "last message is still in a buffer of its writer, or its reader does "
			     "not recognize its end",
		"which of them wrote last", FLUSH_REMEDY },
	[CIRCLE_OTHER] = { "{perhaps}deadlock: {count} processes wait for each other", ENDS,
		WAY_OUT },
};

/* --- which circle --- */

/* Returns the link that waits for a mutex of a thread that has ended, reached through threads of
 * the process; NULL: none. */
static const struct wait_link *abandoned_of(
	const struct check *e, const struct wait_graph *g, const struct wait_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		if (chain->links[i].process->node_pid != e->id.pid)
			return NULL;
		if (wait_is_abandoned(g, &chain->links[i]))
			return &chain->links[i];
	}
	return NULL;
}

static bool is_of_lock(const struct wait_link *link)
{
	return wait_is_of_owner(link) || link->what == WAIT_LOCK || link->what == WAIT_LOCK_FILE;
}

/* Returns the index of the only link that writes to a process, if that waits for the end of the
 * writer, or of a child that waits for it or has the lock that one of them waits for; else the
 * number of links. */
static size_t index_of_writer(const struct wait_chain *chain)
{
	size_t writer = chain->count, writers = 0;

	for (size_t i = 0; i < chain->count; i++) {
		const struct wait_link *link = &chain->links[i];

		if (wait_is_writing(link) || link->what == WAIT_TERMINAL_WRITE) {
			writer = i;
			writers++;
		} else if (link->what != WAIT_CHILD && !(i && is_of_lock(link))) {
			return chain->count;
		}
	}
	return !chain->circle && writers == 1 ? writer : chain->count;
}

static enum circle own_circle(const struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0];

	if (chain->circle == chain->count)
		return CIRCLE_ABANDONED;
	if (first->party && first->party->relation == WAITS_RELATION_THREAD)
		return chain->count == 1			      ? CIRCLE_OWN_MUTEX
		       : first->thread->lock == WAITS_LOCK_JAVA_CLASS ? CIRCLE_CLASSES
		       : wait_is_runtime_lock(first->thread)	      ? CIRCLE_JAVA
								      : CIRCLE_MUTEXES;
	if (chain->count > 1)
		return CIRCLE_OTHER;
	return first->party && first->party->relation == WAITS_RELATION_LISTENER ? CIRCLE_OWN_SERVER
										 : CIRCLE_ITSELF;
}

static enum circle circle_of(const struct wait_chain *chain)
{
	const struct wait_link *a = &chain->links[0], *b = &chain->links[1];
	bool is_sure = wait_chain_confidence(chain) > WAITS_LOW, is_pair;
	enum circle inner = own_circle(chain);
	size_t writer = index_of_writer(chain);

	if (inner != CIRCLE_OTHER)
		return inner;
	is_pair = is_sure && chain->count == 2 && !chain->circle;
	if (is_sure && writer < chain->count)
		return writer ? CIRCLE_CHILD_FILLS : CIRCLE_FILLS;
	if (is_pair && a->what == WAIT_CHILD &&
		(b->what == WAIT_PIPE_READ || b->what == WAIT_SOCKET_READ))
		return CIRCLE_CHILD_READS;
	if (is_pair && wait_is_writing(a) != wait_is_writing(b))
		return wait_is_writing(a) ? CIRCLE_WRITES : CIRCLE_OTHER_WRITES;
	if (is_pair && (a->what == WAIT_TERMINAL_READ) != (b->what == WAIT_TERMINAL_READ))
		return a->what == WAIT_TERMINAL_READ ? CIRCLE_ASKS : CIRCLE_OTHER_ASKS;
	if (wait_circle_pipe(chain))
		return CIRCLE_ONE_PIPE;
	if (is_sure && chain->is_of_readers)
		return !chain->keeper			   ? CIRCLE_READERS
		       : chain->keeper == &chain->links[0] ? CIRCLE_KEEPS
							   : CIRCLE_OTHER_KEEPS;
	return CIRCLE_OTHER;
}

/* --- values --- */

/* Sets "thread 12 waits", or "3 threads wait" for a mutex of the same thread that has ended. */
static void set_waiting(
	struct check_result *out, const struct wait_graph *g, const struct wait_link *of)
{
	unsigned count = 0;

	wait_threads_each (g, of->process->node_pid, t) {
		struct wait_link link = wait_link_of(g, of->process, t);

		count += link.what == WAIT_MUTEX && link.party &&
			 link.party->party_tid == of->party->party_tid;
	}
	if (count > 1)
		finding_value_text(out, "waiting", "%u threads wait", count);
	else
		finding_value_text(out, "waiting", "thread %u waits", of->thread->record.tid);
}

/* Sets what the one that asks waits for, and where. It may know its own terminal only as
 * /dev/tty. */
static void set_prompt(struct check_result *out, const struct wait_chain *chain, bool is_user)
{
	const struct wait_link *user = &chain->links[!is_user], *runner = &chain->links[is_user];
	const char *asks = wait_prompt_of(user);

	finding_value_text(out, "user pid", "%u", user->process->node_pid);
	if (asks)
		finding_value_text(out, "prompt", "%s asks for %s", is_user ? "it" : "that", asks);
	else
		finding_value_text(out, "prompt", "an answer to a prompt is missing");
	if (runner->party && record_has_text(&runner->party->record, &runner->party->detail))
		finding_value_span(out, "terminal",
			record_text(&runner->party->record, &runner->party->detail));
	else
		wait_object_text(finding_value(out, "terminal"), user);
}

/* Appends the child whose end the reader waits for: the writer itself, or one that waits for it. */
static void put_awaited(struct buffer *out, const struct wait_chain *chain)
{
	if (chain->count > 2) {
		wait_put_process(out, chain->links[2].process);
		buffer_string(out, ", and that for ");
	}
	buffer_string(out, "this process");
}

static void set_pipe(struct check_result *out, const struct wait_chain *chain)
{
	size_t writer = index_of_writer(chain);
	const struct wait_link *of = &chain->links[writer];
	bool is_after_lock = writer > 1 && is_of_lock(&of[-1]);
	struct buffer *reader = finding_value(out, "reader"), *which;

	buffer_string(reader, !writer && chain->count == 2 ? "its parent " : "");
	if (!writer)
		put_awaited(finding_value(out, "child"), chain);
	if (writer + 1 == chain->count)
		buffer_string(reader, "this process");
	else
		wait_put_process(reader, of[1].process);
	which = finding_value(out, "which");
	buffer_string(which, writer == 1     ? "which"
			     : is_after_lock ? "which waits for a lock of "
					     : "and below that ");
	if (writer > 1)
		wait_put_process(which, of->process);
	buffer_string(which, is_after_lock ? ", which" : "");
	finding_value_text(out, "kind", "%s",
		of->what == WAIT_PIPE_WRITE	? "pipe"
		: of->what == WAIT_SOCKET_WRITE ? "socket"
						: "terminal");
	finding_value_text(out, "writer pid", "%u", of->process->node_pid);
}

/* Sets "reader-a (7) waits for ingest.Codec, reader-b (8) for ingest.Gzip". */
static void set_classes(struct check_result *out, const struct wait_chain *chain)
{
	struct buffer *classes = finding_value(out, "classes");

	for (size_t i = 0; i < chain->count; i++) {
		const struct wait_link *link = &chain->links[i];

		buffer_string(classes, i ? ", " : "");
		wait_put_name(classes, &link->thread->record, &link->thread->name,
			link->thread->record.tid);
		buffer_string(classes, i ? " for " : " waits for ");
		wait_object_text(classes, link);
	}
}

static void set_others(struct check_result *out, const struct wait_chain *chain)
{
	struct buffer *others = finding_value(out, "others");

	for (size_t i = 1; i < chain->count; i++) {
		buffer_string(others, i + 1 == chain->count ? " and " : ", ");
		wait_put_process(others, chain->links[i].process);
	}
	if (chain->keeper)
		wait_put_unflushed(finding_value(out, "bytes"), chain->keeper);
	finding_value_text(out, "last pid", "%u", chain->links[chain->count - 1].process->node_pid);
}

static void claim_circle(const struct check *e, struct check_result *out,
	const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0];
	enum circle circle = circle_of(chain);

	finding_value_text(out, "count", "%zu", chain->count);
	finding_value_text(out, "way out", "%s", wait_chain_way_out(chain));
	finding_value_text(
		out, "perhaps", "%s", wait_chain_confidence(chain) > WAITS_LOW ? "" : "perhaps a ");
	if (first->others)
		finding_value_text(out, "more", " and %u other%s", first->others,
			first->others == 1 ? "" : "s");
	wait_object_text(finding_value(out, "object"), first);
	wait_put_process(finding_value(out, "other"), chain->links[chain->count > 1].process);
	if (circle == CIRCLE_ABANDONED)
		set_waiting(out, g, abandoned_of(e, g, chain));
	else if (circle == CIRCLE_OWN_MUTEX)
		finding_value_text(out, "waiting", "thread %u waits", first->thread->record.tid);
	else if (circle == CIRCLE_ITSELF &&
		 (first->what == WAIT_FILE_SYSTEM || first->what == WAIT_LOCK))
		/* The server of a mount may use it, the heir of a lock may open its file again. */
		wait_sentence(finding_value(out, "does"), g, first);
	else if (circle == CIRCLE_ITSELF)
		finding_value_text(out, "does", "waits for itself");
	else if (circle == CIRCLE_CLASSES)
		set_classes(out, chain);
	else if (circle == CIRCLE_FILLS || circle == CIRCLE_CHILD_FILLS)
		set_pipe(out, chain);
	else if (circle == CIRCLE_WRITES || circle == CIRCLE_OTHER_WRITES)
		finding_value_text(out, "what", "%s",
			*wait_error_output(&chain->links[circle == CIRCLE_OTHER_WRITES])
				? " its standard error"
				: "");
	else if (circle == CIRCLE_ASKS || circle == CIRCLE_OTHER_ASKS)
		set_prompt(out, chain, circle == CIRCLE_ASKS);
	else
		set_others(out, chain);
	finding_claim_row(out, &rows[circle]);
}

/* Returns whether no thread of the circle ran between the first sample and the last. A process may
 * have timers if it waits for what the other process keeps in its buffer. */
static bool has_stood_still(
	const struct check *e, const struct wait_graph *g, const struct wait_chain *chain)
{
	struct wait_graph before = { .records = g->before };

	for (size_t i = 0; i < chain->count; i++) {
		const struct waits_thread *t = chain->links[i].thread, *then;

		if (chain->keeper && chain->keeper != &chain->links[i])
			continue;
		then = t ? wait_graph_thread_of(&before, t->node_pid, t->record.tid) : NULL;
		if (!then || then->switches_state || t->switches_state ||
			(then->switches != t->switches && !wait_is_same_monitor(g, t)) ||
			t->record.time_ns <= then->record.time_ns ||
			(double)(t->record.time_ns - then->record.time_ns) <
				check_option(e, "min-time"))
			return false;
	}
	return true;
}

/* Finds a circle that begins with the first link of `chain`: a process that only waits for others
 * in a circle is not reported. */
static bool find_circle(const struct check *e, struct wait_graph *g, struct wait_chain *chain)
{
	if (!check_chain(e, 0, g, chain) || !chain->is_deadlock || chain->is_open)
		return false;
	return (chain->circle == 0 || abandoned_of(e, g, chain)) && has_stood_still(e, g, chain);
}

static void emit_other_waiters(const struct check *e, struct check_result *out,
	const struct wait_graph *g, const struct wait_chain *chain)
{
	size_t waiting = 0;

	wait_threads_each (g, e->id.pid, t)
		waiting += wait_is_runtime_lock(t);
	if (waiting > chain->count)
		finding_count(out, "other threads that wait for locks of Java",
			waiting - chain->count, 0);
}

static void report_circle(const struct check *e, struct check_result *out,
	const struct wait_graph *g, const struct wait_chain *chain)
{
	enum waits_confidence confidence = wait_chain_confidence(chain);
	const struct wait_link *first = &chain->links[0];

	finding_begin(out, check_confidence(confidence), "");
	if (confidence < WAITS_HIGH)
		finding_severity(out, confidence == WAITS_LOW ? FINDING_LOW : FINDING_MEDIUM);
	finding_thread(out, first->thread->record.tid);
	check_chain_evidence(out, g, chain);
	if (wait_is_runtime_lock(first->thread))
		emit_other_waiters(e, out, g, chain);
	claim_circle(e, out, g, chain);
}

static void emit_reason(const struct check *e, struct check_result *out, const struct hang *h)
{
	const struct thread_history *t = h->not_stuck;

	switch (h->worst) {
	case STANDING_RUNS:
		check_fine(out, "thread %s (%u) ran", t->name, t->tid);
		break;
	case STANDING_IS_DUE:
		if (check_is_stopped(e))
			check_fine(out, "the process is stopped: none of its threads runs");
		else
			check_fine(out, "thread %s (%u) can still be woken", t->name, t->tid);
		break;
	case STANDING_UNSEEN:
		check_blind(out, why_unseen(e, t));
		break;
	default:
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	}
}

/* Returns whether the locks of the JVM could be read, so that the owner of each is known. */
static bool has_runtime_locks(const struct check *e)
{
	struct wait_graph g;

	if (!check_graph(e, &g))
		return false;
	wait_threads_each (&g, e->id.pid, t) {
		if (wait_is_runtime_idle(t) || wait_is_runtime_lock(t) || wait_runtime_text(t))
			return true;
	}
	return false;
}

/* Returns whether the threads of a JVM are parked: HotSpot parks threads that wait for work and
 * threads that wait for a lock alike. A thread that waits with a timeout tries again, in a deadlock
 * too. */
static bool is_parked(const struct check *e, const struct hang *h)
{
	const struct proc_process *p = e->process ? e->process->process : NULL;
	const struct thread_history *t = h->not_stuck;

	if (!p || !span_equal(record_text(&p->record, &p->name), "java"))
		return false;
	return h->worst == STANDING_STUCK ||
	       ((h->worst == STANDING_IS_DUE || h->worst == STANDING_RUNS) &&
		       t->waits[THREAD_WAIT_LOCK] == t->met);
}

static void emit_parked(const struct check *e, struct check_result *out)
{
	char remedy[64];

	if (has_runtime_locks(e)) {
		check_fine(out, "no threads of the JVM wait for locks of each other");
		return;
	}
	snprintf(remedy, sizeof(remedy), "jstack %u shows a deadlock", e->id.pid);
	check_blind_by(out, FINDING_UNDECIDED,
		"the threads of a JVM wait alike for work and for a lock of Java", remedy);
}

/* Returns whether a handler could wake the thread: one of another signal than those of a fault,
 * which a thread at rest does not get. Also if the handlers are unknown. */
static bool may_serve_signals(const struct check *e)
{
	const uint32_t faults = 1u << (SIGNAL_SEGV - 1) | 1u << (SIGNAL_BUS - 1) |
				1u << (SIGNAL_ILLEGAL - 1) | 1u << (SIGNAL_FPE - 1) |
				1u << (SIGNAL_ABORT - 1) | 1u << (SIGNAL_PIPE - 1);
	const struct waits_signals *w = check_signals(e, check_last(e, &e->input->waits));

	return !w || !w->caught || w->caught & ~faults;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct hang h = { 0 };
	struct wait_chain chain;
	struct wait_graph g;
	bool is_all, is_circle = find_circle(e, &g, &chain);

	find_stuck_threads(e, &h);
	is_all = h.threads && h.worst == STANDING_STUCK &&
		 (double)h.least_ns >= check_option(e, "min-time");
	if (!h.threads)
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	else if (is_circle && wait_is_runtime_lock(chain.links[0].thread))
		report_circle(e, out, &g, &chain);
	else if (!is_circle && is_parked(e, &h))
		emit_parked(e, out);
	else if (is_all && (h.threads > 1 || h.locks || !may_serve_signals(e)))
		report_hang(e, out, &h);
	else if (is_circle && wait_prompt_of(&chain.links[0]))
		check_fine(out, "reported by prompt-unanswered");
	else if (is_circle)
		report_circle(e, out, &g, &chain);
	else if (h.worst != STANDING_STUCK)
		emit_reason(e, out, &h);
	else if (!is_all)
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	else /* a program that only serves signals */
		check_fine(out, "waiting in futex");
}

const struct finding_detector finding_all_threads_waiting = { diagnose, FINDING_OPTIONS(options) };
