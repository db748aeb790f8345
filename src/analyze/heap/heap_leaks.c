/* SPDX-License-Identifier: BSD-2-Clause */
/* Code that keeps more and more memory, as one sentence and a table. */
#include <stdlib.h>

#include "analyze/heap/heap_stacks.h"
#include "analyze/records.h"
#include "base/sentence_units.h"
#include "model/row_list.h"
#include "model/schema.h"

#define SLOW_PER_S	(64 * 1024) /* bytes per second; below, the growth per day is printed too */
#define DAY_S		86400
#define LEFT_MOST_S	(7.0 * DAY_S)
#define HEAP_KEPT_SHOWN 8

#define HEAP_GROWTH_ROW(F, S)                                                                      \
	F(S, NAMED, U64, stacks, stack_count, ALWAYS, "number of stacks with allocations")         \
	F(S, NAMED, U64, growing, growing_stacks, MAYBE(measured_state),                           \
		"number of stacks that kept more memory all the time")                             \
	F(S, NAMED, U64, per_s, growing_bytes_per_s, WITH(measured_state),                         \
		"bytes that these keep more each second", .unit = SOOTH_UNIT_BYTES)                \
	F(S, U64, freed_at_end_stacks, WITH(measured_state),                                       \
		"number of stacks that kept more memory all the time, until nearly all of it was " \
		"freed at the end")                                                                \
	F(S, NAMED, U64, older, older_blocks_freed, ALWAYS,                                        \
		"blocks of before the observation that were freed meanwhile")                      \
	F(S, U64, resident_before_bytes, MAYBE(resident_state),                                    \
		"resident memory of the processes at the first look", .unit = SOOTH_UNIT_BYTES)    \
	F(S, NAMED, U64, resident, resident_bytes, WITH(resident_state),                           \
		"the same at the last look", .unit = SOOTH_UNIT_BYTES)                             \
	F(S, U64, managed_before_bytes, MAYBE(managed_state),                                      \
		"memory used in the old generation of the Java heap at the first look",            \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, managed_bytes, WITH(managed_state), "the same at the last look",                 \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, managed_collections, WITH(managed_state), "collections between these looks")     \
	F(S, U64, judged_ns, ALWAYS, "time between the first call and the end",                    \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, TEXT, text, ALWAYS, "the answer as a sentence", .is_hidden = true)

ROW_TABLE(heap_growth, HEAP_GROWTH_ROW, "heap_growth", heap_growth_row, .line = "{text}");

static const struct section growth_section = SECTION_OF("heap_growth", heap_growth_schema, OBJECT);

static const struct section growing_section = SECTION_OF("heap_stacks", heap_stack_row_schema,
	TABLE, .title = "code that keeps more and more",
	.columns = "live_bytes,live_blocks,growth_bytes_per_s,allocated_bytes,calls,line,stack",
	.rows_most = HEAP_STACKS_SHOWN);

static const struct section kept_section = SECTION_OF("heap_stacks", heap_stack_row_schema, TABLE,
	.title = "what was allocated meanwhile and not freed, by code",
	.columns = "live_bytes,live_blocks,growth_bytes_per_s,allocated_bytes,calls,line,stack",
	.rows_most = HEAP_KEPT_SHOWN);

static int compare_by_growth(const void *left, const void *right)
{
	const struct heap_stack *a = left, *b = right;
	double x = a->growth.grows ? a->growth.bytes_per_s : -1;
	double y = b->growth.grows ? b->growth.bytes_per_s : -1;

	return x != y ? (x > y ? -1 : 1) : heap_stacks_by_live(left, right);
}

static void put_growing(struct buffer *out, const struct heap_growth_row *row,
	const struct heap_stack *rows, const struct profile_sums *sums, int64_t blocks)
{
	char rate[UNITS_SIZE], time[UNITS_SIZE];
	double variance = 0;

	buffer_format(out, "keeps %s more each second", sentence_size(rate, row->per_s));
	for (size_t i = 0; i < row->growing; i++)
		variance += rows[i].sum.live_variance;
	heap_put_error(out, heap_growth_variance(variance), (double)row->judged_ns / NS_PER_S);
	/* Slow growth per second is hard to judge. */
	if (row->per_s < SLOW_PER_S)
		buffer_format(out, " (%s a day)", sentence_size(rate, row->per_s * DAY_S));
	buffer_format(out, ", throughout %s: %.0f %% of the growth in ",
		sentence_duration(time, row->judged_ns),
		row->per_s ? 100 * rows[0].growth.bytes_per_s / (double)row->per_s : 100);
	stack_text_put_callers(out, sums, rows[0].stack);
	/* A block that grows frees a single one of before. */
	if (row->older > 1 && (double)row->older * 2 >= (double)blocks)
		buffer_format(out,
			"; but %llu block%s of before %s freed meanwhile: these may replace %s, "
			"observe longer (-d 60)",
			(unsigned long long)row->older, row->older == 1 ? "" : "s",
			row->older == 1 ? "was" : "were", row->older == 1 ? "it" : "them");
}

