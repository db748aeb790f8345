/* SPDX-License-Identifier: BSD-2-Clause */
/* all-threads-waiting: a deadlock. Every thread waits, without a timeout, to be woken by another
 * thread of the same process: none ran during the observation, none waits for a descriptor, a
 * child, a time or a signal, and the futexes are in memory that no other process shares. Only a
 * signal could still end the wait. A program with one thread waits for its signals this way, so
 * that is no finding; waiting for a lock is. Threads that serve a runtime (collect, compile, keep
 * time) do not count. A circle of owned mutexes is a deadlock even if other threads wait for other
 * things, and so are processes that wait for each other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/circle_claims.h"
#include "analyze/evidence/stack_waits.h"
#include "analyze/waits/wait_prompts.h"
#include "analyze/threads/thread_roles.h"
#include "analyze/waits/wait_circle.h"
#include "analyze/waits/wait_runtime.h"
#include "analyze/waits/wait_sentences.h"
#include "analyze/waits/wait_text.h"
#include "base/buffer.h"
#include "base/units.h"
#include "explain/finding.h"
#include "probes/maps.h"
#include "probes/syscall_names.h"

#define PLACES_NAMED  2 /* threads in the claim */
#define THREADS_SHOWN 8

static const struct finding_option options[] = {
	THRESHOLD("min-time", 2e9, 1e6, 86400e9,
		"minimum time in which no thread of the process ran", .unit = SOOTH_UNIT_NS),
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
	const struct thread_history *reason; /* the first thread that is not stuck */
};

/* --- private or shared memory --- */

enum memory { MEMORY_OWN, MEMORY_SHARED, MEMORY_UNKNOWN };

/* Joining a thread waits on a futex without FUTEX_PRIVATE_FLAG, so the mapping decides. */
static enum memory memory_of(const struct check *e, uint64_t address)
{
	const struct snapshot *last = check_last(e, &e->input->maps);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };

	batch_for_each (r, &all) {
		const struct maps_mapping *m = record_as(r, MAPS_MAPPING, sizeof(*m));

		if (m && address >= m->from && address < m->to)
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
	memory = t->of_others ? memory_of(e, t->waiting.address) : MEMORY_OWN;
	return memory == MEMORY_OWN	 ? STANDING_STUCK
	       : memory == MEMORY_SHARED ? STANDING_IS_DUE
					 : STANDING_UNSEEN;
}

/* Returns why the thread itself, or the mappings of the process, could not be read. */
static uint8_t unseen_of(const struct check *e, const struct thread_history *t)
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
static void find_hang(const struct check *e, struct hang *h)
{
	const struct thread_history *t;
	size_t position = 0;

	for (size_t i = 0; (t = thread_histories_next(&e->input->threads, &e->id, &position));
		i++) {
		enum standing standing;

		if (thread_is_service(span_of(t->name, strlen(t->name)), i)) {
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
			h->reason = t;
		}
	}
}

/* --- the finding --- */

static void emit_threads(const struct check *e, struct check_result *out)
{
	unsigned shown = 0, more = 0;

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (shown == THREADS_SHOWN) {
			more++;
			continue;
		}
		shown++;
		finding_text(out, "thread", "%s (%u) waits at 0x%llx", t->name, t->tid,
			(unsigned long long)t->waiting.address);
	}
	if (more)
		finding_text(out, "more threads", "%u", more);
}

/* Adds where in the program's own script the first stuck threads wait. */
static void claim_places(const struct check *e, struct check_result *out)
{
	unsigned named = 0;

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		struct buffer place = { 0 };

		if (named < PLACES_NAMED &&
			stack_wait_put_own(&place, e->input, e->process, t->tid))
			finding_claim(out, "%s thread %u is in %s", named++ ? "," : ";", t->tid,
				buffer_cstr(&place));
		buffer_fini(&place);
	}
}

