/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of allocations as a table. */
#include "analyze/heap/heap_by_stack.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyze/profile/stack_text.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "model/row_list.h"
#include "model/schema.h"

#define ROWS_MAX    (1u << 20)
#define PEOPLE_ROWS 20 /* -j prints all */

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
	STACK_TEXT_ROW(F, S)

struct heap_stack_row {
	struct sooth_record record;
	ROW_MEMBERS(HEAP_STACK_ROW, heap_stack_row)
};

ROW_FIELDS(heap_stack_fields, HEAP_STACK_ROW, heap_stack_row);

const struct sooth_schema heap_stack_row_schema = {
	.name = "heap_stacks",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct heap_stack_row),
	SCHEMA_FIELDS(heap_stack_fields),
};

static const struct section by_stack_section = {
	.name = "heap_stacks",
	.title = "code that allocates, by memory not freed",
	.schema = &heap_stack_row_schema,
	.shape = SECTION_TABLE,
	.columns = "live_bytes,live_blocks,allocated_bytes,calls,stack",
	.rows_most = PEOPLE_ROWS,
};

void heap_by_stack_init(struct profile_sums *sums)
{
	profile_sums_init(sums);
	sums->stack_kind = HEAP_STACK;
	sums->frame_kind = HEAP_FRAME;
}

struct merged {
	struct heap_stack_sum sum;
	struct heap_growth growth;
	uint32_t stack; /* one of them: all have the same functions */
	uint32_t unused;
};

struct stack_row {
	struct stack_text key;
	struct merged merged;
};

static int by_live(const void *left, const void *right)
{
	const struct stack_row *a = left, *b = right;
	const struct heap_stack_sum *x = &a->merged.sum, *y = &b->merged.sum;

	if (x->live_bytes != y->live_bytes)
		return x->live_bytes > y->live_bytes ? -1 : 1;
	if (x->allocated_bytes != y->allocated_bytes)
		return x->allocated_bytes > y->allocated_bytes ? -1 : 1;
	return stack_text_compare(&a->key, &b->key);
}

static void add_sum(struct heap_stack_sum *to, const struct heap_stack_sum *one)
{
	to->calls += one->calls;
	to->allocated_bytes += one->allocated_bytes;
	to->live_bytes += one->live_bytes;
	to->live_blocks += one->live_blocks;
	for (unsigned i = 0; i < HEAP_WINDOWS; i++) {
		to->gains.bytes[i] += one->gains.bytes[i];
		to->gains.blocks[i] += one->gains.blocks[i];
	}
}

/* False: a table is full. */
static bool merge_stacks(const struct heap_live *live, struct profile_sums *sums, struct map *rows)
{
	size_t position = 0;
	bool has_room = true;
	const void *key;
	void *value;

	while (map_next(&live->stacks, &position, &key, &value)) {
		struct stack_text row = stack_text_of(sums, *(const uint32_t *)key);
		struct merged *merged = row.text == NAMES_NONE ? NULL : map_put(rows, &row, NULL);

		if (!merged) {
			has_room = false;
			continue;
		}
		add_sum(&merged->sum, value);
		merged->stack = *(const uint32_t *)key;
	}
	return has_room;
}

static uint8_t state_of_growth(const struct heap_growth *growth)
{
	if (!growth->is_measured)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	return growth->grows ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

static int emit_row(struct output *output, const struct stack_row *r,
	const struct profile_sums *sums, struct sooth_error *err)
{
	const struct heap_stack_sum *sum = &r->merged.sum;
	struct heap_stack_row row = { .live_bytes = sum->live_bytes,
		.live_blocks = sum->live_blocks,
		.growth_bytes_per_s = r->merged.growth.grows ? (uint64_t)r->merged.growth.bytes_per_s : 0,
		.growth_state = state_of_growth(&r->merged.growth),
		.allocated_bytes = sum->allocated_bytes,
		.calls = sum->calls };
	struct buffer functions = { 0 };
	int status;

	stack_text_functions(sums, r->merged.stack, &functions);
	struct record_tail tail[] = {
		tail_span(&row.stack, names_get(&sums->names, r->key.text)),
		tail_string(&row.end, profile_end_text((enum profile_end)r->key.end)),
		tail_buffer(&row.functions, &functions),
	};

	status = buffer_failed(&functions) ? error_no_memory(err)
					   : OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&functions);
	return status;
}

