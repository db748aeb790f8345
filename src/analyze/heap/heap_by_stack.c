/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_by_stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/heap/heap_stacks.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/map_sorted.h"
#include "base/order.h"
#include "model/row_list.h"
#include "model/schema.h"

#define NAMES_ROWS_MAX (1u << 20)

#define NAME_ROW(F, S, name_help_)                                                                 \
	F(S, U64, own_live_bytes, ALWAYS, "bytes not freed, allocated by the function itself",     \
		.label = "LIVE", .unit = SOOTH_UNIT_BYTES)                                         \
	F(S, U64, live_bytes, ALWAYS,                                                              \
		"bytes not freed, allocated by the function and by all functions that it calls",   \
		.label = "TOTAL", .unit = SOOTH_UNIT_BYTES)                                        \
	F(S, U64, live_blocks, ALWAYS,                                                             \
		"blocks not freed, allocated by the function and by all functions that it calls",  \
		.label = "BLOCKS")                                                                 \
	F(S, U64, allocated_bytes, ALWAYS,                                                         \
		"bytes allocated by the function and by all functions that it calls",              \
		.label = "ALLOCATED", .unit = SOOTH_UNIT_BYTES)                                    \
	F(S, U64, calls, ALWAYS,                                                                   \
		"successful allocator calls by the function and by all functions that it calls",   \
		.label = "CALLS")                                                                  \
	F(S, TEXT, name, ALWAYS, name_help_, .is_key = true, .may_shrink = true)

#define FUNCTION_ROW(F, S)                                                                         \
	NAME_ROW(F, S, "the function")                                                             \
	F(S, TEXT, file, ALWAYS, "the file of its code", .is_key = true, .label = "LIBRARY")
#define LIBRARY_ROW(F, S) NAME_ROW(F, S, "the program or library")

ROW_STRUCT(function_row, FUNCTION_ROW);
ROW_SCHEMA(heap_function_row, FUNCTION_ROW, "heap_functions", function_row);
ROW_SCHEMA(heap_library_row, LIBRARY_ROW, "heap_libraries", function_row);

static const struct section functions_section = SECTION_OF("heap_functions",
	heap_function_row_schema, TABLE, .title = "functions that allocate, by memory not freed",
	.rows_most = HEAP_STACKS_SHOWN);

static const struct section libraries_section =
	SECTION_OF("heap_libraries", heap_library_row_schema, TABLE,
		.title = "programs and libraries that allocate, by memory not freed",
		.rows_most = HEAP_STACKS_SHOWN);

/* A function or library, by numbers of names in profile_sums. */
struct place {
	uint32_t name, file;
};

struct place_sum {
	struct place place;
	uint32_t seen; /* last counted stack with this place: recursion counts once */
	uint32_t unused;
	uint64_t own_live_bytes, live_bytes, live_blocks, allocated_bytes, calls;
};

struct by_name {
	struct profile_sums *sums;
	struct map places; /* struct place -> struct place_sum */
	bool is_of_libraries;
	uint32_t stack; /* number of the current stack, from 1 */
};

static struct place_sum *sum_of_place(struct by_name *b, const struct profile_function *frame)
{
	struct place place = { b->is_of_libraries ? frame->object : frame->name, frame->object };
	struct place_sum *sum = map_put(&b->places, &place, NULL);

	if (sum)
		sum->place = place;
	return sum;
}

static void add_frame(
	struct by_name *b, const struct profile_function *frame, const struct heap_stack_sum *one)
{
	struct place_sum *sum = sum_of_place(b, frame);

	if (!sum || sum->seen == b->stack)
		return;
	sum->seen = b->stack;
	sum->live_bytes += one->live_bytes;
	sum->live_blocks += one->live_blocks;
	sum->allocated_bytes += one->allocated_bytes;
	sum->calls += one->calls;
}

