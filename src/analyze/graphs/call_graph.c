/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/graphs/call_graph.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LISTED_MAX 8 /* children of a node in its list */

struct child_key {
	uint32_t parent, name;
	uint64_t kind;
};

static struct call_graph_node *nodes_of(const struct call_graph *g)
{
	return (void *)g->nodes.data;
}

int call_graph_init(struct call_graph *g)
{
	assert(g);
	*g = (struct call_graph){ 0 };
	names_init(&g->names, CALL_GRAPH_NODES_MAX, CALL_GRAPH_BYTES_MAX);
	map_init(&g->children, sizeof(struct child_key), sizeof(uint32_t), CALL_GRAPH_NODES_MAX);
	return buffer_zeros(&g->nodes, sizeof(struct call_graph_node)) ? 0 : -ENOMEM;
}

void call_graph_fini(struct call_graph *g)
{
	assert(g);
	buffer_fini(&g->nodes);
	names_fini(&g->names);
	map_fini(&g->children);
}

size_t call_graph_count(const struct call_graph *g)
{
	assert(g);
	return g->nodes.size / sizeof(struct call_graph_node);
}

struct call_graph_node *call_graph_node(const struct call_graph *g, size_t number)
{
	return &nodes_of(g)[number];
}

struct span call_graph_name(const struct call_graph *g, const struct call_graph_node *node)
{
	assert(g);
	assert(node);
	return node->depth ? names_get(&g->names, node->name) : span_of("", 0);
}

/* --- input --- */

static bool is_same_frame(const struct call_graph_node *a, const struct call_graph_node *b)
{
	return a->name == b->name && a->kind == b->kind;
}

/* Returns whether the node equals its parent's last child: consecutive stacks are often alike. */
static bool was_last(const struct call_graph *g, const struct call_graph_node *node)
{
	const struct call_graph_node *last =
		call_graph_node(g, call_graph_node(g, node->parent)->last);

	return last->depth == node->depth && is_same_frame(last, node);
}

/* Searches the list of the parent's children, and counts them. */
static uint32_t find_listed(
	const struct call_graph *g, const struct call_graph_node *node, size_t *count)
{
	uint32_t at = call_graph_node(g, node->parent)->first;

	for (*count = 0; at; at = call_graph_node(g, at)->next) {
		if (is_same_frame(call_graph_node(g, at), node))
			return at;
		++*count;
	}
	return CALL_GRAPH_NONE;
}

static uint32_t append_node(struct call_graph *g, const struct call_graph_node *node)
{
	uint32_t number = (uint32_t)call_graph_count(g);

	if (number >= CALL_GRAPH_NODES_MAX)
		return CALL_GRAPH_NONE;
	buffer_append(&g->nodes, node, sizeof(*node));
	return buffer_failed(&g->nodes) ? CALL_GRAPH_NONE : number;
}

static uint32_t add_listed(struct call_graph *g, struct call_graph_node *node)
{
	uint32_t number;

	node->next = call_graph_node(g, node->parent)->first;
	number = append_node(g, node);
	if (number)
		call_graph_node(g, node->parent)->first = number;
	return number;
}

static uint32_t find_or_add_mapped(struct call_graph *g, const struct call_graph_node *node)
{
	struct child_key key = { node->parent, node->name, node->kind };
	bool is_new;
	uint32_t *number = map_put(&g->children, &key, &is_new);

	if (!number)
		return CALL_GRAPH_NONE;
	if (is_new)
		*number = append_node(g, node);
	if (*number)
		return *number;
	map_remove(&g->children, &key);
	return CALL_GRAPH_NONE;
}

/* Finds or adds a node. Most frames have few children, so a short list is faster than a large
 * map. */
static uint32_t find_or_add(struct call_graph *g, struct call_graph_node *node)
{
	uint32_t number;
	size_t listed;

	if (was_last(g, node))
		return call_graph_node(g, node->parent)->last;
	number = find_listed(g, node, &listed);
	if (!number)
		number = listed < LISTED_MAX ? add_listed(g, node) : find_or_add_mapped(g, node);
	if (number)
		call_graph_node(g, node->parent)->last = number;
	return number;
}

