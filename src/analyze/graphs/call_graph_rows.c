/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/graphs/call_graph_rows.h"

#include <stdio.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "model/row_list.h"
#include "model/schema.h"

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

struct frame_row {
	struct sooth_record record;
	ROW_MEMBERS(FRAME_ROW, frame_row)
};

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

ROW_FIELDS(frame_fields, FRAME_ROW, frame_row);

static const struct sooth_schema frame_schema = {
	.name = "stacks",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct frame_row),
	SCHEMA_FIELDS(frame_fields),
};

static const char *const value_fields[CALL_GRAPH_VALUES] = {
	[CALL_GRAPH_CALLS] = "calls",
	[CALL_GRAPH_TIME] = "total_ns",
	[CALL_GRAPH_BYTES] = "bytes",
	[CALL_GRAPH_ERRORS] = "errors",
};

static int emit_frames(const struct call_graph *g, const struct call_graph_values *sums,
	const struct buffer *order, struct output *output, struct sooth_error *err)
{
	const uint32_t *numbers = (const void *)order->data;
	int status = 0;

	for (size_t i = 0; i < order->size / sizeof(*numbers) && !status; i++) {
		const struct call_graph_node *node = call_graph_node(g, numbers[i]);
		const struct call_graph_values *sum = &sums[numbers[i]];
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

void call_graph_emit_bounds(const struct call_graph *g, struct output *output)
{
	char reason[96];

	if (!g->shortened)
		return;
	snprintf(reason, sizeof(reason),
		"%llu stacks have more frames than sooth keeps: their last frames were cut",
		(unsigned long long)g->shortened);
	output_limit(output, "the last frames of some stacks", reason,
		"no action is needed: what a cut frame did is counted in the frame that called "
		"it");
}

int call_graph_emit(const struct call_graph *g, const struct call_graph_look *look,
	struct output *output, struct sooth_error *err)
{
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
