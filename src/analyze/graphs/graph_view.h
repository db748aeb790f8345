/* SPDX-License-Identifier: BSD-2-Clause */
/* A call graph as rows of a view's own schema, each frame below its caller, as wide as one of its
 * values. */
#ifndef SOOTH_ANALYZE_GRAPH_VIEW_H
#define SOOTH_ANALYZE_GRAPH_VIEW_H

#include "analyze/graphs/call_graph.h"
#include "analyze/graphs/graph_origin.h"
#include "explain/output.h"

struct graph_frame {
	const uint64_t *of; /* its values, with those of all below */
	double percent;	    /* of the sum of the weight */
	uint32_t depth;
	uint8_t kind;
	struct span name;
};

struct graph_view {
	struct section section; /* its name, title, schema, and the text for no rows */
	const char *column;	/* that has the weight */
	size_t weight;		/* its value in a node */
	uint64_t all;		/* the sum of it */
	bool is_icicle;
	double least_share;
	const struct graph_origin *origin;
	int (*put)(struct output *output, const struct graph_frame *frame, struct sooth_error *err);
};

/* The schema has the fields "frame", "kind" and "depth". */
int graph_view_emit(const struct graph_view *v, const struct call_graph *g, struct output *output,
	struct sooth_error *err);

#endif