/* Adds a stack without its innermost frame, which is the allocator's function. */
static void add_stack(struct by_name *b, uint32_t stack, const struct heap_stack_sum *one)
{
	struct profile_stacked stacked = { 0 };
	struct place_sum *own;

	if (!profile_sums_stack(b->sums, stack, &stacked) || !stacked.depth)
		return;
	b->stack++;
	for (size_t i = stacked.depth > 1; i < stacked.depth; i++)
		add_frame(b, stacked.frames[i], one);
	own = sum_of_place(b, stacked.frames[stacked.depth > 1]);
	if (own)
		own->own_live_bytes += one->live_bytes;
}

static int compare_by_own(const void *left, const void *right)
{
	const struct place_sum *a = left, *b = right;
	int order = larger_first(a->own_live_bytes, b->own_live_bytes);

	order = order ?: larger_first(a->live_bytes, b->live_bytes);
	order = order ?: larger_first(a->allocated_bytes, b->allocated_bytes);
	order = order ?: smaller_first(a->place.name, b->place.name);
	return order ?: smaller_first(a->place.file, b->place.file);
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
	_cleanup_free_ struct place_sum *all = map_sorted(&b->places, compare_by_own);
	int status;

	if (!all)
		return error_no_memory(err);
	status = heap_section(
		scope, b->is_of_libraries ? &libraries_section : &functions_section, err);
	for (size_t i = 0; i < b->places.count && !status; i++)
		status = emit_row(scope->output, b, &all[i], err);
	return status;
}

static int heap_by_name_emit(struct heap_scope *scope, const struct heap_live *live,
	struct profile_sums *sums, bool is_of_libraries, struct sooth_error *err)
{
	struct by_name b = { .sums = sums, .is_of_libraries = is_of_libraries };
	int status;

	map_init(&b.places, sizeof(struct place), sizeof(struct place_sum), NAMES_ROWS_MAX);
	map_for_each (&live->stacks, const uint32_t *, key, void *, value)
		add_stack(&b, *key, value);
	if (b.places.refused)
		output_limit(scope->output, "some functions that allocate",
			"a table in sooth is full: further ones are not counted", "");
	status = emit_rows(scope, &b, err);
	map_fini(&b.places);
	return status;
}

#define GROUP_ROW(F, S)                                                                            \
	F(S, U64, live_bytes, ALWAYS, "bytes that were not freed", .label = "LIVE",                \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_blocks, ALWAYS, "blocks that were not freed", .label = "BLOCKS")            \
	F(S, U64, allocated_bytes, ALWAYS, "bytes that were allocated", .label = "ALLOCATED",      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, calls, ALWAYS, "successful allocator calls", .label = "CALLS")

#define THREAD_ROW(F, S)                                                                           \
	F(S, PID)                                                                                  \
	F(S, TID)                                                                                  \
	F(S, CHARS16, name, MAYBE(name_state), "name of the process at its last fork or exec")     \
	GROUP_ROW(F, S)

#define SIZE_ROW(F, S)                                                                             \
	F(S, U64, size_bytes, ALWAYS, "requested size of the blocks", .label = "SIZE",             \
		.unit = SOOTH_UNIT_BYTES, .is_key = true)                                          \
	GROUP_ROW(F, S)

ROW_STRUCT(thread_row, THREAD_ROW);
ROW_STRUCT(size_row, SIZE_ROW);
ROW_SCHEMA(heap_thread_row, THREAD_ROW, "heap_threads", thread_row);
ROW_SCHEMA(heap_exact_size_row, SIZE_ROW, "heap_exact_sizes", size_row);

static const struct section threads_section = SECTION_OF("heap_threads", heap_thread_row_schema,
	TABLE, .title = "threads that allocate, by memory not freed",
	.columns = "pid,tid,name,live_bytes,live_blocks,allocated_bytes,calls",
	.rows_most = HEAP_STACKS_SHOWN);

static const struct section sizes_section =
	SECTION_OF("heap_exact_sizes", heap_exact_size_row_schema, TABLE,
		.title = "sizes of blocks, by memory not freed", .rows_most = HEAP_STACKS_SHOWN);