/* All rows, sorted; NULL: no memory. */
static struct stack_row *sort_rows(const struct heap_live *live, const struct map *merged,
	int (*order)(const void *, const void *))
{
	struct stack_row *rows = calloc(merged->count + 1, sizeof(*rows));
	size_t count = 0, position = 0;
	const void *key;
	void *value;

	while (rows && map_next(merged, &position, &key, &value)) {
		struct stack_row *row = &rows[count++];

		*row = (struct stack_row){ *(const struct stack_text *)key,
			*(const struct merged *)value };
		row->merged.growth = heap_growth_of(&live->clock, &row->merged.sum.gains);
	}
	if (rows)
		qsort(rows, count, sizeof(*rows), order);
	return rows;
}

static int emit_rows(struct heap_scope *scope, const struct heap_live *live,
	const struct map *merged, const struct profile_sums *sums, struct sooth_error *err)
{
	_cleanup_free_ struct stack_row *rows = sort_rows(live, merged, by_live);
	int status;

	if (!rows)
		return error_no_memory(err);
	status = heap_section(scope, &by_stack_section, err);
	for (size_t i = 0; i < merged->count && !status; i++)
		status = emit_row(scope->output, &rows[i], sums, err);
	return status;
}

/* --- what grows --- */

#define HEAP_GROWTH_ROW(F, S)                                                                      \
	F(S, NAMED, U64, stacks, stack_count, ALWAYS, "number of stacks with allocations")         \
	F(S, NAMED, U64, growing, growing_stacks, MAYBE(measured_state),                           \
		"number of stacks that kept more memory all the time")                             \
	F(S, NAMED, U64, per_s, growing_bytes_per_s, WITH(measured_state),                         \
		"bytes that these keep more each second", .unit = SOOTH_UNIT_BYTES)                \
	F(S, NAMED, U64, older, older_blocks_freed, ALWAYS,                                        \
		"blocks of before the observation that were freed meanwhile")                      \
	F(S, U64, judged_ns, ALWAYS, "time between the first call and the end",                    \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, TEXT, text, ALWAYS, "the answer as a sentence", .is_hidden = true)

struct heap_growth_row {
	struct sooth_record record;
	ROW_MEMBERS(HEAP_GROWTH_ROW, heap_growth_row)
};

ROW_FIELDS(heap_growth_fields, HEAP_GROWTH_ROW, heap_growth_row);
static ROW_SCHEMA(heap_growth, "heap_growth", heap_growth_row, .line = "{text}");

static const struct section growth_section = {
	.name = "heap_growth",
	.schema = &heap_growth_schema,
	.shape = SECTION_OBJECT,
};

static const struct section growing_section = {
	.name = "heap_stacks",
	.title = "code that keeps more and more",
	.schema = &heap_stack_row_schema,
	.shape = SECTION_TABLE,
	.rows_most = PEOPLE_ROWS,
};

static int by_growth(const void *left, const void *right)
{
	const struct stack_row *a = left, *b = right;
	double x = a->merged.growth.grows ? a->merged.growth.bytes_per_s : -1;
	double y = b->merged.growth.grows ? b->merged.growth.bytes_per_s : -1;

	return x != y ? (x > y ? -1 : 1) : by_live(left, right);
}

#define STACK_TEXT_MAX 300 /* of one, in the sentence */

static void put_growing(struct buffer *out, const struct heap_growth_row *row,
	const struct stack_row *rows, const struct profile_sums *sums, int64_t blocks)
{
	struct span stack = names_get(&sums->names, rows[0].key.text);
	char rate[UNITS_SIZE];

	buffer_format(out, "keeps %s more each second, all the time: %.0f %% of it in ",
		sentence_size(rate, row->per_s),
		row->per_s ? 100 * rows[0].merged.growth.bytes_per_s / (double)row->per_s : 100);
	buffer_append(out, stack.data, stack.size < STACK_TEXT_MAX ? stack.size : STACK_TEXT_MAX);
	buffer_string(out, stack.size > STACK_TEXT_MAX ? " ..." : "");
	if ((double)row->older * 2 >= (double)blocks)
		buffer_format(out,
			"; but %llu blocks of before were freed meanwhile: these may replace them, "
			"observe longer (-d 60)",
			(unsigned long long)row->older);
}

