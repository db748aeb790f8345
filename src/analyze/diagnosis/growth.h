/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a figure grows: not whether it is more at the end, but whether it grew in most of
 * the windows, or by steps that keep coming, and goes on to. A figure that went up and stopped,
 * or goes up and down, does not grow. A line is never drawn further than the observation is long,
 * times a factor that the caller states.
 */
#ifndef SOOTH_ANALYZE_GROWTH_H
#define SOOTH_ANALYZE_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct growth_point {
	uint64_t time_ns;
	double value;
};

struct growth {
	bool is_measured; /* there were enough windows */
	bool grows;
	bool is_steady; /* in most windows, of which there were many */
	bool may_grow;	/* by steps, of which there were too few to tell: watch for longer */
	unsigned windows, grown; /* how many there were, and in how many it grew */
	double first, last;
	double per_s;	      /* the middle one of the slopes between all pairs of points */
	uint64_t interval_ns; /* between first and last */
};

/* `noise` is what a window may gain without having grown. windows_least at least 2. */
void growth_diagnose(struct growth *g, const struct growth_point *points, size_t count,
	unsigned windows_least, double noise);

/* How long until a growing figure is at a limit; false when that is further off than a hundred
 * times as long as it was watched: nobody knows so far. */
bool growth_reaches(const struct growth *g, double limit, uint64_t *ns);

#endif