static void report(const struct check *e, struct check_result *out, const struct hang *h)
{
	struct wait_chain chain;
	struct wait_graph g;

	finding_begin(out, h->locks ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, "");
	if (!h->locks)
		finding_severity(out, FINDING_MEDIUM);
	if (h->threads > 1) {
		finding_claim(out, "deadlock: all %u threads wait%s", h->threads,
			h->locks ? " for each other, none can wake another"
				 : ", and none is left that could wake another");
		claim_places(e, out);
	} else {
		finding_claim(out, "deadlock: the only thread of the process waits for a lock that "
				   "it holds itself, or that nothing holds any more");
	}
	finding_number(out, "threads", h->threads, SOOTH_UNIT_NONE, 0);
	finding_number(out, "threads that wait for a lock that another thread has locked", h->locks,
		SOOTH_UNIT_NONE, 0);
	finding_number(out, "time in which no thread of the process ran", (double)h->least_ns,
		SOOTH_UNIT_NS, h->least_ns);
	finding_text(out, "waiting",
		"every thread waits in futex, without a timeout, and no lock is in shared memory");
	emit_threads(e, out);
	if (h->services)
		finding_number(out, "helper threads of the runtime, which wake no other thread",
			h->services, SOOTH_UNIT_NONE, 0);
	if (check_chain(e, 0, &g, &chain) && chain.is_deadlock)
		check_chain_evidence(out, &g, &chain);
	if (h->threads > 1)
		finding_unseen(out, "which thread holds which lock, and since when: only the call "
				    "stacks show that");
	finding_unseen(out, "whether a POSIX timer will signal the process and wake a thread");
	finding_remedy(out, "sooth stack %u shows where %s; only ending the process helps",
		e->id.pid, h->threads > 1 ? "each thread waits" : "it waits");
	finding_end(out);
}

/* --- a circle beside threads that wait for other things, or across processes --- */

/* Returns whether no thread of the circle ran between the first sample and the last. A process may
 * have timers if it waits for what the other process keeps in its buffer. */
static bool stood_still(
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

/* Returns the link that waits for a mutex of a thread that has ended, reached through threads of
 * this process; NULL: none. */
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

/* Finds a circle that begins with the first link of `chain`: a process that only waits for others
 * in a circle is not reported. */
static bool find_circle(const struct check *e, struct wait_graph *g, struct wait_chain *chain)
{
	if (!check_chain(e, 0, g, chain) || !chain->is_deadlock || chain->is_open)
		return false;
	return (chain->circle == 0 || abandoned_of(e, g, chain)) && stood_still(e, g, chain);
}

/* Returns how many threads wait for a mutex of the thread that `of` waits for. */
static unsigned waiting_for(const struct wait_graph *g, const struct wait_link *of)
{
	const struct waits_thread *t = NULL;
	unsigned count = 0;

	while ((t = wait_graph_thread(g, of->process->node_pid, t))) {
		struct wait_link link = wait_link_of(g, of->process, t);

		count += link.what == WAIT_MUTEX && link.party &&
			 link.party->party_tid == of->party->party_tid;
	}
	return count;
}

static void claim_abandoned(
	struct check_result *out, const struct wait_graph *g, const struct wait_link *link)
{
	unsigned count = waiting_for(g, link);

	if (count > 1)
		finding_claim(out,
			"deadlock: %u threads wait for a mutex of a thread that has ended", count);
	else
		finding_claim(out,
			"deadlock: thread %u waits for a mutex of a thread that has ended",
			link->thread->record.tid);
}

/* The server of a mount may itself use the mount, the heir of a lock may open its file again. */
static void claim_itself(
	struct check_result *out, const struct wait_graph *g, const struct wait_link *link)
{
	struct buffer text = { 0 };

	if (link->what == WAIT_FILE_SYSTEM || link->what == WAIT_LOCK)
		wait_sentence(&text, g, link);
	finding_claim(out, "deadlock: it %s", text.size ? buffer_cstr(&text) : "waits for itself");
	buffer_fini(&text);
}

static void claim_circle(const struct check *e, struct check_result *out,
	const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0];
	bool is_inside = first->party && first->party->relation == WAITS_RELATION_THREAD;

	if (chain->circle == chain->count)
		claim_abandoned(out, g, abandoned_of(e, g, chain));
	else if (chain->count == 1 && is_inside)
		finding_claim(out, "deadlock: thread %u waits for a mutex that it holds itself",
			first->thread->record.tid);
	else if (is_inside)
		finding_claim(out, "deadlock: %zu %s of each other", chain->count,
			wait_is_runtime_lock(first->thread) ? "Java threads wait for locks"
							    : "threads wait for mutexes");
	else if (chain->count == 1 && first->party &&
		 first->party->relation == WAITS_RELATION_LISTENER)
		circle_claim_self(out, first);
	else if (chain->count == 1)
		claim_itself(out, g, first);
	else if (circle_is_full_pipe(chain))
		circle_claim_full_pipe(out, chain);
	else if (circle_is_unread(chain))
		circle_claim_unread(out, chain);
	else if (circle_is_prompt(chain))
		circle_claim_prompt(out, chain);
	else if (wait_circle_pipe(chain))
		circle_claim_one_pipe(out, chain);
	else if (circle_is_sure(chain) && chain->is_of_readers)
		circle_claim_readers(out, chain);
	else
		finding_claim(out, "%s: %zu processes wait for each other",
			circle_is_sure(chain) ? "deadlock" : "perhaps a deadlock", chain->count);
}

