/* SPDX-License-Identifier: BSD-2-Clause */
/* The code that held memory at the peak of live memory, as one sentence and a table. */
#include <stdlib.h>

#include "analyze/heap/heap_stacks.h"
#include "analyze/records.h"
#include "base/order.h"
#include "base/sentence_units.h"
#include "model/row_list.h"
#include "model/schema.h"

#define HEAP_PEAK_ROW(F, S)                                                                        \
	F(S, U64, peak_bytes, ALWAYS, "the most that was live at a time",                          \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, peak_after_ns, ALWAYS, "time from the first call to the peak",                   \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, TEXT, text, ALWAYS, "the answer as a sentence", .is_hidden = true)

ROW_TABLE(heap_peak, HEAP_PEAK_ROW, "heap_peak", heap_peak_row, .line = "{text}");

static const struct section peak_section = SECTION_OF("heap_peak", heap_peak_schema, OBJECT);

static const struct section stacks_section = SECTION_OF("heap_stacks", heap_stack_row_schema, TABLE,
	.title = "code that held memory at the peak",
	.columns = "at_peak_bytes,at_peak_blocks,live_bytes,allocated_bytes,calls,line,stack",
	.rows_most = HEAP_STACKS_SHOWN);

static int compare_by_peak(const void *left, const void *right)
{
	const struct heap_stack *a = left, *b = right;

	return larger_first(a->sum.at_peak.bytes, b->sum.at_peak.bytes)
		       ?: heap_stacks_by_live(a, b);
}

static void put_most(struct buffer *out, const struct heap_stack *first, uint64_t all,
	const struct profile_sums *sums)
{
	buffer_format(
		out, "%.0f %% of it in ", 100 * (double)first->sum.at_peak.bytes / (double)all);
	stack_text_put_callers(out, sums, first->stack);
}

/* Writes the sentence. If the kernel aggregates, stacks are known only at samples, and the peak may
 * lie between two of them. */
static void put_answer(struct buffer *out, const struct heap_peak_row *row,
	const struct heap_stack *first, uint64_t all, bool has_looks,
	const struct profile_sums *sums)
{
	char peak[UNITS_SIZE], time[UNITS_SIZE];

	if (!row->peak_bytes) {
		buffer_string(out, "nothing that was allocated here was live at any time");
		return;
	}
	buffer_format(out, "%s were live at the peak, %s after the first call",
		sentence_size(peak, row->peak_bytes), sentence_duration(time, row->peak_after_ns));
	if (has_looks && !all)
		buffer_string(out, "; they ended before sooth looked");
	else if (has_looks)
		buffer_format(out, "; at most %s when sooth looked", sentence_size(peak, all));
	if (all)
		buffer_string(out, ": ");
	if (all)
		put_most(out, first, all, sums);
	if (has_looks)
		buffer_string(out, "; --exact records every call, and knows the peak itself");
}

static int emit_sentence(struct heap_scope *scope, const struct heap_live *live,
	const struct heap_stacks_merged *stacks, const struct profile_sums *sums,
	struct sooth_error *err)
{
	uint64_t begin_ns = live->clock.begin_ns, all = 0;
	struct heap_peak_row row = { .peak_bytes = live->peak_bytes,
		.peak_after_ns = live->peak_ns > begin_ns ? live->peak_ns - begin_ns : 0 };
	struct buffer text = { 0 };

	for (size_t i = 0; i < stacks->count; i++)
		all += stacks->all[i].sum.at_peak.bytes;
	put_answer(&text, &row, stacks->all, all, live->has_held, sums);
	return HEAP_SENTENCE(scope, &peak_section, &row, &text, err);
}

const struct heap_answer_type heap_answer_peak = {
	.compare = compare_by_peak, .emit_sentence = emit_sentence, .section = &stacks_section
};
