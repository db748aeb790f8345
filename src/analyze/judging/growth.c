/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See growth.h. The slope is the median of those between all pairs of points (Theil 1950,
 * Sen 1968): one jump does not make it.
 */
#include "analyze/judging/growth.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define POINTS_MAX  64	 /* more are thinned out: pairs are the square of it */
#define FORESIGHT   100	 /* intervals */
#define GROWN_SHARE 0.75 /* of the windows */

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median_slope(const struct growth_point *points, size_t count)
{
	double slopes[POINTS_MAX * (POINTS_MAX - 1) / 2];
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++)
			slopes[n++] = (points[k].value - points[i].value) * (double)NS_PER_S /
				      (double)(points[k].time_ns - points[i].time_ns);
	qsort(slopes, n, sizeof(*slopes), by_value);
	return n ? slopes[n / 2] : 0;
}

/*
 * So far apart that a window says something: on a busy machine samples come late and then in a
 * heap, and in no time nothing grows. At most POINTS_MAX - 1 that far apart, and the last one.
 */
static uint64_t least_gap(const struct growth_point *points, size_t count)
{
	uint64_t all_ns = points[count - 1].time_ns - points[0].time_ns;
	uint64_t by_count = count > 1 ? all_ns / (count - 1) / 2 : 0;
	uint64_t by_room = all_ns / (POINTS_MAX - 1);

	return count > POINTS_MAX && by_room > by_count ? by_room : by_count;
}

/* The last one stays, whatever it takes the place of. */
static size_t thin_out(
	struct growth_point kept[POINTS_MAX], const struct growth_point *points, size_t count)
{
	uint64_t gap_ns = count ? least_gap(points, count) : 0;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		bool is_close = n && (points[i].time_ns <= kept[n - 1].time_ns ||
					     points[i].time_ns - kept[n - 1].time_ns < gap_ns);

		if (!is_close && n < POINTS_MAX)
			kept[n++] = points[i];
		else if (i + 1 == count && n > 1 && points[i].time_ns > kept[n - 2].time_ns)
			kept[n - 1] = points[i];
	}
	return n;
}

/* It grew in the last window too, and never fell by more than a window gains. */
static bool goes_on(const struct growth_point *points, size_t count, double noise)
{
	double highest = points[0].value;
	double mean = (points[count - 1].value - points[0].value) / (double)(count - 1);

	for (size_t i = 1; i < count; i++) {
		if (points[i].value < highest - mean - noise)
			return false;
		if (points[i].value > highest)
			highest = points[i].value;
	}
	return points[count - 1].value > points[count - 2].value + noise;
}

void growth_judge(struct growth *g, const struct growth_point *points, size_t count,
	unsigned windows_least, double noise)
{
	struct growth_point kept[POINTS_MAX];

	*g = (struct growth){ 0 };
	count = thin_out(kept, points, count);
	if (!count)
		return;
	g->first = kept[0].value;
	g->last = kept[count - 1].value;
	g->interval_ns = kept[count - 1].time_ns - kept[0].time_ns;
	g->windows = (unsigned)count - 1;
	if (count < 2 || g->windows < windows_least)
		return;
	g->is_measured = true;
	for (size_t i = 1; i < count; i++)
		g->grown += kept[i].value > kept[i - 1].value + noise;
	g->per_s = median_slope(kept, count);
	g->grows =
		g->per_s > 0 && g->grown >= GROWN_SHARE * g->windows && goes_on(kept, count, noise);
}

bool growth_reaches(const struct growth *g, double limit, uint64_t *ns)
{
	double left = limit > g->last ? (limit - g->last) / g->per_s * (double)NS_PER_S : 0;

	if (!g->grows || left > FORESIGHT * (double)g->interval_ns)
		return false;
	*ns = (uint64_t)left;
	return true;
}