static void put_answer(struct buffer *out, const struct heap_growth_row *row,
	const struct stack_row *rows, const struct profile_sums *sums, int64_t blocks)
{
	char time[UNITS_SIZE];

	sentence_duration(time, row->judged_ns);
	if (row->measured_state)
		buffer_format(out,
			"not judged: the calls cover %s, and growth shows from 2 s on; observe "
			"longer (-d 30)",
			time);
	else if (!row->growing)
		buffer_format(out,
			"no code keeps more and more memory: none of %llu stacks gained all the "
			"time, in %s",
			(unsigned long long)row->stacks, time);
	else
		put_growing(out, row, rows, sums, blocks);
}

static int emit_answer(struct heap_scope *scope, const struct heap_live *live, size_t count,
	const struct stack_row *rows, const struct profile_sums *sums, struct sooth_error *err)
{
	struct heap_growth_row row = { .stacks = count,
		.judged_ns = live->clock.end_ns - live->clock.begin_ns };
	struct buffer text = { 0 };
	struct record_tail tail[1];
	int64_t blocks = 0;
	int status;

	if (count && !rows[0].merged.growth.is_measured)
		row.measured_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	for (size_t i = 0; i < count && rows[i].merged.growth.grows; i++) {
		row.growing++;
		row.per_s += (uint64_t)rows[i].merged.growth.bytes_per_s;
		blocks += rows[i].merged.growth.blocks;
	}
	for (unsigned i = 0; i < HEAP_WINDOWS; i++)
		row.older += (uint64_t)live->older.blocks[i];
	put_answer(&text, &row, rows, sums, blocks);
	tail[0] = tail_buffer(&row.text, &text);
	status = heap_section(scope, &growth_section, err);
	status = status			? status
		 : buffer_failed(&text) ? error_no_memory(err)
					: OUTPUT_ROW(scope->output, &row, tail, 1, err);
	buffer_fini(&text);
	return status;
}

static int emit_growing(struct heap_scope *scope, const struct heap_live *live,
	const struct map *merged, const struct profile_sums *sums, struct sooth_error *err)
{
	_cleanup_free_ struct stack_row *rows = sort_rows(live, merged, by_growth);
	int status = rows ? emit_answer(scope, live, merged->count, rows, sums, err)
			  : error_no_memory(err);

	if (!status && merged->count && rows[0].merged.growth.grows)
		status = heap_section(scope, &growing_section, err);
	for (size_t i = 0; i < merged->count && !status && rows[i].merged.growth.grows; i++)
		status = emit_row(scope->output, &rows[i], sums, err);
	return status;
}

static void note_unstacked(const struct heap_scope *scope, const struct heap_live *live)
{
	char text[96];

	if (!live->unstacked)
		return;
	snprintf(text, sizeof(text), "%llu call%s without a stack: it was lost",
		(unsigned long long)live->unstacked, live->unstacked == 1 ? "" : "s");
	output_limit(scope->output, "the code of some allocations", text,
		"a larger buffer loses less: --buffer 128M");
}

int heap_by_stack_emit(struct heap_scope *scope, const struct heap_live *live,
	struct profile_sums *sums, const struct heap_table_options *options,
	struct sooth_error *err)
{
	struct map rows;
	int status;

	note_unstacked(scope, live);
	if (!live->stacks.count) {
		if ((options->stacks || options->leaks) && !live->unstacked)
			output_limit(scope->output, "which code allocates",
				"no call with a stack was recorded",
				"sooth heap --stack PID records them; --save FILE.sooth keeps "
				"them");
		return 0;
	}
	map_init(&rows, sizeof(struct stack_text), sizeof(struct merged), ROWS_MAX);
	if (!merge_stacks(live, sums, &rows))
		output_limit(scope->output, "some stacks of allocations",
			"a table in sooth is full: further stacks are not counted", "");
	status = options->leaks ? emit_growing(scope, live, &rows, sums, err)
				: emit_rows(scope, live, &rows, sums, err);
	map_fini(&rows);
	return status;
}
