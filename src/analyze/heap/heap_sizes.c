/* SPDX-License-Identifier: BSD-2-Clause */
/* Live blocks by size class, which shows many blocks of one size at a glance. */
#include <stdlib.h>

#include "analyze/heap/heap_stacks.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/order.h"
#include "base/sentence_units.h"
#include "bpf/log2.h"
#include "model/row_list.h"
#include "model/schema.h"

#define CLASSES 256

#define HEAP_CLASS_ROW(F, S)                                                                       \
	F(S, U64, from_bytes, ALWAYS, "smallest size of the class",                                \
		.label = "SIZE>=", .unit = SOOTH_UNIT_BYTES)                                       \
	F(S, U64, to_bytes, ALWAYS, "first size above the class", .label = "<",                    \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_bytes, ALWAYS, "bytes of these sizes that were not freed", .label = "LIVE", \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_blocks, ALWAYS, "blocks of these sizes that were not freed",                \
		.label = "BLOCKS")                                                                 \
	F(S, U64, mean_bytes, MAYBE(mean_state), "mean size of the live blocks", .label = "MEAN",  \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, allocated_bytes, ALWAYS, "bytes of these sizes that were allocated",             \
		.label = "ALLOCATED", .unit = SOOTH_UNIT_BYTES)                                    \
	F(S, U64, calls, ALWAYS, "successful allocator calls of these sizes", .label = "CALLS")    \
	F(S, REAL, stack_percent, MAYBE(stack_state), "share of the stack in the live bytes",      \
		.label = "SHARE%", .unit = SOOTH_UNIT_PERCENT, .decimals = 0)                      \
	F(S, TEXT, stack, WITH(stack_state), "the code that holds most of the live bytes",         \
		.label = "STACK")

ROW_STRUCT(heap_class_row, HEAP_CLASS_ROW);
ROW_SCHEMA(heap_class_row, HEAP_CLASS_ROW, "heap_classes", heap_class_row);

static const struct section classes_section = SECTION_OF("heap_classes", heap_class_row_schema,
	TABLE, .title = "live blocks by size", .rows_most = HEAP_STACKS_SHOWN);

#define HEAP_LARGEST_ROW(F, S)                                                                     \
	F(S, U64, live_bytes, ALWAYS, "bytes that were not freed", .unit = SOOTH_UNIT_BYTES)       \
	F(S, U64, live_blocks, ALWAYS, "blocks that were not freed")                               \
	F(S, TEXT, text, ALWAYS, "the answer as a sentence", .is_hidden = true)

ROW_TABLE(heap_largest, HEAP_LARGEST_ROW, "heap_largest", heap_largest_row, .line = "{text}");

static const struct section largest_section =
	SECTION_OF("heap_largest", heap_largest_schema, OBJECT);

struct size_class {
	uint32_t number;
	struct heap_part sum;
	struct stack_text stack; /* the stack that holds most bytes of the class */
	uint32_t one_stack;	 /* number of one of the stacks with that text */
	uint64_t stack_bytes;
};

struct sizes {
	struct size_class classes[CLASSES];
	struct heap_part all;
	struct map by_stack; /* struct holder -> uint64_t, live bytes */
};

struct holder {
	struct stack_text stack;
	uint32_t size_class, unused;
};

static void sum_part(struct heap_part *to, const struct heap_part *one)
{
	to->calls += one->calls;
	to->allocated_bytes += one->allocated_bytes;
	to->live_bytes += one->live_bytes;
	to->live_blocks += one->live_blocks;
}

static void add_size_of_stack(struct sizes *s, struct profile_sums *sums,
	const struct heap_part_key *key, const struct heap_part *part)
{
	uint32_t number = key->size_class < CLASSES ? key->size_class : CLASSES - 1;
	struct size_class *class = &s->classes[number];
	struct holder holder = { .size_class = number };
	uint64_t *bytes;

	class->number = number;
	sum_part(&class->sum, part);
	sum_part(&s->all, part);
	if (!key->stack)
		return;
	holder.stack = stack_text_of(sums, key->stack);
	bytes = holder.stack.text == NAMES_NONE ? NULL : map_put(&s->by_stack, &holder, NULL);
	if (!bytes)
		return;
	*bytes += part->live_bytes;
	if (*bytes > class->stack_bytes) {
		class->stack_bytes = *bytes;
		class->stack = holder.stack;
		class->one_stack = key->stack;
	}
}

