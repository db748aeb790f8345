/* SPDX-License-Identifier: BSD-2-Clause */
/* A call graph as rows of a view's own schema, each frame below its caller, as wide as one of its
 * values. */
#pragma once

#include "analyze/graphs/call_graph.h"
#include "analyze/graphs/graph_origin.h"
#include "explain/output.h"

struct graph_frame {
	const uint64_t *of; /* values of the frame and all frames below */
	double percent;	    /* percent of graph_view.all */
	uint32_t depth;
	uint8_t kind;
	struct span name;
};

struct graph_view {
	struct section section; /* name, title, schema, and the text for no rows */
	const char *column;	/* column with the weight */
	size_t weight;		/* index of the weight in the values of a node */
	uint64_t all;		/* sum of the weight over all stacks */
	bool is_icicle;
	double least_share;
	const struct graph_origin *origin;
	int (*put)(struct output *output, const struct graph_frame *frame, struct sooth_error *err);
};

/* Emits the graph as rows. The schema has the fields "frame", "kind" and "depth". */
int graph_view_emit(const struct graph_view *v, const struct call_graph *g, struct output *output,
	struct sooth_error *err);