struct entry {
	const struct heap_group_key *key;
	const struct heap_group *group;
};

/* Orders by live bytes, then allocated bytes, then by number, so that the order is stable. */
static int compare_by_live(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = larger_first(a->group->live_bytes, b->group->live_bytes);

	order = order ?: larger_first(a->group->allocated_bytes, b->group->allocated_bytes);
	order = order ?: smaller_first(a->key->process.pid, b->key->process.pid);
	return order ?: smaller_first(a->key->value, b->key->value);
}

static int emit_thread(struct output *output, const struct heap_live *live, const struct entry *e,
	struct sooth_error *err)
{
	const struct heap_process *p = map_get(&live->processes, &e->key->process);
	struct thread_row row = { .record = row_head(&e->key->process),
		.live_bytes = e->group->live_bytes,
		.live_blocks = e->group->live_blocks,
		.allocated_bytes = e->group->allocated_bytes,
		.calls = e->group->calls,
		.name_state = state_if(p && p->name[0]) };

	row.record.tid = (uint32_t)e->key->value;
	if (p)
		memcpy(row.name, p->name, sizeof(row.name));
	return OUTPUT_ROW(output, &row, NULL, 0, err);
}

static int emit_size(struct output *output, const struct entry *e, struct sooth_error *err)
{
	struct size_row row = { .size_bytes = e->key->value,
		.live_bytes = e->group->live_bytes,
		.live_blocks = e->group->live_blocks,
		.allocated_bytes = e->group->allocated_bytes,
		.calls = e->group->calls };

	return OUTPUT_ROW(output, &row, NULL, 0, err);
}

/* Emits the sums by thread, or by exact size. */
static int heap_by_group_emit(
	struct heap_scope *scope, const struct heap_live *live, struct sooth_error *err)
{
	const struct heap_groups *g = &live->groups;
	_cleanup_free_ struct entry *all = calloc(g->all.count + 1, sizeof(*all));
	size_t count = 0;
	int status;

	if (!all)
		return error_no_memory(err);
	map_for_each (&g->all, const void *, key, void *, value)
		all[count++] = (struct entry){ key, value };
	qsort(all, count, sizeof(*all), compare_by_live);
	if (live->has_held)
		output_limit(scope->output,
			g->by == HEAP_GROUPS_BY_THREAD ? "threads that allocate"
						       : "exact sizes of blocks",
			"the kernel aggregated the calls: single calls were not recorded",
			"record every call: --exact");
	else if (g->all.refused)
		output_limit(scope->output, "some threads or sizes",
			"a table in sooth is full: further ones are not counted", "");
	status = heap_section(
		scope, g->by == HEAP_GROUPS_BY_THREAD ? &threads_section : &sizes_section, err);
	for (size_t i = 0; i < count && !status; i++)
		status = g->by == HEAP_GROUPS_BY_THREAD
				 ? emit_thread(scope->output, live, &all[i], err)
				 : emit_size(scope->output, &all[i], err);
	return status;
}

static const struct section by_stack_section = SECTION_OF("heap_stacks", heap_stack_row_schema,
	TABLE, .title = "code that allocates, by memory not freed",
	.columns = "live_bytes,live_blocks,allocated_bytes,calls,line,stack",
	.rows_most = HEAP_STACKS_SHOWN);

void heap_by_stack_init(struct profile_sums *sums)
{
	profile_sums_init(sums);
	sums->stack_kind = HEAP_STACK;
	sums->frame_kind = HEAP_FRAME;
	sums->naming = (struct frame_naming){ DEMANGLE_SHORT, true };
}

const char *heap_by_name(size_t index)
{
	static const char *const names[] = { [HEAP_BY_STACK] = "stack",
		[HEAP_BY_FUNCTION] = "function",
		[HEAP_BY_LIBRARY] = "library",
		[HEAP_BY_THREAD] = "thread",
		[HEAP_BY_SIZE] = "size",
		[HEAP_BY_CLASS] = "class" };

	return index < HEAP_BYS ? names[index] : NULL;
}

