/* SPDX-License-Identifier: BSD-2-Clause */
/* pool-stuck: every thread of the pool that serves an event loop is in a call that does not return.
 * The loop runs on and looks healthy, but all work for the pool waits (the pool of libuv, four
 * threads). The stacks show that: threads of the pool are in libuv's worker(), and a free thread is
 * in uv_cond_wait() there. */
#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/stack_waits.h"
#include "analyze/waits/wait_sentences.h"
#include "base/cleanup.h"

#define SHOWN_MAX 4

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 5e9, 1e9, 86400e9,
		"minimum time each thread of the pool is in the same call"),
};

enum member { MEMBER_NONE, MEMBER_FREE, MEMBER_BUSY };

struct pool {
	unsigned threads, stuck;
	uint64_t for_ns; /* the shortest wait */
	const struct waits_thread *first;
};

static enum member member_of(const struct check *e, uint32_t tid)
{
	enum member member = MEMBER_BUSY;
	struct profile_stacked stack;

	if (!stack_wait_frames(e->input, &e->id, tid, &stack))
		return MEMBER_NONE;
	for (size_t i = 0; i < stack.depth; i++) {
		struct span name = stack_wait_function(e->input, stack.frames[i]);

		if (span_equal(name, "uv_cond_wait"))
			member = MEMBER_FREE;
		/* Innermost first: below it there is only the start of the thread. */
		if (span_equal(name, "worker") && i + 3 >= stack.depth)
			return member;
	}
	return MEMBER_NONE;
}

static void find_pool(struct pool *p, const struct check *e, const struct wait_graph *g)
{
	wait_threads_each (g, e->id.pid, t) {
		enum member member = member_of(e, t->record.tid);

		p->threads += member != MEMBER_NONE;
		if (member != MEMBER_BUSY || wait_graph_has_run(g, t))
			continue;
		if (!p->stuck++)
			p->first = t;
		if (p->stuck == 1 || t->since_ns < p->for_ns)
			p->for_ns = t->since_ns;
	}
}

static void put_wait(struct buffer *out, const struct check *e, const struct wait_graph *g,
	const struct waits_thread *t)
{
	struct wait_link link = wait_link_of(g, wait_graph_process(g, e->id.pid), t);

	wait_sentence(out, g, &link);
}

static void emit_threads(
	const struct check *e, struct check_result *out, const struct wait_graph *g)
{
	const struct waits_thread *t = NULL;
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	unsigned shown = 0;

	while ((t = wait_graph_thread(g, e->id.pid, t)) && shown < SHOWN_MAX) {
		if (member_of(e, t->record.tid) != MEMBER_BUSY)
			continue;
		buffer_reset(&text);
		put_wait(&text, e, g, t);
		finding_text(out, "thread", "%u %s", t->record.tid, buffer_cstr(&text));
		shown++;
	}
}

static void report_pool(const struct check *e, struct check_result *out, const struct wait_graph *g,
	const struct pool *p)
{
	static const struct claim_row row = {
		"all {threads} threads of its pool (libuv) are stuck, for {time}: files, DNS and "
		"other work of the pool wait behind them; one {waits}",
		NULL,
		"sooth why -v {pid} shows what each thread waits for; a larger pool "
		"(UV_THREADPOOL_SIZE) only delays this"
	};

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_value_text(out, "threads", "%u", p->threads);
	finding_value_time(out, "time", p->for_ns);
	put_wait(finding_value(out, "waits"), e, g, p->first);
	finding_count(out, "threads of the pool", p->threads, 0);
	finding_time(out, "stuck for at least", p->for_ns);
	emit_threads(e, out, g);
	finding_claim_row(out, &row);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct pool p = { 0 };
	struct wait_graph g;

	if (!check_graph_begin(e, out, &g))
		return;
	find_pool(&p, e, &g);
	if (!p.threads)
		check_fine(out, "no pool of libuv");
	else if (p.stuck < p.threads)
		check_fine(out, "%u of %u threads of its pool are in one call", p.stuck, p.threads);
	else if (check_is_long(
			 e, out, "min-time", p.for_ns, "all threads of its pool are in a call"))
		report_pool(e, out, &g, &p);
}

const struct finding_detector finding_pool_stuck = { diagnose, FINDING_OPTIONS(options) };
