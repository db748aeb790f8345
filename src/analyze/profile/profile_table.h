/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the views of a profile, and what these views share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "analyze/graphs/call_graph.h"
#include "analyze/profile/profile_sums.h"
#include "explain/output.h"

/* Zeroed: the defaults. */
struct profile_options {
	const char *role;   /* only threads of this role or name; NULL: all */
	double least_share; /* share of all samples; smaller rows are left out */
	struct frame_naming naming;
	bool by_total;	/* table: sort by samples including callees, not by own samples */
	bool is_icicle; /* picture: the first frames on top */
	/* The stacks are for a picture: scripts have their lines, waits the color of their reason,
	 * and waits for time are left out unless `has_sleep`. */
	bool is_drawn, has_sleep;
	bool folds_chains;  /* a frame and its only callee are one row */
	enum profile_of of; /* samples, waits by their time, or both */
	/* Graph to fill with the stacks (values: samples as calls, CPU time) instead of printing
	 * them; `period_ns`: set to the CPU time between samples. NULL: print the stacks. */
	struct call_graph *keep;
	uint64_t *period_ns;
	/* Pages: whether the tables are details, because another view has the answer; read at the
	 * end. NULL: they are not. */
	const bool *is_explained;
};

/* The output, options and input of a view of a profile. */
struct profile_view {
	struct output *output;
	struct profile_options options;
	struct profile_sums sums;
};

/* Initializes the view. `options`: struct profile_options; NULL: defaults. */
static inline void profile_view_init(
	struct profile_view *v, struct output *output, const void *options)
{
	v->output = output;
	if (options)
		memcpy(&v->options, options, sizeof(v->options));
	profile_sums_init(&v->sums);
	v->sums.naming = v->options.naming;
}

/* Returns whether threads of this role are selected. */
static inline bool profile_view_has(const struct profile_view *v, struct span role)
{
	return !v->options.role || span_equal(role, v->options.role);
}
