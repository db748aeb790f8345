/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/graphs/graph_view.h"

#include <assert.h>

static int put_frames(const struct graph_view *v, const struct call_graph *g,
	const struct call_graph_values *sums, const struct buffer *order, uint32_t *depths,
	struct output *output, struct sooth_error *err)
{
	int status = 0;

	buffer_each_while (const uint32_t, number, order, !status) {
		const struct call_graph_node *node = call_graph_node(g, *number);
		struct graph_frame frame = {
			.of = sums[*number].of, .kind = node->kind, .name = call_graph_name(g, node)
		};
		uint64_t weight = frame.of[v->weight];

		depths[*number] = node->parent ? depths[node->parent] + 1 : 0;
		frame.depth = depths[*number];
		frame.percent = v->all ? 100.0 * (double)weight / (double)v->all : 0;
		if (weight)
			status = v->put(output, &frame, err);
	}
	return status;
}

static int emit_graph(const struct graph_view *v, const struct call_graph *g,
	const struct call_graph_values *sums, const struct buffer *order, uint32_t *depths,
	struct output *output, struct sooth_error *err)
{
	struct buffer origin = { 0 };
	struct section_graph graph = { .about = "functions",
		.weight = v->column,
		.kind = "kind",
		.is_icicle = v->is_icicle,
		.least_share = v->least_share };
	struct section section = v->section;
	int status;

	section.shape = SECTION_TABLE;
	section.tree = "frame";
	section.depth = "depth";
	section.graph = &graph;
	graph_origin_put(v->origin, &origin);
	graph_origin_put_lost(v->origin, &origin);
	graph.origin = buffer_cstr(&origin);
	status = output_section(output, &section, err);
	if (!status)
		status = put_frames(v, g, sums, order, depths, output, err);
	/* The section is a local variable: close it before it goes out of scope. */
	status = status ? status : output_close_section(output, err);
	buffer_fini(&origin);
	return status;
}

int graph_view_emit(const struct graph_view *v, const struct call_graph *g, struct output *output,
	struct sooth_error *err)
{
	struct buffer sums = { 0 }, order = { 0 }, depths = { 0 };
	int status;

	assert(v);
	if (!call_graph_sums(g, &sums) ||
		!call_graph_order(g, (const void *)sums.data, v->weight, &order) ||
		!buffer_zeros(&depths, call_graph_count(g) * sizeof(uint32_t)))
		status = error_no_memory(err);
	else
		status = emit_graph(
			v, g, (const void *)sums.data, &order, (void *)depths.data, output, err);
	buffer_fini(&sums);
	buffer_fini(&order);
	buffer_fini(&depths);
	return status;
}