/* Writes when the memory is used up at this rate, if that is not far. */
static void put_time_left(struct buffer *out, const struct heap_scope *scope)
{
	const struct heap_resident_growth *g = &scope->resident;
	uint64_t room = heap_elsewhere_room(scope->elsewhere, g->pid);
	double per_s =
		g->interval_ns ? (double)g->grown_bytes * NS_PER_S / (double)g->interval_ns : 0;
	double left_s = per_s > 0 ? (double)room / per_s : LEFT_MOST_S;
	char size[UNITS_SIZE], time[UNITS_SIZE];

	if (room == UINT64_MAX || g->grown_bytes < HEAP_RESIDENT_LEAST || left_s >= LEFT_MOST_S)
		return;
	buffer_format(out, "; at this rate the memory that is left, %s, is used up in %s",
		sentence_size(size, room), sentence_duration(time, (uint64_t)left_s * NS_PER_S));
}

/* Returns the stack that gained most memory, but may not be growing; NULL: none. */
static const struct heap_stack *find_undecided(const struct heap_stack *rows, size_t count)
{
	const struct heap_stack *most = NULL;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].growth.may_grow && (!most || rows[i].growth.bytes > most->growth.bytes))
			most = &rows[i];
	}
	return most;
}

static void put_undecided(struct buffer *out, const struct heap_stack *most, const char *time,
	const struct profile_sums *sums)
{
	char size[UNITS_SIZE];

	buffer_format(out, "not decided: keeps %s more",
		sentence_size(size, (uint64_t)most->growth.bytes));
	heap_put_error(out, most->sum.live_variance, 1);
	buffer_format(out, " than %s before, but gained ", time);
	if (most->growth.rising < HEAP_PARTS_JUDGED)
		buffer_format(out, "in %u of %u parts of the time only", most->growth.rising,
			HEAP_PARTS_JUDGED);
	else
		buffer_string(out, "most of it early");
	buffer_string(out, ": in ");
	stack_text_put_callers(out, sums, most->stack);
	buffer_string(out, "; observe longer (-d 60)");
}

/* Returns the stack that grew most before its memory was freed at the end. */
static const struct heap_stack *find_freed(const struct heap_stack *rows, size_t count)
{
	const struct heap_stack *most = NULL;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].growth.freed_after_ns &&
			(!most ||
				rows[i].growth.until_bytes_per_s > most->growth.until_bytes_per_s))
			most = &rows[i];
	}
	return most;
}

static void put_freed(struct buffer *out, const struct heap_stack *most, uint64_t stacks,
	const struct profile_sums *sums)
{
	char rate[UNITS_SIZE], time[UNITS_SIZE];

	buffer_format(out,
		"kept %s more each second, all the time for %s, and freed it at the end: in ",
		sentence_size(rate, (uint64_t)most->growth.until_bytes_per_s),
		sentence_duration(time, most->growth.freed_after_ns));
	stack_text_put_callers(out, sums, most->stack);
	if (stacks > 1)
		buffer_format(out, "; %llu more %s the same", (unsigned long long)stacks - 1,
			stacks == 2 ? "stack did" : "stacks did");
}

/* Writes what a run kept that was too short to see growth. */
static void put_kept_stacks(struct buffer *out, const struct heap_stack *rows, size_t count,
	const struct profile_sums *sums)
{
	uint64_t bytes = 0, blocks = 0;
	double variance = 0;
	char size[UNITS_SIZE];

	for (size_t i = 0; i < count; i++) {
		bytes += rows[i].sum.live_bytes;
		blocks += rows[i].sum.live_blocks;
		variance += rows[i].sum.live_variance;
	}
	buffer_format(out, "not freed: %s", sentence_size(size, bytes));
	heap_put_error(out, variance, 1);
	buffer_format(out, " in %s%llu block%s", variance > 0 ? "about " : "",
		(unsigned long long)blocks, blocks == 1 ? "" : "s");
	if (bytes) {
		buffer_format(out, ", %.0f %% of it allocated in ",
			100 * (double)rows[0].sum.live_bytes / (double)bytes);
		stack_text_put_callers(out, sums, rows[0].stack);
	}
	buffer_string(out, "; less than 2 s: too short to see whether it grows (-d 30)");
}

