/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread-leak: the number of threads grows steadily, and the new ones do nothing: each has waited
 * since its start, or nearly so. A pool that fills up looks the same until it is full; so severity
 * is low up to the size of ordinary pools. Or the number stays, and the stacks of threads that have
 * ended are kept.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/evidence/tally.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"

NUMBER(IDLE_SHARE, 0.8, NONE, "of the new threads that do nothing");
NUMBER(MOST_SHARE, 0.5, NONE, "of the new threads that have the named place");
NUMBER(PACE, 0.5, NONE, "part of its threads that would have come at this rate since its start");
NUMBER(STACK_USED, 0.125, NONE, "part of a new stack that a thread used at most");
NUMBER(STACK_LEAST, 65536, BYTES, "that a stack has at least");
NUMBER(IDLE_CPU, 1, PERCENT, "of a CPU that a new idle thread uses at most");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 1, 0.001, 1e6,
		"minimum number of threads per second that start and stay"),
	UNLISTED("min-gain", 10, 1, 1e6, "minimum number of threads added during the observation"),
	THRESHOLD("many", 200, 1, 1e6, "severity is low below this number of threads"),
	THRESHOLD("min-windows", 4, 2, 500, "minimum number of time slices to judge growth by"),
	UNLISTED_TIME("min-age", 10e9, 0, 86400e9,
		"process age from which on growth is not that of a start"),
	UNLISTED("min-gain-young", 30, 1, 1e6,
		"minimum number of threads that a younger process adds"),
	UNLISTED("slow-rate", 0.4, 0.001, 1e6,
		"severity is low from this number of threads per second, if they came at this pace "
		"since the process started"),
	UNLISTED("slow-gain", 5, 1, 1e6,
		"minimum number of threads added during the observation at a slow pace"),
};

struct newcomers {
	uint32_t count, idle;	     /* new threads that were sampled; of these, idle */
	uint32_t first_of_pools;     /* threads named "pool-7-thread-1", as executors of Java do */
	struct tally_row name, call; /* the most frequent */
};

/* --- the new threads --- */

static bool is_idle(const struct thread_history *t)
{
	return !t->running && !t->uninterruptible && thread_history_cpu(t) < IDLE_CPU;
}

static bool is_first_of_pool(const char *name)
{
	unsigned pool;
	int end = 0;

	/* The kernel keeps 15 characters: from the tenth pool on the number of the thread is lost.
	 * If each new thread belongs to another pool, these are pools with one thread. */
	return sscanf(name, "pool-%u-thread-%n", &pool, &end) == 1 && end &&
	       (!name[end] || !strcmp(name + end, "1"));
}

static void find_newcomers(const struct check *e, struct newcomers *n)
{
	uint64_t slack_ns = sample_series_ns(&e->series) / (2 * (e->series.count - 1));

	char call[SYSCALL_NAME_SIZE];
	_cleanup_(tally_fini) struct tally names = { 0 }, calls = { 0 };

	*n = (struct newcomers){ 0 };
	tally_init(&names);
	tally_init(&calls);
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (t->first.time_ns <= e->series.points[0].time_ns + slack_ns)
			continue;
		n->count++;
		n->idle += is_idle(t);
		n->first_of_pools += is_first_of_pool(t->name);
		tally_add(&names, span_of_string(t->name), true);
		if (t->calls[0].input)
			tally_add(&calls,
				span_of_string(check_call_name(
					(uint16_t)t->calls[0].abi, t->calls[0].syscall, call)),
				true);
	}
	tally_top(&names, tally_last, &n->name, 1);
	tally_top(&calls, tally_last, &n->call, 1);
}

static double threads_at(const struct sample_point *p)
{
	return p->threads ? (double)p->threads : -1;
}

static void report_leak(const struct check *e, struct check_result *out, const struct growth *g,
	const struct newcomers *n)
{
	bool is_young = check_is_young(e);

	finding_begin(out,
		is_young       ? FINDING_CONFIDENCE_LOW
		: g->is_steady ? FINDING_CONFIDENCE_HIGH
			       : FINDING_CONFIDENCE_MEDIUM,
		"");
	finding_low_if(out, is_young || g->last < check_option(e, "many"));
	finding_claim(out, "leaks threads: %.0f more, now %.0f; the new ones do nothing%s",
		g->last - g->first, g->last,
		n->first_of_pools > MOST_SHARE * n->count
			? ": each is the first of a thread pool of its own (ExecutorService), "
			  "which nothing shuts down"
			: "");
	finding_rate(out, "growth", g->per_s, SOOTH_UNIT_NONE, g->interval_ns);
	finding_count(out, "threads", g->last, 0);
	finding_count(out, "threads when the observation started", g->first, 0);
	finding_text(out, "steadiness", "grew in %u of %u equal time slices of the observation",
		g->grown, g->windows);
	finding_text(out, "idle", "%u of %u new threads wait since they were started", n->idle,
		n->count);
	if (n->name.last > MOST_SHARE * n->count)
		finding_text(out, "name of most new threads", "%s", n->name.text);
	if (n->call.last > MOST_SHARE * n->count)
		finding_text(out, "what most new threads wait in", "%s", n->call.text);
	finding_unseen(out, "whether a pool is filling up, and stops at its size");
	if (is_young)
		check_may_be_start(out);
	finding_remedy(out,
		"sooth why -v %llu shows what they wait for; end each thread, or use a pool with a "
		"limit; a restart frees them",
		(unsigned long long)e->id.pid);
}