/* Adds the threads outside the circle that wait for a lock of Java. */
static void emit_victims(const struct check *e, struct check_result *out,
	const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct waits_thread *t = NULL;
	size_t waiting = 0;

	while ((t = wait_graph_thread(g, e->id.pid, t)))
		waiting += wait_is_runtime_lock(t);
	if (waiting > chain->count)
		finding_number(out, "other threads that wait for locks of Java",
			(double)(waiting - chain->count), SOOTH_UNIT_NONE, 0);
}

static void remedy_of_circle(const struct check *e, struct check_result *out,
	const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0];
	bool is_inside = first->party && first->party->relation == WAITS_RELATION_THREAD;

	if (wait_is_runtime_lock(first->thread)) {
		emit_victims(e, out, g, chain);
		finding_unseen(out, "where in the program each lock was taken");
		finding_remedy(out,
			"jstack %u shows the deadlock and where each lock was taken; only ending "
			"the process helps",
			e->id.pid);
	} else if (is_inside) {
		finding_unseen(out,
			"where in the program each lock was taken: only the call stacks "
			"show that");
		finding_remedy(out,
			"sooth stack %u shows where each thread waits; only ending the process "
			"helps",
			e->id.pid);
	} else if (circle_is_full_pipe(chain)) {
		finding_unseen(out, "whether a signal or a timer will end one of the waits");
		finding_remedy(out,
			"read what a child writes before waiting for its end (in Python "
			"subprocess.run(capture_output=True) or communicate(), not wait()), or let "
			"it write to a file; sooth kill --any %u ends the wait",
			chain->links[circle_writer(chain)].process->node_pid);
	} else if (circle_is_prompt(chain)) {
		bool is_user = first->what == WAIT_TERMINAL_READ;

		finding_unseen(out, "the text of the prompt");
		finding_remedy(out,
			"run the command so that it does not ask (-y, --batch, sudo -n, a key or "
			"a file for the password), or let its caller answer this prompt; sooth "
			"kill --any %u ends the command",
			chain->links[!is_user].process->node_pid);
	} else if (wait_circle_pipe(chain)) {
		finding_unseen(out, "which process took the last token and did not give it back");
		finding_remedy(out,
			"end these processes and start the build again: sooth kill --any %u and "
			"the others; a job has to give its token back however it ends",
			e->id.pid);
	} else if (circle_is_sure(chain) && chain->is_of_readers) {
		finding_unseen(out, "which of them wrote last");
		finding_remedy(out,
			"flush after each message (fflush(stdout), print(..., flush=True), "
			"PYTHONUNBUFFERED=1, stdbuf -oL) and end it as the reader expects, mostly "
			"by a newline; sooth kill --any %u ends the wait",
			chain->links[chain->count - 1].process->node_pid);
	} else if (first->party && first->party->relation == WAITS_RELATION_LISTENER &&
		   chain->count == 1) {
		finding_remedy(out,
			"let the server handle requests in several processes or threads (PHP: "
			"PHP_CLI_SERVER_WORKERS=4), or send it no request while it handles one");
	} else {
		finding_unseen(out, "whether a signal or a timer will end one of the waits");
		finding_remedy(
			out, "%s: sooth kill --any %u", wait_chain_way_out(chain), e->id.pid);
	}
}

