/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of a flamegraph as its sink received them, and their positions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/names.h"
#include "explain/sink.h"
#include "sinks/svg.h"

#define FLAMEGRAPH_CHANGES 9

static const struct {
	const char *class_, *words;
} flamegraph_changes[FLAMEGRAPH_CHANGES] = {
	{ "less4", "gone, or nearly" },
	{ "less3", "half or less" },
	{ "less2", "less by a quarter" },
	{ "less1", "a little less" },
	{ "same", "the same, or noise" },
	{ "more1", "a little more" },
	{ "more2", "more by a third" },
	{ "more3", "double or more" },
	{ "more4", "new, or nearly" },
};

/* Writes the CSS class for a change; has to agree with flamegraph.js. */
static inline void flamegraph_change_class(
	char out[32], uint64_t before, uint64_t after, bool differs)
{
	double larger = (double)(before > after ? before : after);
	double change = larger > 0 ? ((double)after - (double)before) / larger : 0;
	double size = change < 0 ? -change : change;
	int level = size > 0.9 ? 4 : size >= 0.5 ? 3 : size >= 0.25 ? 2 : 1;

	if (!differs || !(size > 0))
		snprintf(out, 32, "same");
	else
		snprintf(out, 32, "%s%d", change < 0 ? "less" : "more", level);
}
#define FLAMEGRAPH_DEPTH_MAX 512
#define FLAMEGRAPH_NONE	     UINT32_MAX

struct flamegraph_frame {
	uint64_t value, before, after;
	uint64_t from;	 /* start of the frame, in units of `value` */
	uint32_t parent; /* FLAMEGRAPH_NONE: none */
	uint32_t name;	 /* number */
	uint16_t depth;
	uint8_t kind;
	bool differs, is_own, is_kept, is_boxed;
};

struct flamegraph_tree {
	struct names names;  /* names as received */
	struct names plain;  /* names as shown */
	struct buffer shown; /* uint32_t: number in `plain`, by number in `names` */
	struct buffer scratch;
	struct buffer frames; /* struct flamegraph_frame, parents before children */
	uint32_t above[FLAMEGRAPH_DEPTH_MAX];
	size_t depth; /* depth of the last frame, plus 1 */
	uint64_t total, total_before, total_after;
	bool differs;	  /* one of the first frames differs */
	uint64_t refused; /* rows that found no room */
	bool is_small;
	/* After flamegraph_tree_lay_out(): */
	size_t kept, levels;
	uint64_t left_out, left_out_value, left_out_widest;
};

struct flamegraph_fields {
	const struct sooth_field *name, *depth, *weight, *kind, *own, *before, *after, *differs;
};

/* is_small: keeps fewer frames, for a page with several pictures. */
void flamegraph_tree_init(struct flamegraph_tree *t, bool is_small);
void flamegraph_tree_fini(struct flamegraph_tree *t);
void flamegraph_tree_add(struct flamegraph_tree *t, const struct flamegraph_fields *fields,
	const struct sooth_record *row);
size_t flamegraph_tree_count(const struct flamegraph_tree *t);
struct flamegraph_frame *flamegraph_tree_frame(const struct flamegraph_tree *t, size_t number);
/* Chooses the widest frames that fit into the file, and sets their positions. False: out of
 * memory. */
bool flamegraph_tree_lay_out(struct flamegraph_tree *t, double least_share);
