/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory as a tree of the stacks that first touched its pages: for flamegraphs, folded stacks and
 * pprof. */
#include "analyze/profile/pages_graph.h"

#include "analyze/graphs/call_graph.h"
#include "analyze/graphs/graph_origin.h"
#include "analyze/graphs/graph_view.h"
#include "analyze/profile/page_held.h"
#include "analyze/profile/profile_sums.h"
#include "analyze/profile/stack_frames.h"
#include "analyze/records.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"

#define GRAPH_ROW(F, S)                                                                            \
	F(S, REAL, percent, ALWAYS, "share of the memory in this frame and below",                 \
		.label = "TOTAL%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                      \
	F(S, U64, remaining_bytes, ALWAYS,                                                         \
		"memory that this frame and below touched, and remains", .label = "REMAINS",       \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, at_peak_bytes, ALWAYS,                                                           \
		"memory that this frame and below touched, and that was there when most was",      \
		.label = "AT PEAK", .unit = SOOTH_UNIT_BYTES, .is_hidden = true)                   \
	F(S, U64, touched_bytes, ALWAYS, "memory that this frame and below touched first",         \
		.label = "TOUCHED", .unit = SOOTH_UNIT_BYTES)                                      \
	F(S, TEXT, frame, ALWAYS, "function of the stack", .may_shrink = true)                     \
	F(S, ENUM32, kind, ALWAYS,                                                                 \
		"where the code of the frame is: program, library, kernel, ...",                   \
		.names = &stack_kind_names, .is_hidden = true)                                     \
	F(S, U32, depth, ALWAYS, "depth of the row in the tree; 0: the root", .is_hidden = true)

ROW_TABLE(graph_row, GRAPH_ROW, "pages_graph", pages_graph_row);

static const struct sooth_schema *const tables[] = { &graph_row_schema, NULL };

struct graph_state {
	struct output *output;
	struct pages_graph_options options;
	struct profile_sums sums;
	struct page_held live;
	struct call_graph graph;
	struct graph_origin origin;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct graph_state *s = state;

	s->output = output;
	if (options)
		s->options = *(const struct pages_graph_options *)options;
	profile_sums_init(&s->sums);
	s->sums.naming.has_lines = true;
	page_held_init(&s->live);
	return call_graph_init(&s->graph) ? error_no_memory(err) : 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct graph_state *s = state;

	(void)err;
	profile_sums_add_batch(&s->sums, batch);
	graph_origin_add_batch(&s->origin, batch);
	batch_for_each (r, batch)
		page_held_add_record(&s->live, r);
	return 0;
}

/* Adds a stack; returns its weight. */
static uint64_t add_stack(struct graph_state *s, uint32_t stack, const struct page_sum *sum)
{
	struct call_graph_values values = { {
		[PAGES_REMAINING] = sum->remaining.pages * s->live.page_bytes,
		[PAGES_TOUCHED] = sum->touched * s->live.page_bytes,
		[PAGES_AT_PEAK] = page_held_at_peak(&s->live, sum).pages * s->live.page_bytes,
	} };

	if (!stack_frames_add(&s->graph, &s->sums, stack, &values))
		return 0;
	return values.of[s->options.weight];
}

static int put_row(struct output *output, const struct graph_frame *frame, struct sooth_error *err)
{
	struct pages_graph_row row = { .remaining_bytes = frame->of[PAGES_REMAINING],
		.touched_bytes = frame->of[PAGES_TOUCHED],
		.at_peak_bytes = frame->of[PAGES_AT_PEAK],
		.percent = frame->percent,
		.kind = frame->kind,
		.depth = frame->depth };
	struct record_tail tail[] = { tail_span(&row.frame, frame->name) };

	return OUTPUT_ROW(output, &row, tail, 1, err);
}

static const struct {
	const char *title, *column;
} weights[] = {
	[PAGES_REMAINING] = { "memory touched, and remaining", "remaining_bytes" },
	[PAGES_TOUCHED] = { "memory touched first", "touched_bytes" },
	[PAGES_AT_PEAK] = { "memory touched, and there at the peak", "at_peak_bytes" },
};

static int finish(void *state, struct sooth_error *err)
{
	struct graph_state *s = state;
	struct graph_view view = { .section = { .name = "pages_graph",
					   .schema = &graph_row_schema,
					   .if_empty = "no new page was touched" },
		.is_icicle = s->options.is_icicle,
		.least_share = s->options.least_share,
		.origin = &s->origin,
		.put = put_row };

	if (s->options.weight == PAGES_REMAINING && page_held_is_over(&s->live))
		s->options.weight = PAGES_AT_PEAK;
	view.weight = s->options.weight;
	view.section.title = weights[view.weight].title;
	view.column = weights[view.weight].column;
	map_for_each (&s->live.stacks, const uint32_t *, stack, void *, sum)
		view.all += add_stack(s, *stack, sum);
	return graph_view_emit(&view, &s->graph, s->output, err);
}

static void fini(void *state)
{
	struct graph_state *s = state;

	profile_sums_fini(&s->sums);
	page_held_fini(&s->live);
	graph_origin_fini(&s->origin);
	call_graph_fini(&s->graph);
}

const struct stage_type stage_pages_graph = {
	.name = "pages-graph",
	.help = "memory by the stacks that touched its pages, as a tree for flamegraphs",
	.shows = "profile",
	.tables = tables,
	STAGE_FUNCTIONS(struct graph_state),
};