static void put_answer(struct buffer *out, const struct heap_scope *scope,
	const struct heap_growth_row *row, const struct heap_stack *rows,
	const struct profile_sums *sums, int64_t blocks)
{
	const struct heap_stack *perhaps = find_undecided(rows, row->stacks);
	const struct heap_stack *freed = find_freed(rows, row->stacks);
	char time[UNITS_SIZE];

	sentence_duration(time, row->judged_ns);
	if (!row->stacks)
		buffer_string(out, scope->without_stacks ?: "no allocation was seen");
	else if (row->measured_state && scope->is_of_kept)
		put_kept_stacks(out, rows, row->stacks, sums);
	else if (row->measured_state)
		buffer_string(out,
			"not judged: the calls cover less than 2 s, too short to see what keeps "
			"growing; observe longer (-d 30)");
	else if (!row->growing && freed)
		put_freed(out, freed, row->freed_at_end_stacks, sums);
	else if (!row->growing && perhaps)
		put_undecided(out, perhaps, time, sums);
	else if (!row->growing)
		buffer_format(out,
			"no code keeps more and more memory: none of %llu stacks gained all the "
			"time, in %s",
			(unsigned long long)row->stacks, time);
	else
		put_growing(out, row, rows, sums, blocks);
}

/* Returns the code that starts threads: each thread has blocks of its own as long as it has a
 * stack. NULL: none keeps such blocks. */
static const struct heap_stack *find_starter(
	const struct heap_stack *rows, size_t count, const struct profile_sums *sums)
{
	const struct heap_stack *most = NULL;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].sum.live_blocks > (most ? most->sum.live_blocks : 1) &&
			profile_sums_starts_thread(sums, rows[i].stack))
			most = &rows[i];
	}
	return most;
}

static void put_place(struct buffer *out, const struct heap_elsewhere_answer *found)
{
	buffer_format(out, "%u %% of it first touched by ", found->percent);
	buffer_append(out, found->function.data, found->function.size);
	if (found->file.size) {
		buffer_string(out, " (");
		buffer_append(out, found->file.data, found->file.size);
		buffer_char(out, ')');
	}
	if (found->is_handed_on)
		buffer_string(out, ", which need not keep it");
}

/* Writes which memory grew, where it is known. */
static void put_kind(struct buffer *out, const struct heap_elsewhere_answer *found, uint64_t live,
	const struct heap_stack *rows, size_t count, const struct profile_sums *sums)
{
	/* Stacks of threads that ended, and were not joined, are anonymous memory. */
	const struct heap_stack *starter =
		found->class_ == MAP_THREAD_STACK || found->class_ == MAP_OTHER
			? find_starter(rows, count, sums)
			: NULL;
	char size[UNITS_SIZE];

	buffer_format(out, "; most in %s: %s", map_class_texts[found->class_],
		sentence_size(size, found->gain_bytes));
	if (found->is_collected)
		buffer_string(out, ", which may be garbage");
	if (found->class_ == MAP_GLIBC_HEAP || found->class_ == MAP_GLIBC_ARENA)
		buffer_format(out,
			", of which %s are new blocks: the rest is older, or fragmentation "
			"(malloc_trim(), MALLOC_ARENA_MAX)",
			sentence_size(size, live));
	if (!starter)
		return;
	buffer_format(out, ", with the stacks of %llu more threads, started in ",
		(unsigned long long)starter->sum.live_blocks);
	stack_text_put_callers(out, sums, starter->stack);
}

/* Writes what a Java heap keeps: the memory that remains after collections is no garbage. */
static void put_managed(struct buffer *out, const struct heap_scope *scope,
	struct heap_growth_row *row, bool is_elsewhere)
{
	struct heap_managed_growth g;
	bool is_known = heap_elsewhere_managed(scope->elsewhere, &g);

	row->managed_state = state_if(is_known);
	row->managed_before_bytes = g.first;
	row->managed_bytes = g.last;
	row->managed_collections = g.collections;
	if (!is_known || !g.keeps_objects)
		return;
	buffer_format(out,
		"the Java heap keeps %s more after %llu collections: %s, then %s in the old "
		"generation%s; %s",
		SENTENCE_SIZE(g.last - g.first), (unsigned long long)g.collections,
		SENTENCE_SIZE(g.first), SENTENCE_SIZE(g.last),
		g.has_classes ? ""
			      : " (--ask-runtime names the class, by two full collections that "
				"pause the program)",
		is_elsewhere ? "" : "from malloc: ");
}

