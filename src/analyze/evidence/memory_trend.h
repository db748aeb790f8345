/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the resident memory of a process developed: whether it grows, comes back to its lows, or
 * stopped growing. Needs the options min-windows and noise of the check.
 */
#ifndef SOOTH_ANALYZE_MEMORY_TREND_H
#define SOOTH_ANALYZE_MEMORY_TREND_H

#include "analyze/diagnosis/check.h"

#define MEMORY_POINTS_MAX 512

struct memory_trend {
	struct growth growth;
	bool is_of_floors; /* `growth` is measured between lows, after memory was freed */
	unsigned falls;
	double low_gain;     /* from the lows of the first part of the time to those of the last */
	bool is_rising;	     /* the lows of each part are above those of the previous part */
	bool has_stopped;    /* no growth in the last part */
	double largest_fall; /* largest fall from the highest value so far */
	double late;	     /* share of the gain that came in the last third of the time */
	double bend;	     /* largest distance from a straight line, as a share of the gain */
};

size_t memory_trend_points(const struct check *e, struct growth_point out[MEMORY_POINTS_MAX]);
/* `points`: at least two. */
void memory_trend_of(struct memory_trend *j, const struct check *e,
	const struct growth_point *points, size_t count);

#endif