/* Returns whether threads come at a steady pace, few at a time, and never become fewer: a pool is
 * full long before. */
static bool keeps_pace(const struct check *e, const struct growth *g)
{
	double since_start = g->per_s * (double)check_age_ns(e) / (double)NS_PER_S;

	return g->last - g->first >= check_option(e, "slow-gain") &&
	       check_is_over(e, "slow-rate", g->per_s, "") && since_start >= PACE * g->last &&
	       since_start <= g->last / PACE && !check_is_young(e);
}

/* --- the stacks of threads that have ended --- */

static double address_space_at(const struct sample_point *p)
{
	return p->vsz_bytes ? (double)p->vsz_bytes : -1;
}

static double resident_at(const struct sample_point *p)
{
	return p->rss_bytes ? (double)p->rss_bytes : -1;
}

/* Returns the bytes of address space that each started thread left behind; 0: none did. Arenas of
 * malloc (64 MiB for a thread) and stacks that the C library keeps for the next threads do not grow
 * for long. */
static double stack_bytes_left(
	const struct check *e, const struct growth *threads, struct growth *space)
{
	double started = e->calls.is_read ? (double)e->calls.history->threads : 0, each;
	struct growth resident;

	check_growth(space, e, address_space_at);
	check_growth(&resident, e, resident_at);
	if (started < check_option(e, "min-gain") || !space->is_measured || !space->is_steady ||
		threads->last - threads->first > started * MOST_SHARE ||
		resident.last - resident.first > (space->last - space->first) * STACK_USED)
		return 0;
	each = (space->last - space->first) / started;
	return each >= STACK_LEAST ? each : 0;
}

static void report_stacks(
	const struct check *e, struct check_result *out, const struct growth *space, double each)
{
	_cleanup_(buffer_fini) struct buffer starter = { 0 };
	uint32_t stack = heap_use_starter(&e->input->heap, &e->id);
	double gain = space->last - space->first;

	finding_begin(out, confidence_medium_if(!check_is_young(e)), "stacks");
	finding_claim(out,
		"keeps the stacks of threads that have ended: %llu threads were started in %s, and "
		"each left %s of address space, which is %s now: nothing joins or detaches them",
		(unsigned long long)e->calls.history->threads,
		SENTENCE_DURATION(space->interval_ns), SENTENCE_SIZE(rounded_u64(each)),
		SENTENCE_SIZE(rounded_u64(space->last)));
	if (stack) {
		heap_use_put_stack(&e->input->heap, stack, &starter);
		finding_claim(out, "; started in %s", buffer_cstr(&starter));
	} else {
		finding_unseen(out, "which code starts the threads");
	}
	finding_rate(out, "growth of the address space", space->per_s, SOOTH_UNIT_BYTES,
		space->interval_ns);
	finding_calls_rate(out, "threads started", (double)e->calls.history->threads);
	finding_number(out, "growth", gain, SOOTH_UNIT_BYTES, space->interval_ns);
	finding_remedy(out, "pthread_join() or pthread_detach() each thread: else no thread can be "
			    "started when all mappings are used (vm.max_map_count)");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct growth g, space;
	struct newcomers n;
	double each;

	check_growth(&g, e, threads_at);
	if (!g.is_measured) {
		check_blind_because(out, "the observation has too few samples", CHECK_LONGER);
		return;
	}
	each = stack_bytes_left(e, &g, &space);
	if (each > 0) {
		report_stacks(e, out, &space, each);
		return;
	}
	if (!g.grows || !(check_grows_fast(e, &g) || keeps_pace(e, &g))) {
		check_fine(
			out, "%.0f thread%s, then %.0f", g.first, g.first == 1 ? "" : "s", g.last);
		return;
	}
	if (check_is_young(e) &&
		(!g.is_steady || g.last - g.first < check_option(e, "min-gain-young"))) {
		check_too_young(out);
		return;
	}
	find_newcomers(e, &n);
	if (!n.count)
		check_blind(out, thread_histories_uncounted(&e->input->threads, &e->id));
	else if (n.idle < IDLE_SHARE * n.count)
		check_fine(out, "%.0f threads, then %.0f: most new threads are not idle", g.first,
			g.last);
	else
		report_leak(e, out, &g, &n);
}

const struct finding_detector finding_thread_leak = { diagnose, FINDING_OPTIONS(options) };