/* Writes what grew if malloc does not explain it. */
static int put_elsewhere(struct buffer *out, struct heap_scope *scope, const struct heap_live *live,
	const struct heap_stack *rows, size_t count, const struct profile_sums *sums)
{
	const struct heap_resident_growth *g = &scope->resident;
	struct heap_elsewhere_answer found;
	bool is_proved = out->size > 0; /* by its collections */
	char size[UNITS_SIZE];
	int status = heap_elsewhere_find(scope->elsewhere, &found);

	if (status)
		return status;
	buffer_format(out, "%sresident memory grew %s, %s from malloc",
		found.is_collected && !is_proved ? "not decided: " : "",
		sentence_size(size, g->grown_bytes), live->bytes ? "mostly not" : "none of it");
	/* The mappings of some processes may not be known. */
	if (found.has_class && found.gain_bytes * 2 >= g->grown_bytes)
		put_kind(out, &found, live->bytes, rows, count, sums);
	if (found.has_place) {
		buffer_string(out, ", ");
		put_place(out, &found);
	} else {
		buffer_format(out, " (sooth heap --pages -d 10 -p %u shows which code)", g->pid);
	}
	buffer_string(out, "; from malloc: ");
	return 0;
}

static int emit_sentence(struct heap_scope *scope, const struct heap_live *live,
	const struct heap_stacks_merged *stacks, const struct profile_sums *sums,
	struct sooth_error *err)
{
	const struct heap_stack *rows = stacks->all;
	size_t count = stacks->count;
	struct heap_growth_row row = { .stacks = count,
		.judged_ns = live->clock.end_ns - live->clock.begin_ns,
		.resident_state = state_if(scope->resident.pid),
		.resident_before_bytes = scope->resident.before_bytes,
		.resident = scope->resident.bytes };
	struct buffer text = { 0 };
	int64_t blocks = 0;
	bool is_elsewhere;

	if (!count)
		row.measured_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	else if (!rows[0].growth.is_measured)
		row.measured_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	for (size_t i = 0; i < count && rows[i].growth.grows; i++) {
		row.growing++;
		row.per_s += (uint64_t)rows[i].growth.bytes_per_s;
		blocks += rows[i].growth.blocks;
	}
	for (size_t i = 0; i < count; i++)
		row.freed_at_end_stacks += rows[i].growth.freed_after_ns != 0;
	for (unsigned i = 0; i < HEAP_WINDOWS; i++)
		row.older += (uint64_t)live->older.blocks[i];
	is_elsewhere = heap_resident_is_elsewhere(&scope->resident, live->bytes);
	put_managed(&text, scope, &row, is_elsewhere);
	if (is_elsewhere && put_elsewhere(&text, scope, live, rows, count, sums)) {
		buffer_fini(&text);
		return error_no_memory(err);
	}
	put_answer(&text, scope, &row, rows, sums, blocks);
	if (row.growing || is_elsewhere)
		put_time_left(&text, scope);
	return HEAP_SENTENCE(scope, &growth_section, &row, &text, err);
}

#define UNFREED_ROW(F, S)                                                                          \
	F(S, U64, live_bytes, ALWAYS, "bytes that were not freed at the end",                      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_blocks, ALWAYS, "blocks that were not freed at the end")

ROW_TABLE(unfreed, UNFREED_ROW, "heap_unfreed", heap_unfreed_row,
	.line = "not freed at the end: {live_bytes} in {live_blocks block}; which code: --stack");

int heap_unfreed_emit(
	struct heap_scope *scope, const struct heap_live *live, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("heap_unfreed", unfreed_schema, OBJECT);
	struct heap_unfreed_row row = { 0 };
	int status = heap_section(scope, &section, err);

	heap_live_total(live, &row.live_bytes, &row.live_blocks);
	return status ?: OUTPUT_ROW(scope->output, &row, NULL, 0, err);
}

static int compare_by_kept(const void *left, const void *right)
{
	const struct heap_stack *a = left, *b = right;

	return a->growth.grows || b->growth.grows ? compare_by_growth(left, right)
						  : heap_stacks_by_live(left, right);
}

const struct heap_answer_type heap_answer_kept = { .compare = compare_by_kept,
	.emit_sentence = emit_sentence,
	.section = &kept_section,
	.omits_empty = true };
const struct heap_answer_type heap_answer_leaks = { .compare = compare_by_growth,
	.emit_sentence = emit_sentence,
	.section = &growing_section,
	.omits_empty = true,
	.only_growing = true };
