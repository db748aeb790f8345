/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks as a tree; see call_graph.h. */
#include "analyze/call_graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct name_key {
	uint64_t hash;
};

struct name_place {
	uint32_t at, size;
};

/* Names are kept once, so where one is says which it is. */
struct child_key {
	uint32_t parent, name_at;
	uint64_t kind;
};

static struct call_graph_node *nodes_of(const struct call_graph *g)
{
	return (void *)g->nodes.data;
}

int call_graph_init(struct call_graph *g)
{
	*g = (struct call_graph){ .names.limit = CALL_GRAPH_BYTES_MAX };
	map_init(&g->by_name, sizeof(struct name_key), sizeof(struct name_place),
		CALL_GRAPH_NODES_MAX);
	map_init(&g->children, sizeof(struct child_key), sizeof(uint32_t), CALL_GRAPH_NODES_MAX);
	return buffer_zeros(&g->nodes, sizeof(struct call_graph_node)) ? 0 : -ENOMEM;
}

void call_graph_fini(struct call_graph *g)
{
	buffer_fini(&g->nodes);
	buffer_fini(&g->names);
	map_fini(&g->by_name);
	map_fini(&g->children);
}

size_t call_graph_count(const struct call_graph *g)
{
	return g->nodes.size / sizeof(struct call_graph_node);
}

const struct call_graph_node *call_graph_node(const struct call_graph *g, size_t number)
{
	return &nodes_of(g)[number];
}

struct span call_graph_name(const struct call_graph *g, const struct call_graph_node *node)
{
	return span_of((const char *)g->names.data + node->name_at, node->name_size);
}

/* --- names --- */

static uint64_t hash_of(struct span text)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < text.size; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3u;
	return hash;
}

static bool is_at(const struct call_graph *g, const struct name_place *place, struct span text)
{
	return place->size == text.size &&
	       (!text.size || !memcmp(g->names.data + place->at, text.data, text.size));
}

static bool keep_name(struct call_graph *g, struct span text, struct name_place *place)
{
	size_t at = g->names.size;

	if (at + text.size > CALL_GRAPH_BYTES_MAX)
		return false;
	buffer_append(&g->names, text.data, text.size);
	*place = (struct name_place){ (uint32_t)at, (uint32_t)text.size };
	return !buffer_failed(&g->names);
}

/* Where the name is; two of one hash stand behind each other. False: no room. */
static bool find_name(struct call_graph *g, struct span text, struct name_place *place)
{
	struct name_key key = { hash_of(text) };
	struct name_place *known;
	bool is_new;

	if (g->names.size + text.size > CALL_GRAPH_BYTES_MAX)
		return false;
	for (;; key.hash++) {
		known = map_put(&g->by_name, &key, &is_new);
		if (!known)
			return false;
		if (is_new && !keep_name(g, text, known)) {
			map_remove(&g->by_name, &key);
			return false;
		}
		if (is_at(g, known, text))
			break;
	}
	*place = *known;
	return true;
}

/* --- adding --- */

uint32_t call_graph_below(
	struct call_graph *g, uint32_t parent, const struct call_graph_frame *frame)
{
	struct span name = frame->name;
	struct call_graph_node node = { .parent = parent, .kind = frame->kind };
	struct child_key key = { .parent = parent, .kind = frame->kind };
	struct name_place place;
	uint32_t *number;
	bool is_new;

	if (name.size > CALL_GRAPH_NAME_MAX) {
		name.size = CALL_GRAPH_NAME_MAX;
		g->cut_names++;
	}
	if (!find_name(g, name, &place))
		return CALL_GRAPH_NOBODY;
	key.name_at = place.at;
	/* The empty name may stand where another one begins. */
	key.kind |= (uint64_t)!place.size << 32;
	number = map_put(&g->children, &key, &is_new);
	if (!number)
		return CALL_GRAPH_NOBODY;
	if (!is_new)
		return *number;
	*number = (uint32_t)call_graph_count(g);
	node.depth = (uint16_t)(call_graph_node(g, parent)->depth + 1);
	node.name_at = place.at;
	node.name_size = place.size;
	buffer_append(&g->nodes, &node, sizeof(node));
	if (!buffer_failed(&g->nodes))
		return *number;
	map_remove(&g->children, &key);
	return CALL_GRAPH_NOBODY;
}

void call_graph_add(struct call_graph *g, const struct call_graph_frame *stack, size_t depth,
	const struct call_graph_values *values)
{
	uint32_t at = CALL_GRAPH_NOBODY;
	size_t i;

	for (i = 0; i < depth && i < CALL_GRAPH_DEPTH_MAX; i++) {
		uint32_t below = call_graph_below(g, at, &stack[i]);

		if (below == CALL_GRAPH_NOBODY)
			break;
		at = below;
	}
	g->shortened += i < depth;
	for (size_t v = 0; v < CALL_GRAPH_VALUES; v++)
		nodes_of(g)[at].own.of[v] += values->of[v];
}

/* --- telling --- */

bool call_graph_sums(const struct call_graph *g, struct buffer *out)
{
	size_t count = call_graph_count(g);
	const struct call_graph_node *nodes = nodes_of(g);
	struct call_graph_values *sums = buffer_zeros(out, count * sizeof(*sums));

	if (!sums)
		return false;
	for (size_t i = 0; i < count; i++)
		sums[i] = nodes[i].own;
	/* Whatever is below another came after it. */
	for (size_t i = count; i-- > 1;) {
		for (size_t v = 0; v < CALL_GRAPH_VALUES; v++)
			sums[nodes[i].parent].of[v] += sums[i].of[v];
	}
	return true;
}

struct sibling {
	const struct call_graph *graph;
	uint64_t weight;
	uint32_t parent, node;
};

static int by_parent_and_weight(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return span_compare(call_graph_name(x->graph, call_graph_node(x->graph, x->node)),
		call_graph_name(y->graph, call_graph_node(y->graph, y->node)));
}

/* Siblings stand together: first[i] is where those below node i begin. */
static void walk(const struct sibling *all, size_t count, uint32_t *first, struct buffer *out)
{
	uint32_t at = CALL_GRAPH_NOBODY;

	/* first[i] moves on with each one taken; up again when there is none left. */
	for (;;) {
		uint32_t next = first[at];

		if (next < count && all[next].parent == at) {
			first[at]++;
			at = all[next].node;
			buffer_append(out, &at, sizeof(at));
		} else if (at == CALL_GRAPH_NOBODY) {
			return;
		} else {
			at = call_graph_node(all->graph, at)->parent;
		}
	}
}

bool call_graph_order(const struct call_graph *g, const uint64_t *weights, struct buffer *out)
{
	size_t count = call_graph_count(g) - 1;
	struct sibling *all = malloc((count ? count : 1) * sizeof(*all));
	uint32_t *first = malloc((count + 1) * sizeof(*first));

	if (all && first && count) {
		for (uint32_t i = 0; i < count; i++)
			all[i] = (struct sibling){ .graph = g,
				.weight = weights[i + 1],
				.parent = call_graph_node(g, i + 1)->parent,
				.node = i + 1 };
		qsort(all, count, sizeof(*all), by_parent_and_weight);
		for (size_t i = 0; i <= count; i++)
			first[i] = (uint32_t)count;
		for (size_t i = count; i-- > 0;)
			first[all[i].parent] = (uint32_t)i;
		walk(all, count, first, out);
	} else if (!all || !first) {
		out->failed = true;
	}
	free(all);
	free(first);
	return !buffer_failed(out);
}
