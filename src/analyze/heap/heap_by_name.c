/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations by function, or by library: of itself, and with what it calls. */
#include <stdlib.h>

#include "analyze/heap/heap_stacks.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "model/row_list.h"
#include "model/schema.h"

#define NAMES_ROWS_MAX (1u << 20)

#define NAME_ROW(F, S, name_help_)                                                                 \
	F(S, U64, own_live_bytes, ALWAYS,                                                          \
		"bytes not freed of allocator calls made by it itself", .label = "LIVE",           \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_bytes, ALWAYS, "bytes not freed of calls by it and by all that it calls",   \
		.label = "TOTAL", .unit = SOOTH_UNIT_BYTES)                                        \
	F(S, U64, live_blocks, ALWAYS, "blocks not freed of calls by it and by all that it calls", \
		.label = "BLOCKS")                                                                 \
	F(S, U64, allocated_bytes, ALWAYS, "bytes allocated by it and by all that it calls",       \
		.label = "ALLOCATED", .unit = SOOTH_UNIT_BYTES)                                    \
	F(S, U64, calls, ALWAYS,                                                                   \
		"successful allocator calls by it and by all that it calls", .label = "CALLS")     \
	F(S, TEXT, name, ALWAYS, name_help_, .is_key = true, .may_shrink = true)

#define FUNCTION_ROW(F, S)                                                                         \
	NAME_ROW(F, S, "the function")                                                             \
	F(S, TEXT, file, ALWAYS, "the file of its code", .is_key = true, .label = "LIBRARY")
#define LIBRARY_ROW(F, S) NAME_ROW(F, S, "the program or library")

struct function_row {
	struct sooth_record record;
	ROW_MEMBERS(FUNCTION_ROW, function_row)
};

ROW_FIELDS(function_fields, FUNCTION_ROW, function_row);
ROW_FIELDS(library_fields, LIBRARY_ROW, function_row);

const struct sooth_schema heap_function_row_schema = {
	.name = "heap_functions",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct function_row),
	SCHEMA_FIELDS(function_fields),
};

const struct sooth_schema heap_library_row_schema = {
	.name = "heap_libraries",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct function_row),
	SCHEMA_FIELDS(library_fields),
};

static const struct section functions_section = {
	.name = "heap_functions",
	.title = "functions that allocate, by memory not freed",
	.schema = &heap_function_row_schema,
	.shape = SECTION_TABLE,
	.rows_most = HEAP_STACKS_SHOWN,
};

static const struct section libraries_section = {
	.name = "heap_libraries",
	.title = "programs and libraries that allocate, by memory not freed",
	.schema = &heap_library_row_schema,
	.shape = SECTION_TABLE,
	.rows_most = HEAP_STACKS_SHOWN,
};

/* Numbers of names in profile_sums. */
struct place {
	uint32_t name, file;
};

struct place_sum {
	struct place place;
	uint32_t seen; /* the last stack that has it: a function that calls itself counts once */
	uint32_t unused;
	uint64_t own_live_bytes, live_bytes, live_blocks, allocated_bytes, calls;
};

struct by_name {
	struct profile_sums *sums;
	struct map places; /* struct place -> struct place_sum */
	bool is_of_libraries;
	uint32_t stack; /* from 1, of those seen */
};

static struct place_sum *put_place(struct by_name *b, const struct profile_function *frame)
{
	struct place place = { b->is_of_libraries ? frame->file : frame->name, frame->file };
	struct place_sum *sum = map_put(&b->places, &place, NULL);

	if (sum)
		sum->place = place;
	return sum;
}

static void add_frame(
	struct by_name *b, const struct profile_function *frame, const struct heap_stack_sum *one)
{
	struct place_sum *sum = put_place(b, frame);

	if (!sum || sum->seen == b->stack)
		return;
	sum->seen = b->stack;
	sum->live_bytes += one->live_bytes;
	sum->live_blocks += one->live_blocks;
	sum->allocated_bytes += one->allocated_bytes;
	sum->calls += one->calls;
}

/* The innermost frame is the allocator's own function. */
static void add_stack(struct by_name *b, uint32_t stack, const struct heap_stack_sum *one)
{
	struct profile_stacked stacked = { 0 };
	struct place_sum *own;

	if (!profile_sums_stack(b->sums, stack, &stacked) || !stacked.depth)
		return;
	b->stack++;
	for (size_t i = stacked.depth > 1; i < stacked.depth; i++)
		add_frame(b, stacked.frames[i], one);
	own = put_place(b, stacked.frames[stacked.depth > 1]);
	if (own)
		own->own_live_bytes += one->live_bytes;
}

static int by_own(const void *left, const void *right)
{
	const struct place_sum *a = left, *b = right;

	if (a->own_live_bytes != b->own_live_bytes)
		return a->own_live_bytes > b->own_live_bytes ? -1 : 1;
	if (a->live_bytes != b->live_bytes)
		return a->live_bytes > b->live_bytes ? -1 : 1;
	if (a->allocated_bytes != b->allocated_bytes)
		return a->allocated_bytes > b->allocated_bytes ? -1 : 1;
	if (a->place.name != b->place.name)
		return a->place.name < b->place.name ? -1 : 1;
	return a->place.file < b->place.file ? -1 : a->place.file > b->place.file;
}

static int emit_row(struct output *output, const struct by_name *b, const struct place_sum *sum,
	struct sooth_error *err)
{
	struct function_row row = { .own_live_bytes = sum->own_live_bytes,
		.live_bytes = sum->live_bytes,
		.live_blocks = sum->live_blocks,
		.allocated_bytes = sum->allocated_bytes,
		.calls = sum->calls };
	struct record_tail tail[] = {
		tail_span(&row.name, names_get(&b->sums->names, sum->place.name)),
		tail_span(&row.file, names_get(&b->sums->names, sum->place.file)),
	};

	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_rows(struct heap_scope *scope, const struct by_name *b, struct sooth_error *err)
{
	_cleanup_free_ struct place_sum *all = calloc(b->places.count + 1, sizeof(*all));
	size_t count = 0, position = 0;
	void *value;
	int status;

	if (!all)
		return error_no_memory(err);
	while (map_next(&b->places, &position, NULL, &value))
		all[count++] = *(const struct place_sum *)value;
	qsort(all, count, sizeof(*all), by_own);
	status = heap_section(
		scope, b->is_of_libraries ? &libraries_section : &functions_section, err);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_row(scope->output, b, &all[i], err);
	return status;
}

int heap_by_name_emit(struct heap_scope *scope, const struct heap_live *live,
	struct profile_sums *sums, bool is_of_libraries, struct sooth_error *err)
{
	struct by_name b = { .sums = sums, .is_of_libraries = is_of_libraries };
	size_t position = 0;
	const void *key;
	void *value;
	int status;

	map_init(&b.places, sizeof(struct place), sizeof(struct place_sum), NAMES_ROWS_MAX);
	while (map_next(&live->stacks, &position, &key, &value))
		add_stack(&b, *(const uint32_t *)key, value);
	if (b.places.refused)
		output_limit(scope->output, "some functions that allocate",
			"a table in sooth is full: further ones are not counted", "");
	status = emit_rows(scope, &b, err);
	map_fini(&b.places);
	return status;
}