static void emit_note_about_blocks_without_stack(
	const struct heap_scope *scope, const struct heap_live *live)
{
	char text[96];

	if (!live->unstacked)
		return;
	snprintf(text, sizeof(text), "%llu call%s without a stack: it was lost",
		(unsigned long long)live->unstacked, live->unstacked == 1 ? "" : "s");
	output_limit(scope->output, "the code of some allocations", text, scope->loss_remedy);
}

static int emit_answer(struct heap_scope *scope, const struct heap_live *live,
	struct heap_stacks_merged *stacks, const struct profile_sums *sums, enum heap_answer answer,
	struct sooth_error *err)
{
	static const struct heap_answer_type *const types[HEAP_ANSWERS] = {
		[HEAP_LEAKS] = &heap_answer_leaks,
		[HEAP_KEPT] = &heap_answer_kept,
		[HEAP_CHURN] = &heap_answer_churn,
		[HEAP_PEAK] = &heap_answer_peak,
	};
	struct section section = by_stack_section;
	const struct heap_answer_type table = { .compare = heap_stacks_by_live,
		.section = &section };

	if (live->estimates.sample_bytes)
		section.columns = "live_bytes,live_error_bytes,live_blocks,allocated_bytes,"
				  "allocated_error_bytes,calls,line,stack";
	return heap_answer_emit(types[answer] ?: &table, scope, live, stacks, sums, err);
}

static bool has_allocations(const struct heap_live *live)
{
	map_for_each_value (&live->processes, const struct heap_process *, p) {
		if (p->seen.allocated_bytes || p->counted.allocated_bytes)
			return true;
	}
	return live->unstacked;
}

/* Returns whether memory grows by other means than malloc, so that no call is the answer. */
static bool answers_without_stacks(const struct heap_scope *scope, const struct heap_live *live,
	const struct heap_table_options *options)
{
	return options->answer == HEAP_KEPT ||
	       (options->answer == HEAP_LEAKS && !live->unstacked &&
		       heap_resident_is_elsewhere(&scope->resident, 0));
}

int heap_by_stack_emit(struct heap_scope *scope, const struct heap_live *live,
	struct profile_sums *sums, const struct heap_table_options *options,
	struct sooth_error *err)
{
	struct heap_stacks_merged stacks;
	int status;

	emit_note_about_blocks_without_stack(scope, live);
	if (live->groups.by)
		return heap_by_group_emit(scope, live, err);
	if (!live->stacks.count && !answers_without_stacks(scope, live, options)) {
		if (live->estimates.sample_bytes && !live->unstacked)
			output_limit(scope->output, "which code allocates",
				"no allocation was among the samples",
				"sample more often: --sample-bytes 4K");
		else if ((options->stacks || options->answer) && !has_allocations(live))
			output_limit(scope->output, "which code allocates",
				"no allocation was seen", "observe longer: -d 60");
		else if ((options->stacks || options->answer) && !live->unstacked)
			output_limit(scope->output, "which code allocates",
				"no call with a stack was recorded",
				"sooth heap --stack PID records stacks; with --save FILE.sooth it "
				"stores them");
		return 0;
	}
	if (!options->answer && options->by == HEAP_BY_CLASS)
		return heap_sizes_emit(scope, live, sums, false, err);
	if (!options->answer && options->by)
		return heap_by_name_emit(scope, live, sums, options->by == HEAP_BY_LIBRARY, err);
	if (options->answer == HEAP_SIZES)
		return heap_sizes_emit(scope, live, sums, true, err);
	status = heap_stacks_merge(&stacks, live, sums, scope->output, err);
	if (!status)
		status = emit_answer(scope, live, &stacks, sums, options->answer, err);
	free(stacks.all);
	return status;
}
