/* SPDX-License-Identifier: BSD-2-Clause */
/* heap-leak: code keeps more and more memory from malloc during the whole observation. A cache that
 * fills up gains less and less, a queue frees what it kept, and a buffer of fixed length frees
 * older blocks: all of these stop growing. Memory that grows is not always lost: a program that
 * loads its data grows too, so a young process is not judged. */
#include "analyze/diagnosis/check.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"

NUMBER(LONG_NS, 30 * NS_PER_S, NS, "in a shorter observation a cache may still fill up");
NUMBER(OLDER_SHARE, 0.5, NONE, "part of the gained blocks: so many older blocks were freed");

static const struct finding_option options[] = {
	BYTES_THRESHOLD("min-rate", 32768, 1, 1e12, "minimum growth of the kept memory per second"),
	UNLISTED_BYTES("min-gain", 1 << 20, 1, 1e15, "minimum total growth of the kept memory"),
	UNLISTED_TIME("min-time", 4e9, 2e9, 86400e9, "minimum observation time"),
	TIME_THRESHOLD("min-age", 60e9, 0, 86400e9, "minimum process age"),
};

static void report_leak(const struct check *e, struct check_result *out,
	const struct heap_use_process *p, const struct heap_use_growth *g)
{
	uint64_t interval_ns = g->time_ns;
	bool is_long = interval_ns >= LONG_NS;
	_cleanup_(buffer_fini) struct buffer stack = { 0 };

	heap_use_put_stack(&e->input->heap, g->top, &stack);
	finding_begin(out, confidence_medium_if(is_long), "");
	finding_claim(out, "keeps %s more from malloc each second, most of it in %s",
		SENTENCE_SIZE((uint64_t)g->bytes_per_s), buffer_cstr(&stack));
	finding_rate(
		out, "growth of the kept memory", g->bytes_per_s, SOOTH_UNIT_BYTES, interval_ns);
	finding_count(out, "more blocks", g->blocks, interval_ns);
	finding_count(out, "stacks that grow", g->stacks, interval_ns);
	finding_text(out, "most of it in", "%s (%.0f %%)", buffer_cstr(&stack),
		100.0 * g->top_bytes_per_s / g->bytes_per_s);
	finding_count(out, "blocks of before, freed meanwhile", p->older_freed, interval_ns);
	finding_unseen(out, is_long ? "whether the program still needs it"
				    : "whether it goes on: a cache may be filling up");
	finding_remedy(out,
		"free it, or bound what keeps it; sooth heap --leaks -d 60 %u lists the code",
		e->id.pid);
}

static bool is_judged(const struct check *e, struct check_result *out,
	const struct heap_use_process *p, const struct heap_use_growth *g)
{
	if (p->is_sampled)
		check_blind_because(out, "the allocations are samples", "");
	else if (!g->is_measured || g->time_ns < check_option(e, "min-time"))
		check_blind_because(out, "its allocations cover too short a time", CHECK_LONGER);
	else if (g->stacks && check_is_young(e))
		check_too_young(out);
	else
		return true;
	return false;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct heap_use_process *p = heap_use_of(&e->input->heap, &e->id);
	size_t count = e->series.count;
	struct heap_use_growth g;

	if (!check_has_heap_sums(out))
		return;
	if (!p || !p->live_blocks) {
		check_fine(out, "all memory allocated during the observation was freed");
		return;
	}
	heap_use_growth(
		&e->input->heap, &e->id, count ? e->series.points[count - 1].time_ns : 0, &g);
	if (!is_judged(e, out, p, &g))
		return;
	if (!g.stacks || g.bytes <= 0)
		check_fine(out, "no code keeps more memory all the time");
	else if (p->older_freed >= OLDER_SHARE * g.blocks)
		check_fine(out, "keeps %lld more blocks, and freed %llu of before",
			(long long)g.blocks, (unsigned long long)p->older_freed);
	else if (check_is_over(e, "min-rate", g.bytes_per_s, "") &&
		 check_is_over(e, "min-gain", g.bytes, ""))
		report_leak(e, out, p, &g);
	else
		check_fine(out, "keeps %s more each second, which is little",
			SENTENCE_SIZE((uint64_t)g.bytes_per_s));
}

const struct finding_detector finding_heap_leak = { diagnose, FINDING_OPTIONS(options) };
