/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the views of a profile. */
#ifndef SOOTH_ANALYZE_PROFILE_TABLE_H
#define SOOTH_ANALYZE_PROFILE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "analyze/graphs/call_graph.h"
#include "analyze/profile/profile_sums.h"

/* Zeroed: the defaults. */
struct profile_options {
	const char *role;   /* only threads of this role or name; NULL: all */
	double least_share; /* of all samples: less is left out */
	struct frame_naming naming;
	bool by_total;	   /* the table: functions with what they call, not by themselves, first */
	bool is_icicle;	   /* a picture: the first frames on top */
	bool folds_chains; /* a frame and its only callee are one row */
	enum profile_of of; /* stacks of waits, by their time, instead of samples or beside them */
	/* Graph that is filled with the stacks (values: samples as calls, CPU time) instead of
	 * printing them; the CPU time between two samples is set too. NULL: they are printed. */
	struct call_graph *keep;
	uint64_t *period_ns;
};

#endif
