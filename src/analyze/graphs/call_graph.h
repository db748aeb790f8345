/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks as a tree: each frame once below the one it stands in, with what was measured in it.
 * Whoever has stacks adds them as lists of names with values: system calls, samples, allocations.
 *
 * Bounded: a stack whose last frames find no room leaves its values with the deepest frame that
 * has one, so sums stay whole, and it is counted in `shortened`.
 */
#ifndef SOOTH_ANALYZE_CALL_GRAPH_H
#define SOOTH_ANALYZE_CALL_GRAPH_H

#include "base/names.h"

#define CALL_GRAPH_NODES_MAX (1u << 20)
#define CALL_GRAPH_BYTES_MAX (256u << 20) /* of all names */
#define CALL_GRAPH_DEPTH_MAX 512
#define CALL_GRAPH_NAME_MAX  4096 /* longer ones are cut: their beginning tells them apart */
#define CALL_GRAPH_NONE	     0	  /* the root, which has no name and stands above all */

/* What is measured of a stack. */
enum call_graph_value {
	CALL_GRAPH_CALLS,
	CALL_GRAPH_TIME, /* ns */
	CALL_GRAPH_BYTES,
	CALL_GRAPH_ERRORS,
	CALL_GRAPH_VALUES,
};

struct call_graph_values {
	uint64_t of[CALL_GRAPH_VALUES];
};

struct call_graph_frame {
	struct span name;
	uint8_t kind; /* of the caller's own: what the frame is, for colours */
};

struct call_graph_node {
	uint32_t parent;
	uint32_t name;	      /* number */
	uint32_t last;	      /* child that was asked for; 0: none */
	uint32_t first, next; /* child, and sibling, in its list; 0: none */
	uint16_t depth;	      /* of the first frame: 1 */
	uint8_t kind;
	struct call_graph_values own; /* of stacks that end here */
};

struct call_graph {
	struct buffer nodes; /* struct call_graph_node; parents come before their children */
	struct names names;
	struct map children; /* parent and name -> uint32_t node: of those that no list holds */
	uint64_t shortened;  /* stacks */
	uint64_t cut_names;
};

int call_graph_init(struct call_graph *g);
void call_graph_fini(struct call_graph *g);
void call_graph_add(struct call_graph *g, const struct call_graph_frame *stack, size_t depth,
	const struct call_graph_values *values);
size_t call_graph_count(const struct call_graph *g); /* nodes, the root among them */
struct call_graph_node *call_graph_node(const struct call_graph *g, size_t number);
struct span call_graph_name(const struct call_graph *g, const struct call_graph_node *node);
/* The node of that name and kind below another; made when there is none. The root's number when
 * there is no room. */
uint32_t call_graph_below(
	struct call_graph *g, uint32_t parent, const struct call_graph_frame *frame);

/* By node: its own values and those of all below it. False: no memory. */
bool call_graph_sums(const struct call_graph *g, struct buffer *out);
/* Node numbers without the root, each before what is below it; of those below the same the one
 * with the larger value first (of `sums`, one a node), then by name. False: no memory. */
bool call_graph_order(const struct call_graph *g, const struct call_graph_values *sums,
	size_t value, struct buffer *out);

#endif
