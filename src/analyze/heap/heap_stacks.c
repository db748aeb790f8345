/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_stacks.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyze/profile/stack_text.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/estimate.h"
#include "base/order.h"
#include "base/sentence_units.h"
#include "model/row_list.h"
#include "model/schema.h"

#define ROWS_MAX (1u << 20)

#define HEAP_STACK_ROW(F, S)                                                                       \
	F(S, U64, live_bytes, ALWAYS,                                                              \
		"bytes allocated with this stack and not freed when the process or the run ended", \
		.label = "LIVE", .unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)               \
	F(S, U64, live_blocks, ALWAYS, "blocks allocated with this stack and not freed",           \
		.label = "BLOCKS", .merge = SOOTH_MERGE_SUM)                                       \
	F(S, U64, growth_bytes_per_s, MAYBE(growth_state),                                         \
		"bytes that this stack keeps more each second; absent: it did not gain all the "   \
		"time",                                                                            \
		.label = "GROWS/S", .unit = SOOTH_UNIT_BYTES)                                      \
	F(S, U64, allocated_bytes, ALWAYS, "bytes allocated with this stack",                      \
		.label = "ALLOCATED", .unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)          \
	F(S, U64, calls, ALWAYS, "successful allocator calls with this stack", .label = "CALLS",   \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, freed_blocks, ALWAYS, "blocks allocated with this stack that were freed",        \
		.label = "FREED", .merge = SOOTH_MERGE_SUM)                                        \
	F(S, U64, short_blocks, ALWAYS, "of the freed blocks those freed within 10 ms",            \
		.label = "SHORT", .merge = SOOTH_MERGE_SUM)                                        \
	F(S, U64, short_bytes, ALWAYS, "bytes of the blocks freed within 10 ms",                   \
		.label = "SHORT BYTES", .unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)        \
	F(S, U64, at_peak_bytes, ALWAYS,                                                           \
		"bytes allocated with this stack that were live when most was live",               \
		.label = "AT PEAK", .unit = SOOTH_UNIT_BYTES, .is_hidden = true)                   \
	F(S, U64, at_peak_blocks, ALWAYS,                                                          \
		"blocks allocated with this stack that were live when most was live",              \
		.label = "BLOCKS", .is_hidden = true)                                              \
	F(S, U64, live_error_bytes, MAYBE(error_state),                                            \
		"live_bytes is an estimate: it is wrong by more in 1 of 100 cases",                \
		.label = "+-LIVE", .unit = SOOTH_UNIT_BYTES, .is_hidden = true)                    \
	F(S, U64, allocated_error_bytes, WITH(error_state),                                        \
		"allocated_bytes is an estimate: it is wrong by more in 1 of 100 cases",           \
		.label = "+-ALLOCATED", .unit = SOOTH_UNIT_BYTES, .is_hidden = true)               \
	STACK_LINES_ROW(F, S)                                                                      \
	STACK_TEXT_ROW(F, S)

ROW_STRUCT(heap_stack_row, HEAP_STACK_ROW);
ROW_SCHEMA(heap_stack_row, HEAP_STACK_ROW, "heap_stacks", heap_stack_row);

struct merged {
	struct heap_stack_sum sum;
	uint32_t stack; /* one of several stacks with the same functions */
	uint32_t unused;
};

int heap_stacks_by_live(const void *left, const void *right)
{
	const struct heap_stack *a = left, *b = right;
	const struct heap_stack_sum *x = &a->sum, *y = &b->sum;
	int order = larger_first(x->live_bytes, y->live_bytes);

	order = order ?: larger_first(x->allocated_bytes, y->allocated_bytes);
	return order ?: stack_text_compare(&a->key, &b->key);
}

static void add_sum(
	const struct heap_live *live, struct heap_stack_sum *to, const struct heap_stack_sum *one)
{
	struct heap_at_peak at_peak = heap_live_at_peak(live, one);

	to->at_peak.bytes += at_peak.bytes;
	to->at_peak.blocks += at_peak.blocks;
	to->calls += one->calls;
	to->allocated_bytes += one->allocated_bytes;
	to->live_bytes += one->live_bytes;
	to->live_blocks += one->live_blocks;
	to->freed_blocks += one->freed_blocks;
	to->freed_bytes += one->freed_bytes;
	to->short_blocks += one->short_blocks;
	to->short_bytes += one->short_bytes;
	to->allocated_variance += one->allocated_variance;
	to->live_variance += one->live_variance;
	for (unsigned i = 0; i < HEAP_WINDOWS; i++) {
		heap_gain_add(&to->gains.bytes[i], (uint64_t)one->gains.bytes[i]);
		heap_gain_add(&to->gains.blocks[i], (uint64_t)one->gains.blocks[i]);
	}
}

