/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/graphs/call_graph_rows.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "model/row_list.h"

/* --- rows of a graph --- */

#define FRAME_ROW(F, S)                                                                            \
	F(S, TEXT, frame, ALWAYS, "stack frame: name of a process, call, file or peer",            \
		.may_shrink = true)                                                                \
	F(S, ENUM32, kind, ALWAYS,                                                                 \
		"subject of the stack frame: process or thread, file, network, memory, ...",       \
		.names = &kind_values)                                                             \
	F(S, U32, depth, ALWAYS, "depth of the row in the tree; 0: the root", .is_hidden = true)   \
	F(S, U64, calls, ALWAYS, "number of system calls in this frame and below")                 \
	F(S, NAMED, U64, time_ns, total_ns, ALWAYS,                                                \
		"time of system calls in this frame and below", .label = "TIME",                   \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, bytes, ALWAYS, "bytes read and written in this frame and below",                 \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, errors, ALWAYS, "failed calls in this frame and below")

ROW_STRUCT(frame_row, FRAME_ROW);

static const char *const kind_names[FRAME_KINDS] = {
	[FRAME_NEUTRAL] = "process or thread",
	[FRAME_FILE] = "file",
	[FRAME_NETWORK] = "network",
	[FRAME_MEMORY] = "memory",
	[FRAME_PROCESS] = "process",
	[FRAME_EVENT] = "event",
	[FRAME_TIME] = "time",
	[FRAME_IPC] = "ipc",
	[FRAME_SIGNAL] = "signal",
	[FRAME_OTHER] = "other",
};
static const struct sooth_names kind_values = { FRAME_KINDS, kind_names };

static const char *const value_names[CALL_GRAPH_VALUES] = {
	[CALL_GRAPH_CALLS] = "calls",
	[CALL_GRAPH_TIME] = "time",
	[CALL_GRAPH_BYTES] = "bytes",
	[CALL_GRAPH_ERRORS] = "errors",
};
const struct sooth_names call_graph_value_names = { CALL_GRAPH_VALUES, value_names };

static ROW_SCHEMA(frame, FRAME_ROW, "stacks", frame_row);

static const char *const value_fields[CALL_GRAPH_VALUES] = {
	[CALL_GRAPH_CALLS] = "calls",
	[CALL_GRAPH_TIME] = "total_ns",
	[CALL_GRAPH_BYTES] = "bytes",
	[CALL_GRAPH_ERRORS] = "errors",
};