uint32_t call_graph_below(
	struct call_graph *g, uint32_t parent, const struct call_graph_frame *frame)
{
	struct call_graph_node node = { .parent = parent,
		.depth = (uint16_t)(call_graph_node(g, parent)->depth + 1),
		.kind = frame->kind };
	struct span name = frame->name;

	if (name.size > CALL_GRAPH_NAME_MAX) {
		name.size = CALL_GRAPH_NAME_MAX;
		g->cut_names++;
	}
	node.name = names_put(&g->names, name, NULL);
	return node.name == NAMES_NONE ? CALL_GRAPH_NONE : find_or_add(g, &node);
}

uint32_t call_graph_add(struct call_graph *g, const struct call_graph_frame *stack, size_t depth,
	const struct call_graph_values *values)
{
	uint32_t at = CALL_GRAPH_NONE;
	size_t i;

	assert(g);
	assert(values);
	for (i = 0; i < depth && i < CALL_GRAPH_DEPTH_MAX; i++) {
		uint32_t below = call_graph_below(g, at, &stack[i]);

		if (below == CALL_GRAPH_NONE)
			break;
		at = below;
	}
	g->shortened += i < depth;
	for (size_t v = 0; v < CALL_GRAPH_KEPT; v++)
		nodes_of(g)[at].own.of[v] += values->of[v];
	return at;
}

/* --- output --- */

bool call_graph_sums(const struct call_graph *g, struct buffer *out)
{
	size_t count = call_graph_count(g);
	const struct call_graph_node *nodes = nodes_of(g);
	struct call_graph_values *sums = buffer_zeros(out, count * sizeof(*sums));

	if (!sums)
		return false;
	for (size_t i = 0; i < count; i++)
		sums[i] = nodes[i].own;
	/* Children have higher numbers than their parents, so sums are passed upward from the
	 * end. */
	for (size_t i = count; i-- > 1;) {
		for (size_t v = 0; v < CALL_GRAPH_KEPT; v++)
			sums[nodes[i].parent].of[v] += sums[i].of[v];
	}
	return true;
}

struct sibling {
	const struct call_graph *graph;
	uint64_t weight;
	uint32_t parent, node;
};

static int compare_by_parent_and_weight(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return span_compare(call_graph_name(x->graph, call_graph_node(x->graph, x->node)),
		call_graph_name(y->graph, call_graph_node(y->graph, y->node)));
}

/* Appends all nodes in depth-first order. first[i] is the place of the first child of node i. */
static void append_depth_first(
	const struct sibling *all, size_t count, uint32_t *first, struct buffer *out)
{
	uint32_t at = CALL_GRAPH_NONE;

	/* Take the next child, and advance first[i]; go up when no child is left. */
	for (;;) {
		uint32_t next = first[at];

		if (next < count && all[next].parent == at) {
			first[at]++;
			at = all[next].node;
			buffer_append(out, &at, sizeof(at));
		} else if (at == CALL_GRAPH_NONE) {
			return;
		} else {
			at = call_graph_node(all->graph, at)->parent;
		}
	}
}

bool call_graph_order(const struct call_graph *g, const struct call_graph_values *sums,
	size_t value, struct buffer *out)
{
	size_t count = call_graph_count(g) - 1;
	struct sibling *all = malloc((count ? count : 1) * sizeof(*all));
	uint32_t *first = malloc((count + 1) * sizeof(*first));

	assert(out);
	if (all && first && count) {
		for (uint32_t i = 0; i < count; i++)
			all[i] = (struct sibling){ .graph = g,
				.weight = sums[i + 1].of[value],
				.parent = call_graph_node(g, i + 1)->parent,
				.node = i + 1 };
		qsort(all, count, sizeof(*all), compare_by_parent_and_weight);
		for (size_t i = 0; i <= count; i++)
			first[i] = (uint32_t)count;
		for (size_t i = count; i-- > 0;)
			first[all[i].parent] = (uint32_t)i;
		append_depth_first(all, count, first, out);
	} else if (!all || !first) {
		out->failed = true;
	}
	free(all);
	free(first);
	return !buffer_failed(out);
}
