/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slope is the median of the slopes between all pairs of points (Theil 1950, Sen 1968): a
 * single jump does not change it.
 */
#include "analyze/diagnosis/growth.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "analyze/diagnosis/check.h"
#include "base/units.h"
#include "explain/number.h"

#define SAMPLES_MAX 512
#define POINTS_MAX  64 /* limit: the number of pairs is quadratic */

NUMBER(FORESIGHT, 100, NONE, "intervals: no further prediction");
NUMBER(GROWN_SHARE, 0.75, NONE, "of the windows");
NUMBER(MANY_WINDOWS, 8, NONE, "windows from which single steps count less");
NUMBER(STEPS_LEAST, 4, NONE, "growth in few windows counts from this many steps");
NUMBER(QUIET_PART, 3, NONE, "longest quiet time between steps, as a part of all windows");
NUMBER(LATE_PART, 10, NONE, "delay allowed for the next step, as a part of all windows");

static int compare_by_value(const void *a, const void *b)
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
	qsort(slopes, n, sizeof(*slopes), compare_by_value);
	return n ? slopes[n / 2] : 0;
}

/* Returns the least distance of points for a meaningful window: on a busy host samples come late
 * and then bunched, and nothing grows in no time. At most POINTS_MAX - 1 points have this distance,
 * plus the last one. */
static uint64_t least_gap(const struct growth_point *points, size_t count)
{
	uint64_t all_ns = points[count - 1].time_ns - points[0].time_ns;
	uint64_t by_count = count > 1 ? all_ns / (count - 1) / 2 : 0;
	uint64_t by_room = all_ns / (POINTS_MAX - 1);

	return count > POINTS_MAX && by_room > by_count ? by_room : by_count;
}

/* Keeps fewer points, always including the last. */
static size_t keep_fewer_points(
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

/* Windows with growth, and the number of quiet windows before, between and after them. */
struct steps {
	unsigned count;
	unsigned before, between, behind; /* between: the longest */
};

static struct steps find_steps(const struct growth_point *points, size_t count, double noise)
{
	struct steps s = { 0 };

	for (size_t i = 1; i < count; i++) {
		if (points[i].value <= points[i - 1].value + noise) {
			s.behind++;
			continue;
		}
		if (!s.count++)
			s.before = s.behind;
		else if (s.behind > s.between)
			s.between = s.behind;
		s.behind = 0;
	}
	return s;
}

double growth_largest_fall(const struct growth_point *points, size_t count)
{
	double highest = points[0].value, most = 0;

	for (size_t i = 1; i < count; i++) {
		highest = fmax(highest, points[i].value);
		most = fmax(most, highest - points[i].value);
	}
	return most;
}

/* Returns whether steps may continue although the last windows had none: steps have quiet times
 * between them, and may be late by one window. */
static bool may_continue(const struct steps *s, unsigned windows)
{
	return s->behind <= (s->between ? s->between + 1 : windows / LATE_PART);
}

static bool is_ongoing(const struct steps *s, unsigned windows)
{
	unsigned quiet = windows / QUIET_PART;

	return s->before <= quiet && s->between <= quiet && s->behind <= quiet &&
	       may_continue(s, windows);
}

void growth_diagnose(struct growth *g, const struct growth_point *points, size_t count,
	unsigned windows_least, double noise)
{
	struct growth_point kept[POINTS_MAX];
	struct steps steps;
	bool is_often;

	assert(g);
	*g = (struct growth){ 0 };
	count = keep_fewer_points(kept, points, count);
	if (!count)
		return;
	g->first = kept[0].value;
	g->last = kept[count - 1].value;
	g->interval_ns = kept[count - 1].time_ns - kept[0].time_ns;
	g->windows = (unsigned)count - 1;
	if (count < 2 || g->windows < windows_least)
		return;
	g->is_measured = true;
	steps = find_steps(kept, count, noise);
	g->grown = steps.count;
	g->per_s = median_slope(kept, count);
	is_often = g->grown >= GROWN_SHARE * g->windows;
	g->is_steady = is_often && g->windows >= MANY_WINDOWS;
	is_often |= g->grown >= STEPS_LEAST && g->grown >= windows_least;
	/* It may fall by the mean gain of a window. */
	if (growth_largest_fall(kept, count) > (g->last - g->first) / g->windows + noise)
		return;
	g->grows = g->per_s > 0 && is_often && is_ongoing(&steps, g->windows);
	g->may_grow = !is_often && g->grown > 1 && may_continue(&steps, g->windows);
}

double growth_foresight_ns(uint64_t interval_ns)
{
	return FORESIGHT * (double)interval_ns;
}

bool growth_reaches(const struct growth *g, double limit, uint64_t *ns)
{
	assert(g);

	double left = limit > g->last ? (limit - g->last) / g->per_s * (double)NS_PER_S : 0;

	if (!g->grows || left > growth_foresight_ns(g->interval_ns))
		return false;
	*ns = (uint64_t)left;
	return true;
}

void check_growth(
	struct growth *g, const struct check *e, double (*value)(const struct sample_point *p))
{
	struct growth_point points[SAMPLES_MAX];
	size_t count = 0;

	assert(e);
	for (size_t i = 0; i < e->series.count && count < SAMPLES_MAX; i++) {
		const struct sample_point *p = &e->series.points[i];

		if (value(p) >= 0)
			points[count++] = (struct growth_point){ p->time_ns, value(p) };
	}
	growth_diagnose(g, points, count, (unsigned)check_option(e, "min-windows"), 0);
}

bool check_grows_fast(const struct check *e, const struct growth *g)
{
	assert(g);
	return g->grows && g->last - g->first >= check_option(e, "min-gain") &&
	       check_is_over(e, "min-rate", g->per_s, "");
}
