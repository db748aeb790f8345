/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of `sooth ps` and `sooth top`: what needs its reader most comes first. */
#ifndef SOOTH_ANALYZE_URGENCY_H
#define SOOTH_ANALYZE_URGENCY_H

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

/* Sets the flag that says so: "NEEDS-YOU"; "": none, or verdicts have it. */
enum urgency urgency_of_activity(const struct activity *a, const char **flag);

struct urgency_rank {
	enum urgency urgency;
	double since_s;	    /* in its activity; negative: not known */
	double cpu_percent; /* negative: not measured */
};
/* Orders waits by length, work by CPU use; small differences of CPU use do not count, so rows of a
 * live screen keep their places. */
int urgency_compare(struct urgency_rank a, struct urgency_rank b);

#endif
