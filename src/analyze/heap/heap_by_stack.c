/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of allocations as a table. */
#include "analyze/heap/heap_by_stack.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyze/profile/stack_text.h"
#include "analyze/records.h"
#include "base/cleanup.h"
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

static int emit_row(struct output *output, const struct stack_row *r,
	const struct profile_sums *sums, struct sooth_error *err)
{
	const struct heap_stack_sum *sum = &r->merged.sum;
	struct heap_stack_row row = { .live_bytes = sum->live_bytes,
		.live_blocks = sum->live_blocks,
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

static int emit_rows(struct heap_scope *scope, const struct map *merged,
	const struct profile_sums *sums, struct sooth_error *err)
{
	_cleanup_free_ struct stack_row *rows = calloc(merged->count + 1, sizeof(*rows));
	size_t count = 0, position = 0;
	const void *key;
	void *value;
	int status;

	if (!rows)
		return error_no_memory(err);
	while (map_next(merged, &position, &key, &value))
		rows[count++] = (struct stack_row){ *(const struct stack_text *)key,
			*(const struct merged *)value };
	qsort(rows, count, sizeof(*rows), by_live);
	status = heap_section(scope, &by_stack_section, err);
	for (size_t i = 0; i < count && !status; i++)
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
	struct profile_sums *sums, bool is_requested, struct sooth_error *err)
{
	struct map rows;
	int status;

	note_unstacked(scope, live);
	if (!live->stacks.count) {
		if (is_requested && !live->unstacked)
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
	status = emit_rows(scope, &rows, sums, err);
	map_fini(&rows);
	return status;
}
