/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations as a tree of stacks, for flamegraphs, folded stacks and pprof. The weight is what is
 * live, or what was allocated, in bytes or blocks. */
#include "analyze/heap/heap_graph.h"

#include <string.h>

#include "analyze/graphs/call_graph.h"
#include "analyze/graphs/graph_origin.h"
#include "analyze/graphs/graph_view.h"
#include "analyze/heap/heap_by_stack.h"
#include "analyze/heap/heap_live.h"
#include "analyze/heap/heap_notes.h"
#include "analyze/profile/stack_frames.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"

_Static_assert((int)HEAP_WEIGHTS <= (int)CALL_GRAPH_KEPT, "each has its value in a node");

#define GRAPH_ROW(F, S)                                                                            \
	F(S, REAL, percent, ALWAYS, "share of the --weight in this frame and below",               \
		.label = "TOTAL%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                      \
	F(S, U64, live_bytes, ALWAYS, "bytes not freed that this frame and below allocated",       \
		.label = "LIVE", .unit = SOOTH_UNIT_BYTES)                                         \
	F(S, U64, live_blocks, ALWAYS, "blocks not freed that this frame and below allocated",     \
		.label = "BLOCKS")                                                                 \
	F(S, U64, allocated_bytes, ALWAYS, "bytes that this frame and below allocated",            \
		.label = "ALLOCATED", .unit = SOOTH_UNIT_BYTES)                                    \
	F(S, U64, calls, ALWAYS, "successful allocator calls in this frame and below",             \
		.label = "CALLS")                                                                  \
	F(S, U64, at_peak_bytes, ALWAYS,                                                           \
		"bytes that this frame and below allocated, live when most was live",              \
		.label = "AT PEAK", .unit = SOOTH_UNIT_BYTES)                                      \
	F(S, TEXT, frame, ALWAYS, "function of the stack", .may_shrink = true)                     \
	F(S, ENUM32, kind, ALWAYS,                                                                 \
		"where the code of the frame is: program, library, kernel, ...",                   \
		.names = &stack_kind_names, .is_hidden = true)                                     \
	F(S, TEXTS, frame_place, ALWAYS,                                                           \
		"for profiles: line, program or library, offset in it, build id",                  \
		.is_hidden = true)                                                                 \
	F(S, U32, depth, ALWAYS, "depth of the row in the tree; 0: the root", .is_hidden = true)

ROW_TABLE(graph_row, GRAPH_ROW, "heap_graph", graph_row);

static const struct sooth_schema *const tables[] = { &graph_row_schema, NULL };

static const struct {
	const char *name, *column, *title;
} weights[HEAP_WEIGHTS] = {
	[HEAP_WEIGHT_LIVE] = { "live", "live_bytes", "memory not freed" },
	[HEAP_WEIGHT_BLOCKS] = { "blocks", "live_blocks", "blocks not freed" },
	[HEAP_WEIGHT_ALLOCATED] = { "allocated", "allocated_bytes", "memory allocated" },
	[HEAP_WEIGHT_CALLS] = { "calls", "calls", "allocator calls" },
	[HEAP_WEIGHT_PEAK] = { "peak", "at_peak_bytes", "memory live at the peak" },
};

const char *heap_weight_name(size_t index)
{
	return index < HEAP_WEIGHTS ? weights[index].name : NULL;
}

struct graph_state {
	struct output *output;
	struct heap_graph_options options;
	struct heap_live live;
	struct profile_sums sums;
	struct call_graph graph;
	struct graph_origin origin;
	uint64_t all; /* total of the weights */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct graph_state *s = state;

	s->output = output;
	if (options)
		s->options = *(const struct heap_graph_options *)options;
	heap_live_init(&s->live, HEAP_BLOCKS_MAX);
	heap_by_stack_init(&s->sums);
	return call_graph_init(&s->graph) ? error_no_memory(err) : 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct graph_state *s = state;
	const struct heap_held *held;
	const struct heap_sum *sum;

	(void)err;
	profile_sums_add_batch(&s->sums, batch);
	graph_origin_add_batch(&s->origin, batch);
	batch_for_each (r, batch) {
		sum = record_as(r, HEAP_SUM, sizeof(*sum));
		held = record_as(r, HEAP_HELD, sizeof(*held));
		if (sum)
			heap_held_add_sum(&s->live, sum);
		else if (held)
			heap_held_add(&s->live, held);
		else
			heap_live_add_record(&s->live, r);
	}
	return 0;
}

/* Appends the name of a frame with its place behind it, by which frames differ, too. */
static void put_frame(
	const struct profile_sums *sums, const struct stack_frame_named *frame, struct buffer *out)
{
	const struct profile_function *f = frame->function;
	struct span line = f && f->has_line ? frame->file : span_of("", 0);
	struct span object = names_get(&sums->names, f ? f->object : 0);
	struct span build_id = names_get(&sums->names, f ? f->build_id : 0);

	buffer_append(out, frame->name.data, frame->name.size);
	if (!f)
		return;
	buffer_char(out, 0);
	buffer_append(out, line.data, line.size);
	buffer_char(out, 0);
	buffer_append(out, object.data, object.size);
	buffer_char(out, 0);
	buffer_format(out, "%llu", (unsigned long long)f->offset);
	buffer_char(out, 0);
	buffer_append(out, build_id.data, build_id.size);
	buffer_char(out, 0);
}

/* Adds a stack whose frames have their places. False: it is unknown, or memory is missing. */
static bool add_places(
	struct graph_state *s, uint32_t stack, const struct call_graph_values *values)
{
	struct call_graph_frame frames[STACK_FRAMES_MAX];
	_cleanup_(buffer_fini) struct buffer names = { 0 };
	struct profile_stacked stacked = { 0 };
	size_t ends[STACK_FRAMES_MAX], at = 0;
	struct stack_frames list;

	if (!profile_sums_stack(&s->sums, stack, &stacked))
		return false;
	stack_frames_of(&s->sums, &stacked, &list);
	for (size_t i = 0; i < list.count; i++) {
		put_frame(&s->sums, &list.items[i], &names);
		ends[i] = names.size;
	}
	for (size_t i = 0; i < list.count && !buffer_failed(&names); at = ends[i++])
		frames[i] = (struct call_graph_frame){ span_of(buffer_at(&names, at), ends[i] - at),
			list.items[i].kind };
	if (!buffer_failed(&names))
		call_graph_add(&s->graph, frames, list.count, values);
	return !buffer_failed(&names);
}

static void add_stack(struct graph_state *s, uint32_t stack, const struct heap_stack_sum *sum)
{
	struct call_graph_values values = { {
		[HEAP_WEIGHT_LIVE] = sum->live_bytes,
		[HEAP_WEIGHT_BLOCKS] = sum->live_blocks,
		[HEAP_WEIGHT_ALLOCATED] = sum->allocated_bytes,
		[HEAP_WEIGHT_CALLS] = sum->calls,
		[HEAP_WEIGHT_PEAK] = heap_live_at_peak(&s->live, sum).bytes,
	} };

	if (s->options.has_places ? add_places(s, stack, &values)
				  : stack_frames_add(&s->graph, &s->sums, stack, &values))
		s->all += values.of[s->options.weight];
}

static int put_row(struct output *output, const struct graph_frame *frame, struct sooth_error *err)
{
	const uint64_t *of = frame->of;
	struct graph_row row = { .live_bytes = of[HEAP_WEIGHT_LIVE],
		.live_blocks = of[HEAP_WEIGHT_BLOCKS],
		.allocated_bytes = of[HEAP_WEIGHT_ALLOCATED],
		.calls = of[HEAP_WEIGHT_CALLS],
		.at_peak_bytes = of[HEAP_WEIGHT_PEAK],
		.percent = frame->percent,
		.kind = frame->kind,
		.depth = frame->depth };
	size_t size = strnlen(frame->name.data, frame->name.size);
	size_t rest = size < frame->name.size ? size + 1 : size;
	struct record_tail tail[] = { tail_span(&row.frame, span_of(frame->name.data, size)),
		tail_span(&row.frame_place,
			span_of(frame->name.data + rest, frame->name.size - rest)) };

	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct graph_state *s = state;
	struct graph_view view = { .section = { .name = "heap_graph",
					   .title = weights[s->options.weight].title,
					   .schema = &graph_row_schema,
					   .if_empty = "no allocation with a stack was recorded" },
		.column = weights[s->options.weight].column,
		.weight = s->options.weight,
		.is_icicle = s->options.is_icicle,
		.least_share = s->options.least_share,
		.origin = &s->origin,
		.put = put_row };

	heap_notes_samples(s->output, &s->live);
	map_for_each (&s->live.stacks, const uint32_t *, key, void *, value)
		add_stack(s, *key, value);
	view.all = s->all;
	return graph_view_emit(&view, &s->graph, s->output, err);
}

static void fini(void *state)
{
	struct graph_state *s = state;

	heap_live_fini(&s->live);
	profile_sums_fini(&s->sums);
	graph_origin_fini(&s->origin);
	call_graph_fini(&s->graph);
}

const struct stage_type stage_heap_graph = {
	.name = "heap-graph",
	.help = "stacks of allocations as a tree, for flamegraphs and folded stacks",
	.shows = "heap",
	.tables = tables,
	STAGE_FUNCTIONS(struct graph_state),
};
