/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides whether a value grows: not whether it is larger at the end, but whether it grew in
 * most of the windows, or by steps that keep coming, and still does. A value that rose and
 * stopped, or goes up and down, does not grow. The extrapolation is limited to a fixed
 * multiple of the observation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct growth_point {
	uint64_t time_ns;
	double value;
};

struct growth {
	bool is_measured; /* the growth is measured: there were enough windows */
	bool grows;
	bool is_steady;		 /* grew in most of many windows */
	bool may_grow;		 /* grew by too few steps to decide: observe longer */
	unsigned windows, grown; /* `grown`: number of windows in which the value grew */
	double first, last;
	double per_s;	      /* the median slope between all pairs of points */
	uint64_t interval_ns; /* time from the first to the last point */
};

/* `noise` is the gain of a window that does not count as growth. windows_least is at least
 * 2. */
void growth_diagnose(struct growth *g, const struct growth_point *points, size_t count,
	unsigned windows_least, double noise);

/* Returns the largest fall from the highest value so far; of at least one point. */
double growth_largest_fall(const struct growth_point *points, size_t count);
/* Returns how far ahead an observation of that length predicts: a hundred times its length. */
double growth_foresight_ns(uint64_t interval_ns);
/* Sets `ns` to the time until a growing value reaches a limit; false if that is too far to
 * predict. */
bool growth_reaches(const struct growth *g, double limit, uint64_t *ns);
