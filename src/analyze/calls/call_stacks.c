/* SPDX-License-Identifier: BSD-2-Clause */
/* The code that makes each system call: the stacks of each call, most frequent first. A call
 * without a recorded stack is in no row; the notes report that loss. */
#include "analyze/calls/call_stacks.h"

#include <stdlib.h>

#include "analyze/profile/profile_sums.h"
#include "analyze/profile/stack_text.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/order.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/syscall_names.h"
#include "probes/syscall_set.h"

#define COUNTS_MAX  (1u << 20)
#define PEOPLE_ROWS 40 /* -j prints all */

#define CALL_STACK_ROW(F, S)                                                                       \
	F(S, TEXT, name, ALWAYS, "name of the system call", .label = "CALL", .is_key = true)       \
	F(S, NAMED, U64, count, call_count, ALWAYS, "system calls that began with this stack",     \
		.label = "CALLS", .merge = SOOTH_MERGE_SUM)                                        \
	F(S, REAL, percent, ALWAYS, "share of all calls of that name with a recorded stack",       \
		.label = "SHARE%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                      \
	STACK_TEXT_ROW(F, S)

ROW_TABLE(call_stack, CALL_STACK_ROW, "call_stacks", call_stack_row);
static const struct sooth_schema *const tables[] = { &call_stack_schema, NULL };

static const struct section call_stack_section =
	SECTION_OF("call_stacks", call_stack_schema, TABLE, .title = "stacks of system calls",
		.if_empty = "no stack of a selected call was recorded", .rows_most = PEOPLE_ROWS);

struct call_key {
	uint32_t abi, number;
};

struct stack_key {
	struct call_key call;
	uint32_t stack;
	uint32_t unused;
};

struct stacks_state {
	struct output *output;
	struct syscall_set set;
	struct profile_sums sums; /* dictionary of stacks and frames */
	struct map calls;	  /* struct call_key -> uint64_t */
	struct map stacks;	  /* struct stack_key -> uint64_t */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	const struct call_stacks_options *o = options;
	struct stacks_state *s = state;

	s->output = output;
	profile_sums_init(&s->sums);
	map_init(&s->calls, sizeof(struct call_key), sizeof(uint64_t), COUNTS_MAX);
	map_init(&s->stacks, sizeof(struct stack_key), sizeof(uint64_t), COUNTS_MAX);
	return syscall_set_parse(&s->set, o ? o->set : NULL, err);
}

static void add_stack_of_call(struct stacks_state *s, const struct profile_call *c)
{
	struct stack_key key = { { c->abi, c->number }, c->stack, 0 };
	uint64_t *stack, *call;

	if (!s->set.is_all && !syscall_set_has(&s->set, syscall_by_number(c->abi, c->number)))
		return;
	stack = map_put(&s->stacks, &key, NULL);
	call = map_put(&s->calls, &key.call, NULL);
	if (!stack || !call)
		return;
	++*stack;
	++*call;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct stacks_state *s = state;

	(void)err;
	profile_sums_add_batch(&s->sums, batch);
	batch_for_each (r, batch) {
		const struct profile_call *c =
			record_as(r, PROFILE_CALL, sizeof(struct profile_call));

		if (c)
			add_stack_of_call(s, c);
	}
	return 0;
}

struct row_key {
	struct call_key call;
	struct stack_text stack;
};

struct merged {
	uint64_t count;
	uint32_t stack; /* one of several stacks with the same functions */
	uint32_t unused;
};

struct counted {
	struct row_key key;
	struct merged merged;
	uint64_t of;
};

/* Orders calls by count, highest first. */
static int compare_by_count(const void *left, const void *right)
{
	const struct counted *a = left, *b = right;
	int order = larger_first(a->of, b->of);

	order = order ?: smaller_first(a->key.call.abi, b->key.call.abi);
	order = order ?: smaller_first(a->key.call.number, b->key.call.number);
	order = order ?: larger_first(a->merged.count, b->merged.count);
	return order ?: stack_text_compare(&a->key.stack, &b->key.stack);
}

static void merge_rows(struct stacks_state *s, struct map *rows)
{
	map_for_each (&s->stacks, const struct stack_key *, k, const uint64_t *, value) {
		struct row_key row = { k->call, stack_text_of(&s->sums, k->stack) };
		struct merged *merged =
			row.stack.text == NAMES_NONE ? NULL : map_put(rows, &row, NULL);

		if (!merged) {
			s->stacks.refused++;
			continue;
		}
		merged->count += *value;
		merged->stack = k->stack;
	}
}

static int emit_stack(struct stacks_state *s, const struct counted *c, struct sooth_error *err)
{
	struct call_stack_row row = { .count = c->merged.count,
		.percent = 100.0 * (double)c->merged.count / (double)c->of };
	struct buffer functions = { 0 };
	char name[SYSCALL_NAME_SIZE];
	int status;

	stack_text_functions(&s->sums, c->merged.stack, &functions);
	struct record_tail tail[] = {
		{ &row.name, name, syscall_name(c->key.call.abi, c->key.call.number, name) },
		tail_span(&row.stack, names_get(&s->sums.names, c->key.stack.text)),
		tail_string(&row.end, profile_end_text((enum profile_end)c->key.stack.end)),
		tail_buffer(&row.functions, &functions),
	};

	status = buffer_failed(&functions)
			 ? error_no_memory(err)
			 : OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&functions);
	return status;
}

static int emit_rows(struct stacks_state *s, const struct map *rows, struct sooth_error *err)
{
	_cleanup_free_ struct counted *all = calloc(rows->count + 1, sizeof(*all));
	size_t count = 0;
	int status;

	if (!all)
		return error_no_memory(err);
	map_for_each (rows, const struct row_key *, k, const struct merged *, value) {
		const uint64_t *of = map_get(&s->calls, &k->call);

		if (of && *of)
			all[count++] = (struct counted){ *k, *value, *of };
	}
	qsort(all, count, sizeof(*all), compare_by_count);
	status = output_section(s->output, &call_stack_section, err);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_stack(s, &all[i], err);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct stacks_state *s = state;
	struct map rows;
	int status;

	map_init(&rows, sizeof(struct row_key), sizeof(struct merged), COUNTS_MAX);
	merge_rows(s, &rows);
	if (s->stacks.refused)
		output_limit(s->output, "some stacks of calls",
			"a table in sooth is full: further stacks are not counted", "");
	status = emit_rows(s, &rows, err);
	map_fini(&rows);
	return status;
}

static void fini(void *state)
{
	struct stacks_state *s = state;

	profile_sums_fini(&s->sums);
	map_fini(&s->calls);
	map_fini(&s->stacks);
}

const struct stage_type stage_call_stacks = {
	.name = "call-stacks",
	.help = "stacks of system calls: which code makes them",
	.probe = "profile",
	.of_kind = PROFILE_CALL,
	.shows = "profile",
	.tables = tables,
	STAGE_FUNCTIONS(struct stacks_state),
};
