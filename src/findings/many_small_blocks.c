/* SPDX-License-Identifier: BSD-2-Clause */
/* many-small-blocks: most of the memory that a process allocated and kept is in small blocks of one
 * size. Each block has the allocator's overhead, and its memory can be used otherwise only when all
 * neighbors are free. Blocks allocated before the observation are not seen. */
#include "analyze/diagnosis/check.h"
#include "base/units.h"
#include "explain/finding.h"

#define OVERHEAD_BYTES 16 /* glibc: a header, and rounding to 16 bytes */

static const struct finding_option options[] = {
	THRESHOLD("min-blocks", 50000, 100, 1e10, "minimum blocks of one size that are kept"),
	THRESHOLD("max-size", 512, 16, 1 << 20, "largest mean size of these blocks",
		.unit = SOOTH_UNIT_BYTES),
	THRESHOLD("min-share", 50, 1, 100, "minimum share of all blocks that are kept",
		.unit = SOOTH_UNIT_PERCENT),
};

static uint64_t live_blocks(const struct heap_use_sum *sum)
{
	return sum->live_blocks;
}

static double mean_size(const struct heap_use_part *top)
{
	return top->sum.live_blocks ? (double)top->sum.live_bytes / (double)top->sum.live_blocks
				    : 0;
}

static void report(const struct check *e, struct check_result *out,
	const struct heap_use_process *p, const struct heap_use_part *top)
{
	uint64_t interval_ns = p->to_ns - p->from_ns;
	double share = 100.0 * (double)top->sum.live_blocks / (double)p->all.live_blocks;
	struct heap_use_part first;
	struct buffer stack = { 0 };
	char size[UNITS_SIZE];

	heap_use_top_stack(&e->input->heap, &e->id, top->size_class, live_blocks, &first);
	heap_use_put_stack(&e->input->heap, first.stack, &stack);
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(out, "keeps %llu blocks of %.0f bytes (%s), %.0f %% of its new blocks",
		(unsigned long long)top->sum.live_blocks, mean_size(top),
		format_bytes(size, top->sum.live_bytes), share);
	finding_number(out, "blocks", (double)top->sum.live_blocks, SOOTH_UNIT_NONE, interval_ns);
	finding_number(out, "mean size", mean_size(top), SOOTH_UNIT_BYTES, interval_ns);
	finding_text(out, "allocated by", "%s (%.0f %%)", buffer_cstr(&stack),
		100.0 * (double)first.sum.live_blocks / (double)top->sum.live_blocks);
	finding_number(out, "overhead of the allocator, about",
		(double)top->sum.live_blocks * OVERHEAD_BYTES, SOOTH_UNIT_BYTES, 0);
	finding_unseen(out, "blocks of before the observation");
	finding_remedy(out,
		"allocate many at once, or find out why they are kept; sooth heap "
		"--sizes -d 10 %u lists the sizes",
		e->id.pid);
	finding_end(out);
	buffer_fini(&stack);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct heap_use_process *p = heap_use_of(&e->input->heap, &e->id);
	struct heap_use_part top;

	if (!check_has_heap_sums(out))
		return;
	if (!p || !p->all.live_blocks) {
		check_fine(out, "all memory allocated during the observation was freed");
		return;
	}
	if (p->is_sampled) {
		check_blind_because(out, "the allocations are samples", "");
		return;
	}
	heap_use_top_class(&e->input->heap, &e->id, live_blocks, &top);
	if (check_is_over(e, "min-blocks", (double)top.sum.live_blocks, "") &&
		mean_size(&top) <= check_option(e, "max-size") &&
		check_is_over(e, "min-share",
			100.0 * (double)top.sum.live_blocks / (double)p->all.live_blocks, ""))
		report(e, out, p, &top);
	else
		check_fine(out, "kept %llu new blocks, %llu of the most frequent size",
			(unsigned long long)p->all.live_blocks,
			(unsigned long long)top.sum.live_blocks);
}

const struct finding_type finding_many_small_blocks = {
	.id = "many-small-blocks",
	.claim = "most of what it keeps are small blocks of one size",
	.probes = "proc,heap",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