static void report_circle(const struct check *e, struct check_result *out,
	const struct wait_graph *g, const struct wait_chain *chain)
{
	enum waits_confidence confidence = wait_chain_confidence(chain);
	const struct wait_link *first = &chain->links[0];

	finding_begin(out,
		confidence == WAITS_HIGH     ? FINDING_CONFIDENCE_HIGH
		: confidence == WAITS_MEDIUM ? FINDING_CONFIDENCE_MEDIUM
					     : FINDING_CONFIDENCE_LOW,
		"");
	if (confidence < WAITS_HIGH)
		finding_severity(out, confidence == WAITS_LOW ? FINDING_LOW : FINDING_MEDIUM);
	finding_thread(out, first->thread->record.tid);
	claim_circle(e, out, g, chain);
	check_chain_evidence(out, g, chain);
	remedy_of_circle(e, out, g, chain);
	finding_end(out);
}

static void emit_reason(const struct check *e, struct check_result *out, const struct hang *h)
{
	const struct thread_history *t = h->reason;

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
		check_blind(out, unseen_of(e, t));
		break;
	default:
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	}
}

/* A program that only serves signals waits this way. */
static void emit_single(const struct check *e, struct check_result *out)
{
	char call[SYSCALL_NAME_SIZE] = "a system call";
	const struct thread_history *t;
	size_t position = 0;

	t = thread_histories_next(&e->input->threads, &e->id, &position);
	if (t && t->calls[0].input)
		syscall_name(t->calls[0].abi, t->calls[0].syscall, call);
	check_fine(out, "waiting in %s", call);
}

/* Returns whether the locks of the JVM could be read, so that the owner of each is known. */
static bool has_runtime_locks(const struct check *e)
{
	const struct snapshot *last = check_last(e, &e->input->waits);
	struct wait_graph g = { 0 };
	const struct waits_thread *t = NULL;

	if (last)
		g.records = snapshot_records(last);
	while ((t = wait_graph_thread(&g, e->id.pid, t))) {
		if (wait_is_runtime_idle(t) || wait_is_runtime_lock(t) || wait_runtime_text(t))
			return true;
	}
	return false;
}

/* HotSpot parks threads that wait for work and threads that wait for a lock alike. */
static bool parks_alike(const struct check *e)
{
	const struct proc_process *p = e->process ? e->process->process : NULL;

	return p && span_equal(record_text(&p->record, &p->name), "java");
}

/* If a thread waits for a lock with a timeout, it tries again: HotSpot does so in a deadlock
 * too. */
static bool is_parked(const struct hang *h)
{
	const struct thread_history *t = h->reason;

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

static void diagnose(const struct check *e, struct check_result *out)
{
	struct hang h = { 0 };
	struct wait_chain chain;
	struct wait_graph g;
	bool is_all, is_circle = find_circle(e, &g, &chain);

	find_hang(e, &h);
	is_all = h.threads && h.worst == STANDING_STUCK &&
		 (double)h.least_ns >= check_option(e, "min-time");
	if (!h.threads)
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	else if (is_circle && wait_is_runtime_lock(chain.links[0].thread))
		report_circle(e, out, &g, &chain);
	else if (parks_alike(e) && is_parked(&h) && !is_circle)
		emit_parked(e, out);
	else if (is_all && (h.threads > 1 || h.locks))
		report(e, out, &h);
	else if (is_circle && wait_prompt_of(&chain.links[0]))
		check_fine(out, "reported by prompt-unanswered");
	else if (is_circle)
		report_circle(e, out, &g, &chain);
	else if (h.worst != STANDING_STUCK)
		emit_reason(e, out, &h);
	else if (!is_all)
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	else
		emit_single(e, out);
}

const struct finding_type finding_all_threads_waiting = {
	.id = "all-threads-waiting",
	.claim = "deadlock: every thread waits for another",
	.probes = "proc,threads,maps",
	.needs_interval = true,
	.is_of_holder = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