/* Merges stacks with the same text; returns false if a table is full. */
static bool merge_stacks(const struct heap_live *live, struct profile_sums *sums, struct map *rows)
{
	bool has_room = true;

	map_for_each (&live->stacks, const uint32_t *, key, void *, value) {
		struct stack_text row = stack_text_of(sums, *key);
		struct merged *merged = row.text == NAMES_NONE ? NULL : map_put(rows, &row, NULL);

		if (!merged) {
			has_room = false;
			continue;
		}
		add_sum(live, &merged->sum, value);
		merged->stack = *key;
	}
	return has_room;
}

static uint8_t state_of_growth(const struct heap_growth *growth)
{
	if (!growth->is_measured)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	return growth->grows ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

void heap_put_error(struct buffer *out, double variance, double seconds)
{
	uint64_t error = seconds > 0 ? estimate_error(variance / seconds / seconds) : 0;

	if (error)
		buffer_format(out, " (+-%s: 99 %%)", SENTENCE_SIZE(error));
}

static int emit_stack(struct output *output, const struct heap_stack *r,
	const struct profile_sums *sums, struct sooth_error *err)
{
	const struct heap_stack_sum *sum = &r->sum;
	struct heap_stack_row row = { .live_bytes = sum->live_bytes,
		.live_blocks = sum->live_blocks,
		.growth_bytes_per_s = r->growth.grows ? (uint64_t)r->growth.bytes_per_s : 0,
		.growth_state = state_of_growth(&r->growth),
		.allocated_bytes = sum->allocated_bytes,
		.calls = sum->calls,
		.freed_blocks = sum->freed_blocks,
		.short_blocks = sum->short_blocks,
		.short_bytes = sum->short_bytes,
		.at_peak_bytes = sum->at_peak.bytes,
		.at_peak_blocks = sum->at_peak.blocks,
		.live_error_bytes = estimate_error(sum->live_variance),
		.allocated_error_bytes = estimate_error(sum->allocated_variance),
		/* Even large blocks have some variance if they were sampled. */
		.error_state = state_if(sum->allocated_variance > 0) };
	struct span line = stack_text_line(sums, r->stack);
	struct buffer functions = { 0 };
	int status;

	row.line_state = state_if(line.size);
	stack_text_functions(sums, r->stack, &functions);
	struct record_tail tail[] = {
		tail_span(&row.stack, names_get(&sums->names, r->key.text)),
		tail_string(&row.end, profile_end_text((enum profile_end)r->key.end)),
		tail_buffer(&row.functions, &functions),
		tail_span(&row.lines, names_get(&sums->names, r->key.lines)),
		tail_span(&row.line, line),
	};

	status = buffer_failed(&functions) ? error_no_memory(err)
					   : OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&functions);
	return status;
}

int heap_sentence_emit(struct heap_scope *scope, const struct section *section,
	struct sooth_record *row, size_t fixed, struct record_tail tail, struct buffer *sentence,
	struct sooth_error *err)
{
	int status = heap_section(scope, section, err);

	if (!status && buffer_failed(sentence))
		status = error_no_memory(err);
	if (!status)
		status = output_row(scope->output, row, fixed, &tail, 1, err);
	buffer_fini(sentence);
	return status;
}

int heap_answer_emit(const struct heap_answer_type *type, struct heap_scope *scope,
	const struct heap_live *live, struct heap_stacks_merged *stacks,
	const struct profile_sums *sums, struct sooth_error *err)
{
	size_t count = 0;
	int status = 0;

	qsort(stacks->all, stacks->count, sizeof(*stacks->all), type->compare);
	while (count < stacks->count && (!type->only_growing || stacks->all[count].growth.grows))
		count++;
	if (type->emit_sentence)
		status = type->emit_sentence(scope, live, stacks, sums, err);
	if (!status && (count || !type->omits_empty))
		status = heap_section(scope, type->section, err);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_stack(scope->output, &stacks->all[i], sums, err);
	return status;
}

/* Lists the merged stacks; returns false if out of memory. */
static bool list_stacks(
	struct heap_stacks_merged *out, const struct heap_live *live, const struct map *merged)
{
	out->all = calloc(merged->count + 1, sizeof(*out->all));
	map_for_each (map_while(out->all, merged), const struct stack_text *, key,
		const struct merged *, m) {
		out->all[out->count++] = (struct heap_stack){ *key, m->sum,
			heap_growth_of(&live->clock, &m->sum.gains), m->stack, 0 };
	}
	return out->all != NULL;
}

int heap_stacks_merge(struct heap_stacks_merged *out, const struct heap_live *live,
	struct profile_sums *sums, struct output *output, struct sooth_error *err)
{
	struct map rows;
	bool has_memory;

	*out = (struct heap_stacks_merged){ 0 };
	map_init(&rows, sizeof(struct stack_text), sizeof(struct merged), ROWS_MAX);
	if (!merge_stacks(live, sums, &rows))
		output_limit(output, "some stacks of allocations",
			"a table in sooth is full: further stacks are not counted", "");
	has_memory = list_stacks(out, live, &rows);
	map_fini(&rows);
	return has_memory ? 0 : error_no_memory(err);
}
