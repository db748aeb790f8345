/* SPDX-License-Identifier: BSD-2-Clause */
/* Code whose blocks are freed soon after they are allocated, as one sentence and a table. */
#include <stdlib.h>

#include "analyze/heap/heap_stacks.h"
#include "analyze/records.h"
#include "base/order.h"
#include "base/sentence_units.h"
#include "model/row_list.h"
#include "model/schema.h"

#define HEAP_CHURN_ROW(F, S)                                                                       \
	F(S, REAL, calls_per_s, MAYBE(rate_state),                                                 \
		"successful allocator calls each second, those with a stack", .decimals = 1)       \
	F(S, U64, allocated_bytes_per_s, WITH(rate_state),                                         \
		"bytes that these requested each second", .unit = SOOTH_UNIT_BYTES)                \
	F(S, REAL, short_bytes_percent, MAYBE(share_state),                                        \
		"share of these bytes that was freed within 10 ms", .unit = SOOTH_UNIT_PERCENT,    \
		.decimals = 1)                                                                     \
	F(S, REAL, short_blocks_percent, WITH(share_state),                                        \
		"share of the blocks that was freed within 10 ms", .unit = SOOTH_UNIT_PERCENT,     \
		.decimals = 1)                                                                     \
	F(S, U64, observed_ns, ALWAYS, "time between the first call and the end",                  \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, TEXT, text, ALWAYS, "the answer as a sentence", .is_hidden = true)

ROW_TABLE(heap_churn, HEAP_CHURN_ROW, "heap_churn", heap_churn_row, .line = "{text}");

static const struct section churn_section = SECTION_OF("heap_churn", heap_churn_schema, OBJECT);

static const struct section stacks_section = SECTION_OF("heap_stacks", heap_stack_row_schema, TABLE,
	.title = "code that allocates, by bytes freed within 10 ms",
	.columns = "short_bytes,short_blocks,allocated_bytes,calls,live_bytes,stack",
	.rows_most = HEAP_STACKS_SHOWN);

static int compare_by_short_bytes(const void *left, const void *right)
{
	const struct heap_stack *a = left, *b = right;

	return larger_first(a->sum.short_bytes, b->sum.short_bytes) ?: heap_stacks_by_live(a, b);
}

static struct heap_stack_sum sum_of(const struct heap_stacks_merged *stacks)
{
	struct heap_stack_sum all = { 0 };

	for (size_t i = 0; i < stacks->count; i++) {
		const struct heap_stack_sum *one = &stacks->all[i].sum;

		all.calls += one->calls;
		all.allocated_bytes += one->allocated_bytes;
		all.allocated_variance += one->allocated_variance;
		all.short_blocks += one->short_blocks;
		all.short_bytes += one->short_bytes;
	}
	return all;
}

static void put_answer(struct buffer *out, const struct heap_churn_row *row,
	const struct heap_stack_sum *all, const struct heap_stack *first,
	const struct profile_sums *sums)
{
	char rate[UNITS_SIZE], time[UNITS_SIZE];

	if (row->rate_state) {
		sentence_duration(time, row->observed_ns);
		buffer_format(out, "not judged: the calls cover %s; observe longer (-d 10)", time);
		return;
	}
	buffer_format(out, "allocates %s", sentence_size(rate, row->allocated_bytes_per_s));
	heap_put_error(out, all->allocated_variance, (double)row->observed_ns / NS_PER_S);
	buffer_format(out, " in %s%.0f calls each second and frees %.0f %% of it within 10 ms",
		all->allocated_variance > 0 ? "about " : "", row->calls_per_s,
		row->short_bytes_percent);
	if (!all->short_bytes)
		return;
	buffer_format(out, ": %.0f %% of that in ",
		100 * (double)first->sum.short_bytes / (double)all->short_bytes);
	stack_text_put_callers(out, sums, first->stack);
}

static int emit_sentence(struct heap_scope *scope, const struct heap_live *live,
	const struct heap_stacks_merged *stacks, const struct profile_sums *sums,
	struct sooth_error *err)
{
	struct heap_stack_sum all = sum_of(stacks);
	uint64_t time_ns = live->clock.end_ns - live->clock.begin_ns;
	double seconds = (double)time_ns / NS_PER_S;
	struct heap_churn_row row = { .observed_ns = time_ns };
	struct buffer text = { 0 };

	/* A rate is not computed from the beginning of a short run. */
	row.rate_state = time_ns >= NS_PER_S / 2 ? SOOTH_STATE_VALUE
						 : SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	row.share_state = state_if(all.allocated_bytes);
	if (!row.rate_state) {
		row.calls_per_s = (double)all.calls / seconds;
		row.allocated_bytes_per_s = (uint64_t)((double)all.allocated_bytes / seconds);
	}
	if (all.allocated_bytes) {
		row.short_bytes_percent =
			100 * (double)all.short_bytes / (double)all.allocated_bytes;
		row.short_blocks_percent = 100 * (double)all.short_blocks / (double)all.calls;
	}
	put_answer(&text, &row, &all, stacks->all, sums);
	return HEAP_SENTENCE(scope, &churn_section, &row, &text, err);
}

const struct heap_answer_type heap_answer_churn = { .compare = compare_by_short_bytes,
	.emit_sentence = emit_sentence,
	.section = &stacks_section };
