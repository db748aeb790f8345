/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks as a tree: each frame once below its caller, with its values. Callers add stacks as lists
 * of names with values: system calls, samples, allocations.
 *
 * Bounded: a stack whose last frames do not fit leaves its values with the deepest frame that does,
 * so sums stay complete, and it counts in `shortened`.
 */
#pragma once

#include "base/names.h"

#define CALL_GRAPH_NODES_MAX (1u << 20)
#define CALL_GRAPH_BYTES_MAX (256u << 20) /* size of all names together */
#define CALL_GRAPH_DEPTH_MAX 512
#define CALL_GRAPH_NAME_MAX  4096 /* longer names are cut: their beginning is unique enough */
#define CALL_GRAPH_NONE	     0	  /* the root, which has no name and is above all others */

/* The values of a stack. */
enum call_graph_value {
	CALL_GRAPH_CALLS,
	CALL_GRAPH_TIME, /* ns */
	CALL_GRAPH_BYTES,
	CALL_GRAPH_ERRORS,
	CALL_GRAPH_VALUES,
};

#define CALL_GRAPH_KEPT                                                                            \
	(CALL_GRAPH_VALUES + 1) /* values in a node; callers may use the extra one */

struct call_graph_values {
	uint64_t of[CALL_GRAPH_KEPT];
};

struct call_graph_frame {
	struct span name;
	uint8_t kind; /* type of the frame, chosen by the caller, for colors */
};

struct call_graph_node {
	uint32_t parent;
	uint32_t name;	      /* number in `names` */
	uint32_t last;	      /* child that was used last; 0: none */
	uint32_t first, next; /* first child; next sibling; 0: none */
	uint16_t depth;	      /* the first frame has 1 */
	uint8_t kind;
	struct call_graph_values own; /* values of stacks that end here */
};

struct call_graph {
	struct buffer nodes; /* struct call_graph_node; parents come before their children */
	struct names names;
	struct map children; /* parent and name -> uint32_t node, for nodes in no child list */
	uint64_t shortened;  /* stacks that did not fit */
	uint64_t cut_names;
};

int call_graph_init(struct call_graph *g);
void call_graph_fini(struct call_graph *g);
/* Returns the node of the last frame. */
uint32_t call_graph_add(struct call_graph *g, const struct call_graph_frame *stack, size_t depth,
	const struct call_graph_values *values);
size_t call_graph_count(const struct call_graph *g); /* number of nodes, with the root */
struct call_graph_node *call_graph_node(const struct call_graph *g, size_t number);
struct span call_graph_name(const struct call_graph *g, const struct call_graph_node *node);
/* Returns the child of `parent` with that name and kind, added if new; the root if there is no
 * room. */
uint32_t call_graph_below(
	struct call_graph *g, uint32_t parent, const struct call_graph_frame *frame);

/* Appends for each node its own values plus those of all nodes below. False: out of memory. */
bool call_graph_sums(const struct call_graph *g, struct buffer *out);
/* Appends node numbers without the root, parents before children; siblings by value (in `sums`, one
 * per node), largest first, then by name. False: out of memory. */
bool call_graph_order(const struct call_graph *g, const struct call_graph_values *sums,
	size_t value, struct buffer *out);
