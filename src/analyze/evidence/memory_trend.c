/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/memory_trend.h"

#include <assert.h>
#include <math.h>

#include "base/units.h"

#define PARTS 4 /* parts of the observation; their lowest values are compared */

NUMBER(FALLS_LEAST, 2, NONE, "falls from which rising lows count");
NUMBER(STRETCH_NS, 15 * NS_PER_S, NS, "least observation for rising lows");

size_t memory_trend_points(const struct check *e, struct growth_point out[MEMORY_POINTS_MAX])
{
	size_t count = 0;

	assert(e);
	for (size_t i = 0; i < e->series.count && count < MEMORY_POINTS_MAX; i++) {
		const struct sample_point *p = &e->series.points[i];

		/* The times of a capture may go back. */
		if (count && p->time_ns < out[count - 1].time_ns)
			continue;
		if (p->state != 'Z' && p->rss_bytes)
			out[count++] = (struct growth_point){ p->time_ns, (double)p->rss_bytes };
	}
	return count;
}

/* Finds the points that are lower than both neighbors. */
static size_t floors_of(const struct growth_point *points, size_t count, double noise,
	struct growth_point out[MEMORY_POINTS_MAX])
{
	size_t found = 0;
	bool has_fallen = false;

	for (size_t i = 1; i + 1 < count; i++) {
		if (points[i].value < points[i - 1].value - noise)
			has_fallen = true;
		if (!has_fallen || points[i + 1].value <= points[i].value)
			continue;
		out[found++] = points[i];
		has_fallen = false;
	}
	return found;
}

/* Compares the lowest values in equal time ranges: memory that only fluctuates returns to the same
 * lows. */
static void compare_lows(
	struct memory_trend *j, const struct growth_point *points, size_t count, double noise)
{
	uint64_t from_ns = points[0].time_ns, all_ns = points[count - 1].time_ns - from_ns;
	double low[PARTS] = { 0 }, highest = 0;

	for (size_t i = 0; i < count; i++) {
		size_t part = (size_t)((points[i].time_ns - from_ns) / (all_ns / PARTS + 1));

		if (!low[part] || points[i].value < low[part])
			low[part] = points[i].value;
		if (part + 1 < PARTS && points[i].value > highest)
			highest = points[i].value;
	}
	j->is_rising = true;
	for (size_t i = 1; i < PARTS; i++)
		j->is_rising &= low[i - 1] > 0 && low[i] > low[i - 1] + noise;
	j->low_gain = low[PARTS - 1] && low[0] ? low[PARTS - 1] - low[0] : 0;
	j->has_stopped = points[count - 1].value <= highest + noise;
	if (!j->is_rising || j->falls < FALLS_LEAST || all_ns < STRETCH_NS)
		return;
	j->growth.grows = j->is_of_floors = true;
	j->growth.first = low[0];
	j->growth.last = low[PARTS - 1];
	j->growth.per_s = j->low_gain * (double)NS_PER_S / (double)j->growth.interval_ns;
}

/* Returns how far the growth deviates from a straight line, as a part of the gain. */
static double bend_of(const struct growth_point *points, size_t count)
{
	const struct growth_point *first = &points[0], *last = &points[count - 1];
	double gain = last->value - first->value, most = 0;
	double all_ns = (double)(last->time_ns - first->time_ns);

	if (gain <= 0 || all_ns <= 0)
		return 1;
	for (size_t i = 0; i < count; i++) {
		double at_ns = (double)(points[i].time_ns - first->time_ns);
		double off = fabs(points[i].value - first->value - gain * at_ns / all_ns);

		if (off > most)
			most = off;
	}
	return most / gain;
}

static double late_of(const struct growth_point *points, size_t count)
{
	const struct growth_point *first = &points[0], *last = &points[count - 1];
	uint64_t from_ns = first->time_ns + (last->time_ns - first->time_ns) / 3 * 2;
	double gain = last->value - first->value;
	size_t i = 0;

	while (i + 1 < count && points[i + 1].time_ns <= from_ns)
		i++;
	return gain > 0 ? (last->value - points[i].value) / gain : 0;
}

static double largest_fall(const struct growth_point *points, size_t count)
{
	double highest = 0, most = 0;

	for (size_t i = 0; i < count; i++) {
		if (points[i].value > highest)
			highest = points[i].value;
		if (highest - points[i].value > most)
			most = highest - points[i].value;
	}
	return most;
}

void memory_trend_of(struct memory_trend *j, const struct check *e,
	const struct growth_point *points, size_t count)
{
	unsigned windows = (unsigned)check_option(e, "min-windows");
	double noise = check_option(e, "noise");
	struct growth_point floors[MEMORY_POINTS_MAX];
	struct growth of_floors;

	assert(j);
	*j = (struct memory_trend){ .bend = bend_of(points, count),
		.late = late_of(points, count),
		.largest_fall = largest_fall(points, count) };
	growth_diagnose(&j->growth, points, count, windows, noise);
	j->falls = (unsigned)floors_of(points, count, noise, floors);
	if (j->growth.grows || !j->growth.is_measured)
		return;
	if (j->falls > windows) {
		growth_diagnose(&of_floors, floors, j->falls, windows, noise);
		if (of_floors.grows) {
			j->growth = of_floors;
			j->is_of_floors = true;
			return;
		}
	}
	compare_lows(j, points, count, noise);
}
