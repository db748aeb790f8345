/* SPDX-License-Identifier: BSD-2-Clause */
/* heap-churn: a process frees nearly all of its blocks soon after it allocates them, many times a
 * second. Each of these blocks costs two calls, and a large one also costs pages that the kernel
 * clears. Blocks that are kept for a while are data, however many they are. */
#include "analyze/diagnosis/check.h"
#include "base/units.h"
#include "explain/finding.h"

NUMBER(INTERVAL_LEAST, NS_PER_S, NS, "observation: a rate over less is chance");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 20000, 100, 1e9,
		"minimum blocks each second that are freed within 10 ms"),
	THRESHOLD("min-bytes", 256 << 20, 1 << 20, 1e12,
		"or minimum bytes each second that are freed within 10 ms",
		.unit = SOOTH_UNIT_BYTES),
	THRESHOLD("min-share", 80, 1, 100, "minimum share of the allocated blocks",
		.unit = SOOTH_UNIT_PERCENT),
};

static uint64_t short_blocks(const struct heap_use_sum *sum)
{
	return sum->short_blocks;
}

static uint64_t short_bytes(const struct heap_use_sum *sum)
{
	return sum->short_bytes;
}

static double share_of(const struct heap_use_sum *all)
{
	return all->calls ? 100.0 * (double)all->short_blocks / (double)all->calls : 0;
}

static void report(const struct check *e, struct check_result *out,
	const struct heap_use_process *p, double seconds, bool is_by_blocks)
{
	uint64_t interval_ns = p->to_ns - p->from_ns;
	double blocks = (double)p->all.short_blocks / seconds;
	double bytes = (double)p->all.short_bytes / seconds;
	heap_use_weight weight = is_by_blocks ? short_blocks : short_bytes;
	struct buffer stack = { 0 };
	struct heap_use_part top;
	char size[UNITS_SIZE];

	heap_use_top_stack(&e->input->heap, &e->id, UINT32_MAX, weight, &top);
	heap_use_put_stack(&e->input->heap, top.stack, &stack);
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(out,
		"allocates %.0f blocks (%s) each second and frees %.0f %% of them within 10 ms",
		blocks, format_bytes(size, (uint64_t)bytes), share_of(&p->all));
	finding_rate(out, "blocks that live less than 10 ms", blocks, SOOTH_UNIT_NONE, interval_ns);
	finding_rate(out, "their bytes", bytes, SOOTH_UNIT_BYTES, interval_ns);
	finding_number(out, "share of the allocated blocks", share_of(&p->all), SOOTH_UNIT_PERCENT,
		interval_ns);
	finding_text(out, "most of it in", "%s (%.0f %%)", buffer_cstr(&stack),
		100.0 * (double)weight(&top.sum) / (double)weight(&p->all));
	finding_unseen(out, "how fast it is without the probes");
	finding_remedy(out,
		"keep the buffer for the next call, or put it on the stack; sooth heap "
		"--churn -d 10 %u lists the code",
		e->id.pid);
	finding_end(out);
	buffer_fini(&stack);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct heap_use_process *p = heap_use_of(&e->input->heap, &e->id);
	double seconds;
	bool is_by_blocks;

	if (!check_has_heap_sums(out))
		return;
	if (!p) {
		check_fine(out, "called no allocator");
		return;
	}
	seconds = (double)(p->to_ns - p->from_ns) / NS_PER_S;
	if (p->is_sampled) {
		check_blind_because(out, "the allocations are samples", "");
		return;
	}
	if (!p->all.calls || p->to_ns - p->from_ns < INTERVAL_LEAST) {
		if (p->all.calls)
			check_blind_because(
				out, "its allocations cover less than 1 s", CHECK_LONGER);
		else
			check_fine(out, "allocated nothing");
		return;
	}
	is_by_blocks = check_is_over(e, "min-rate", (double)p->all.short_blocks / seconds, "");
	if ((is_by_blocks ||
		    check_is_over(e, "min-bytes", (double)p->all.short_bytes / seconds, "")) &&
		check_is_over(e, "min-share", share_of(&p->all), ""))
		report(e, out, p, seconds, is_by_blocks);
	else
		check_fine(out, "%.0f blocks each second live less than 10 ms, %.0f %% of all",
			(double)p->all.short_blocks / seconds, share_of(&p->all));
}

const struct finding_type finding_heap_churn = {
	.id = "heap-churn",
	.claim = "nearly all that it allocates is freed at once",
	.probes = "proc,heap",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
