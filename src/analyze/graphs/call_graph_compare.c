/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Merges two call graphs. A frame keeps its own value of each side; the larger one is its width, so
 * widths add up and nothing disappears from sight. A difference counts if it is beyond noise: a
 * share of the larger value, and for numbers of events three times the square root of their sum, as
 * between two random counts.
 */
#include "analyze/graphs/call_graph_rows.h"

#include <stdlib.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "model/schema.h"

#define SIGMAS_SQUARED 9.0

struct change_row {
	struct sooth_record record;
	uint64_t widest, before, after;
	uint32_t depth, kind;
	uint8_t differs;
	uint8_t unused[7];
	struct sooth_text frame;
};

#define CHANGE_FIELDS(suffix, label_, unit_)                                                       \
	{                                                                                          \
		FIELD_STRING(change_row, frame,                                                    \
			"stack frame: name of a process, call, file or peer", .may_shrink = true), \
			FIELD_NUMBER(change_row, depth,                                            \
				"depth of the row in the tree; 0: the root", .is_hidden = true),   \
			FIELD_NUMBER_AS(change_row, before, before_##suffix,                       \
				"in the first capture, scaled to the length of the second",        \
				.unit = unit_),                                                    \
			FIELD_NUMBER_AS(change_row, after, after_##suffix,                         \
				"in the second capture", .unit = unit_),                           \
			FIELD_NUMBER_AS(change_row, widest, max_##suffix,                          \
				"larger of the two, with all frames below", .label = label_,       \
				.unit = unit_),                                                    \
			FIELD_TRUTH_AS(change_row, differs, is_different,                          \
				"the two values differ by more than noise"),                       \
	}
#define CHANGE_SCHEMA(fields_)                                                                     \
	{                                                                                          \
		.name = "stack_changes", .class_ = SOOTH_CLASS_ROW,                                \
		.fixed_size = sizeof(struct change_row), SCHEMA_FIELDS(fields_),                   \
	}

/* A schema for each measure: they differ in unit and name. */
static const struct sooth_field calls_fields[] = CHANGE_FIELDS(calls, "CALLS", SOOTH_UNIT_NONE);
static const struct sooth_field time_fields[] = CHANGE_FIELDS(ns, "TIME", SOOTH_UNIT_NS);
static const struct sooth_field bytes_fields[] = CHANGE_FIELDS(bytes, "BYTES", SOOTH_UNIT_BYTES);
static const struct sooth_field errors_fields[] = CHANGE_FIELDS(errors, "ERRORS", SOOTH_UNIT_NONE);
static const struct sooth_field samples_fields[] =
	CHANGE_FIELDS(samples, "SAMPLES", SOOTH_UNIT_NONE);
static const struct sooth_schema samples_schema = CHANGE_SCHEMA(samples_fields);
static const struct sooth_schema schemas[CALL_GRAPH_VALUES] = {
	[CALL_GRAPH_CALLS] = CHANGE_SCHEMA(calls_fields),
	[CALL_GRAPH_TIME] = CHANGE_SCHEMA(time_fields),
	[CALL_GRAPH_BYTES] = CHANGE_SCHEMA(bytes_fields),
	[CALL_GRAPH_ERRORS] = CHANGE_SCHEMA(errors_fields),
};

/* Meaning of the merged graph's values, in place of calls and time. */
enum { WIDEST, BEFORE, AFTER };

/* Adds every frame of one side, with its own value, to the merged graph. False: out of memory. */
static bool add_side(struct call_graph *merged, const struct call_graph *side,
	enum call_graph_value value, double scale, int as)
{
	size_t count = call_graph_count(side);
	uint32_t *numbers = calloc(count, sizeof(*numbers)); /* of the side -> of the merged one */

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

static bool merge(struct call_graph *merged, const struct call_graph_comparison *c,
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

static bool differs(const struct call_graph_comparison *c, enum call_graph_value value,
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
	const uint32_t *numbers = (const void *)order->data;
	int status = 0;

	for (size_t i = 0; i < order->size / sizeof(*numbers) && !status; i++) {
		const struct call_graph_node *node = call_graph_node(merged, numbers[i]);
		const struct call_graph_values *sum = &sums[numbers[i]];
		struct change_row row = { .widest = sum->of[WIDEST],
			.before = sum->of[BEFORE],
			.after = sum->of[AFTER],
			.depth = node->depth - 1u,
			.differs = differs(c, look->value, sum) };
		struct record_tail tail[] = { tail_span(
			&row.frame, call_graph_name(merged, node)) };

		status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

int call_graph_compare(const struct call_graph_comparison *c, const struct call_graph_look *look,
	struct output *output, struct sooth_error *err)
{
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

	if (!merge(&merged, c, look->value) || !call_graph_sums(&merged, &sums) ||
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