static int compare_by_live_bytes(const void *left, const void *right)
{
	const struct size_class *a = left, *b = right;
	const struct heap_part *x = &a->sum, *y = &b->sum;
	int order = larger_first(x->live_bytes, y->live_bytes);

	order = order ?: larger_first(x->allocated_bytes, y->allocated_bytes);
	return order ?: smaller_first(a->number, b->number);
}

static void put_answer(struct buffer *out, const struct sizes *s, const struct profile_sums *sums)
{
	const struct size_class *first = &s->classes[0];
	char size[UNITS_SIZE], all[UNITS_SIZE];

	if (!s->all.live_blocks) {
		buffer_string(out, "no block that was allocated during the recording is live");
		return;
	}
	sentence_size(size, first->sum.live_bytes / first->sum.live_blocks);
	if (first->sum.live_blocks == 1)
		buffer_format(out, "1 block of %s holds", size);
	else
		buffer_format(out, "%llu blocks of %s each on average hold %s,",
			(unsigned long long)first->sum.live_blocks, size,
			sentence_size(all, first->sum.live_bytes));
	buffer_format(out, " %.0f %% of what was not freed",
		100 * (double)first->sum.live_bytes / (double)s->all.live_bytes);
	if (!first->stack_bytes)
		return;
	buffer_format(out, ": %.0f %% of it from ",
		100 * (double)first->stack_bytes / (double)first->sum.live_bytes);
	stack_text_put_callers(out, sums, first->one_stack);
}

static int emit_answer(struct heap_scope *scope, const struct sizes *s,
	const struct profile_sums *sums, struct sooth_error *err)
{
	struct heap_largest_row row = { .live_bytes = s->all.live_bytes,
		.live_blocks = s->all.live_blocks };
	struct buffer text = { 0 };

	put_answer(&text, s, sums);
	return HEAP_SENTENCE(scope, &largest_section, &row, &text, err);
}

static int emit_size_class(struct output *output, const struct size_class *class,
	const struct profile_sums *sums, struct sooth_error *err)
{
	const struct heap_part *sum = &class->sum;
	struct heap_class_row row = { .from_bytes = size_class_from(class->number),
		.to_bytes = size_class_from(class->number + 1),
		.live_bytes = sum->live_bytes,
		.live_blocks = sum->live_blocks,
		.mean_bytes = sum->live_blocks ? sum->live_bytes / sum->live_blocks : 0,
		.mean_state = state_if(sum->live_blocks),
		.allocated_bytes = sum->allocated_bytes,
		.calls = sum->calls,
		.stack_state = state_if(class->stack_bytes) };
	struct span stack = { 0 };
	struct record_tail tail[1];

	if (class->stack_bytes) {
		row.stack_percent = 100 * (double)class->stack_bytes / (double)sum->live_bytes;
		stack = names_get(&sums->names, class->stack.text);
	}
	tail[0] = tail_span(&row.stack, stack);
	return OUTPUT_ROW(output, &row, tail, 1, err);
}

int heap_sizes_emit(struct heap_scope *scope, const struct heap_live *live,
	struct profile_sums *sums, bool has_answer, struct sooth_error *err)
{
	_cleanup_free_ struct sizes *s = calloc(1, sizeof(*s));
	int status;

	if (!s)
		return error_no_memory(err);
	map_init(&s->by_stack, sizeof(struct holder), sizeof(uint64_t), live->parts.limit);
	map_for_each (&live->parts, const void *, key, void *, value)
		add_size_of_stack(s, sums, key, value);
	if (live->parts.refused)
		output_limit(scope->output, "the sizes of some blocks",
			"a table in sooth is full: further stacks and sizes are not counted", "");
	qsort(s->classes, CLASSES, sizeof(s->classes[0]), compare_by_live_bytes);
	status = has_answer ? emit_answer(scope, s, sums, err) : 0;
	if (!status)
		status = heap_section(scope, &classes_section, err);
	for (size_t i = 0; i < CLASSES && s->classes[i].sum.calls && !status; i++)
		status = emit_size_class(scope->output, &s->classes[i], sums, err);
	map_fini(&s->by_stack);
	return status;
}