static int emit_frames(const struct call_graph *g, const struct call_graph_values *sums,
	const struct buffer *order, struct output *output, struct sooth_error *err)
{
	int status = 0;

	buffer_each_while (const uint32_t, number, order, !status) {
		const struct call_graph_node *node = call_graph_node(g, *number);
		const struct call_graph_values *sum = &sums[*number];
		struct frame_row row = { .calls = sum->of[CALL_GRAPH_CALLS],
			.time_ns = sum->of[CALL_GRAPH_TIME],
			.bytes = sum->of[CALL_GRAPH_BYTES],
			.errors = sum->of[CALL_GRAPH_ERRORS],
			.depth = node->depth - 1u,
			.kind = node->kind };
		struct record_tail tail[] = { tail_span(&row.frame, call_graph_name(g, node)) };

		status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

/* Adds a limit for stacks that were cut. */
static void call_graph_emit_bounds(const struct call_graph *g, struct output *output)
{
	char reason[96];

	if (!g->shortened)
		return;
	snprintf(reason, sizeof(reason),
		"%llu stacks have more frames than sooth keeps: the innermost ones were cut",
		(unsigned long long)g->shortened);
	output_limit(output, "the innermost frames of some stacks", reason,
		"no action is needed: what a cut frame did is counted in the frame that called it");
}

int call_graph_emit(const struct call_graph *g, const struct call_graph_look *look,
	struct output *output, struct sooth_error *err)
{
	assert(look);

	struct section_graph graph = { .origin = look->origin,
		.about = look->about,
		.weight = value_fields[look->value],
		.kind = "kind",
		.is_icicle = look->is_icicle,
		.least_share = look->least_share };
	struct section section = { .name = "stacks",
		.title = look->title,
		.schema = &frame_schema,
		.shape = SECTION_TABLE,
		.tree = "frame",
		.depth = "depth",
		.graph = &graph };
	struct buffer sums = { 0 }, order = { 0 };
	int status;

	if (!call_graph_sums(g, &sums) ||
		!call_graph_order(g, (const void *)sums.data, look->value, &order)) {
		status = error_no_memory(err);
	} else {
		status = output_section(output, &section, err);
		if (!status)
			status = emit_frames(g, (const void *)sums.data, &order, output, err);
		/* The section is a local variable: close it before it goes out of scope. */
		if (!status)
			status = output_close_section(output, err);
		call_graph_emit_bounds(g, output);
	}
	buffer_fini(&sums);
	buffer_fini(&order);
	return status;
}

/* --- two graphs compared --- */

/* Merges two call graphs. Each frame keeps its value of both sides; its width is the larger value,
 * so widths add up and no frame disappears. A difference counts if it exceeds noise: a share of the
 * larger value and, for numbers of events, three times the square root of their sum (as for two
 * random counts). */

#define SIGMAS_SQUARED 9.0

#define CHANGE_ROW(F, S, suffix, label_, unit_)                                                    \
	F(S, TEXT, frame, ALWAYS, "stack frame: name of a process, call, file or peer",            \
		.may_shrink = true)                                                                \
	F(S, U32, depth, ALWAYS, "depth of the row in the tree; 0: the root", .is_hidden = true)   \
	F(S, NAMED, U64, before, before_##suffix, ALWAYS,                                          \
		"in the first capture, scaled to the length of the second", .unit = unit_)         \
	F(S, NAMED, U64, after, after_##suffix, ALWAYS, "in the second capture", .unit = unit_)    \
	F(S, NAMED, U64, widest, max_##suffix, ALWAYS, "larger of the two, with all frames below", \
		.label = label_, .unit = unit_)                                                    \
	F(S, NAMED, BOOL, differs, is_different, ALWAYS, "the two values differ by more than noise")

/* Rows for each kind of value: unit and name differ. */
#define CALLS_CHANGE(F, S)   CHANGE_ROW(F, S, calls, "CALLS", SOOTH_UNIT_NONE)
#define TIME_CHANGE(F, S)    CHANGE_ROW(F, S, ns, "TIME", SOOTH_UNIT_NS)
#define BYTES_CHANGE(F, S)   CHANGE_ROW(F, S, bytes, "BYTES", SOOTH_UNIT_BYTES)
#define ERRORS_CHANGE(F, S)  CHANGE_ROW(F, S, errors, "ERRORS", SOOTH_UNIT_NONE)
#define SAMPLES_CHANGE(F, S) CHANGE_ROW(F, S, samples, "SAMPLES", SOOTH_UNIT_NONE)

ROW_STRUCT(change_row, CALLS_CHANGE);
static ROW_SCHEMA(samples, SAMPLES_CHANGE, "stack_changes", change_row);

#define CHANGE_SCHEMA(LIST) ROW_SCHEMA_OF(LIST, "stack_changes", change_row, 0)
static const struct sooth_schema schemas[CALL_GRAPH_VALUES] = {
	[CALL_GRAPH_CALLS] = CHANGE_SCHEMA(CALLS_CHANGE),
	[CALL_GRAPH_TIME] = CHANGE_SCHEMA(TIME_CHANGE),
	[CALL_GRAPH_BYTES] = CHANGE_SCHEMA(BYTES_CHANGE),
	[CALL_GRAPH_ERRORS] = CHANGE_SCHEMA(ERRORS_CHANGE),
};

/* Indexes of the merged graph's values. */
enum { WIDEST, BEFORE, AFTER };

/* Adds every frame of one side, with its own value, to the merged graph. False: out of memory. */
static bool add_side(struct call_graph *merged, const struct call_graph *side,
	enum call_graph_value value, double scale, int as)
{
	size_t count = call_graph_count(side);
	uint32_t *numbers = calloc(count, sizeof(*numbers)); /* of `side` -> of `merged` */

	for (size_t i = 1; numbers && i < count; i++) {
		const struct call_graph_node *node = call_graph_node(side, i);
		struct call_graph_frame frame = { call_graph_name(side, node), node->kind };
		double own = (double)node->own.of[value] * scale;
		struct call_graph_node *into;

		numbers[i] = call_graph_below(merged, numbers[node->parent], &frame);
		if (numbers[i] == CALL_GRAPH_NONE) {
			numbers[i] = numbers[node->parent];
			merged->shortened++;
		}
		into = call_graph_node(merged, numbers[i]);
		into->own.of[as] += (uint64_t)(own + 0.5);
	}
	free(numbers);
	return numbers != NULL;
}

static bool merge_sides(struct call_graph *merged, const struct call_graph_comparison *c,
	enum call_graph_value value)
{
	if (call_graph_init(merged) || !add_side(merged, c->a, value, c->a_scale, BEFORE) ||
		!add_side(merged, c->b, value, 1, AFTER))
		return false;
	for (size_t i = 0; i < call_graph_count(merged); i++) {
		struct call_graph_values *own = &call_graph_node(merged, i)->own;

		own->of[WIDEST] =
			own->of[BEFORE] > own->of[AFTER] ? own->of[BEFORE] : own->of[AFTER];
	}
	return true;
}

static bool values_differ(const struct call_graph_comparison *c, enum call_graph_value value,
	const struct call_graph_values *sum)
{
	double a = (double)sum->of[BEFORE], b = (double)sum->of[AFTER];
	double larger = a > b ? a : b, gap = a > b ? a - b : b - a;
	bool is_number = value == CALL_GRAPH_CALLS || value == CALL_GRAPH_ERRORS;

	if (!(gap > 0) || gap < c->noise_share * larger)
		return false;
	return !is_number || gap * gap > SIGMAS_SQUARED * (a + b);
}

static int emit_changes(const struct call_graph_comparison *c, const struct call_graph_look *look,
	const struct call_graph *merged, const struct call_graph_values *sums,
	const struct buffer *order, struct output *output, struct sooth_error *err)
{
	int status = 0;

	buffer_each_while (const uint32_t, number, order, !status) {
		const struct call_graph_node *node = call_graph_node(merged, *number);
		const struct call_graph_values *sum = &sums[*number];
		struct change_row row = { .widest = sum->of[WIDEST],
			.before = sum->of[BEFORE],
			.after = sum->of[AFTER],
			.depth = node->depth - 1u,
			.differs = values_differ(c, look->value, sum) };
		struct record_tail tail[] = { tail_span(
			&row.frame, call_graph_name(merged, node)) };

		status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

int call_graph_compare(const struct call_graph_comparison *c, const struct call_graph_look *look,
	struct output *output, struct sooth_error *err)
{
	assert(c);
	assert(look);

	static const char *const widest[] = { "max_calls", "max_ns", "max_bytes", "max_errors",
		"max_samples" };
	static const char *const before[] = { "before_calls", "before_ns", "before_bytes",
		"before_errors", "before_samples" };
	static const char *const after[] = { "after_calls", "after_ns", "after_bytes",
		"after_errors", "after_samples" };
	bool is_of_samples = c->is_of_samples && look->value == CALL_GRAPH_CALLS;
	size_t name = is_of_samples ? CALL_GRAPH_VALUES : look->value;
	struct section_graph graph = { .origin = look->origin,
		.about = look->about,
		.weight = widest[name],
		.before = before[name],
		.after = after[name],
		.differs = "is_different",
		.is_icicle = look->is_icicle,
		.least_share = look->least_share };
	struct section section = { .name = "stack_changes",
		.title = look->title,
		.schema = is_of_samples ? &samples_schema : &schemas[look->value],
		.shape = SECTION_TABLE,
		.tree = "frame",
		.depth = "depth",
		.graph = &graph };
	struct call_graph merged = { 0 };
	struct buffer sums = { 0 }, order = { 0 };
	int status;

	if (!merge_sides(&merged, c, look->value) || !call_graph_sums(&merged, &sums) ||
		!call_graph_order(&merged, (const void *)sums.data, WIDEST, &order)) {
		status = error_no_memory(err);
	} else {
		status = output_section(output, &section, err);
		if (!status)
			status = emit_changes(
				c, look, &merged, (const void *)sums.data, &order, output, err);
		if (!status)
			status = output_close_section(output, err);
		call_graph_emit_bounds(&merged, output);
	}
	buffer_fini(&sums);
	buffer_fini(&order);
	call_graph_fini(&merged);
	return status;
}
