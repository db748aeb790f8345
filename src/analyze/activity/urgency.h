/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of `sooth ps` and `sooth top`: the processes that need their user most come first. */
#pragma once

#include "model/field.h"

struct activity;

/* The first is the most urgent. */
enum urgency {
	URGENCY_NEEDS_YOU,
	URGENCY_SICK,	/* its requests fail, it is stopped, or a diagnosis found something */
	URGENCY_SILENT, /* the model sends nothing, or a tool neither computes nor writes */
	URGENCY_MODEL,
	URGENCY_TOOL,
	URGENCY_COMPUTES,
	URGENCY_IDLE,
	URGENCY_OTHER, /* a helper, or an agent whose activity is not known */
	URGENCY_LEFT_OVER,
	URGENCIES,
};

extern const struct sooth_names urgency_names;

/* Returns the urgency. Sets `flag` to its name ("NEEDS-YOU"); "": none, or a verdict has a flag. */
enum urgency urgency_of_activity(const struct activity *a, const char **flag);

struct urgency_rank {
	enum urgency urgency;
	double since_s;	    /* time in the activity; negative: not known */
	double cpu_percent; /* percent of one CPU; negative: not measured */
};
/* Orders waits by length, and work by CPU use. Small differences of CPU use do not count, so that
 * the rows of a live screen keep their places. */
int urgency_compare(struct urgency_rank a, struct urgency_rank b);
