/* SPDX-License-Identifier: BSD-2-Clause */
/* See track.h. */
#include "analyze/timeline/track.h"

#include <math.h>
#include <string.h>

#define NS_A_SECOND 1e9
#define LONGEST_NS  (1ull << 60) /* later is no time that a clock told: left out */

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

void track_axis_begin(struct track_axis *axis, uint64_t begin_ns)
{
	*axis = (struct track_axis){ begin_ns, begin_ns, TRACK_SHORTEST_NS };
}

size_t track_axis_count(const struct track_axis *axis)
{
	if (axis->end_ns == axis->begin_ns)
		return 0;
	return (size_t)((axis->end_ns - axis->begin_ns) / axis->stretch_ns) + 1;
}

static bool is_beyond(const struct track_axis *axis, uint64_t time_ns)
{
	return time_ns > axis->begin_ns && time_ns - axis->begin_ns > LONGEST_NS;
}

void track_axis_reach(struct track_axis *axis, uint64_t time_ns)
{
	if (time_ns <= axis->end_ns || is_beyond(axis, time_ns))
		return;
	axis->end_ns = time_ns;
	while ((axis->end_ns - axis->begin_ns) / axis->stretch_ns >= TRACK_BUCKETS)
		axis->stretch_ns *= 2;
}

static void merge(struct track_bucket *to, const struct track_bucket *one,
	const struct track_bucket *other, enum track_kind kind)
{
	struct track_bucket both = { .covered_ns = one->covered_ns + other->covered_ns };

	if (kind == TRACK_LEVEL)
		both.amount = larger(one->amount, other->amount);
	else
		both.amount = one->amount + other->amount;
	*to = both;
}

/* Stretches are lengthened when a lane is next used. */
static void catch_up(struct lane *lane, const struct track_axis *axis)
{
	const size_t half = TRACK_BUCKETS / 2;

	if (!lane->stretch_ns)
		lane->stretch_ns = axis->stretch_ns;
	for (; lane->stretch_ns < axis->stretch_ns; lane->stretch_ns *= 2) {
		struct track_bucket *all = lane->stretches;

		for (size_t i = 0; i < half; i++)
			merge(&all[i], &all[2 * i], &all[2 * i + 1], lane->kind);
		memset(all + half, 0, half * sizeof(*all));
	}
}

static void put(struct lane *lane, size_t i, double amount, uint64_t covered_ns)
{
	struct track_bucket part = { amount, covered_ns };

	merge(&lane->stretches[i], &lane->stretches[i], &part, lane->kind);
}

/* Of an amount each stretch gets its share, of a level each all of it. */
static void spread(struct lane *lane, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns,
	double amount, bool covers)
{
	double whole_ns = (double)(to_ns - from_ns);

	if (is_beyond(axis, to_ns))
		return;
	track_axis_reach(axis, to_ns);
	catch_up(lane, axis);
	if (from_ns < axis->begin_ns)
		from_ns = axis->begin_ns;
	while (from_ns < to_ns) {
		size_t i = (size_t)((from_ns - axis->begin_ns) / axis->stretch_ns);
		uint64_t end_ns = axis->begin_ns + (i + 1) * axis->stretch_ns;
		uint64_t part_ns = (end_ns < to_ns ? end_ns : to_ns) - from_ns;

		put(lane, i,
			lane->kind == TRACK_LEVEL ? amount : amount * (double)part_ns / whole_ns,
			covers ? part_ns : 0);
		from_ns += part_ns;
	}
}

static void note_span(struct lane *lane, uint64_t from_ns, uint64_t to_ns)
{
	if (to_ns - from_ns > lane->longest_ns)
		lane->longest_ns = to_ns - from_ns;
	if (!lane->to_ns || from_ns < lane->from_ns)
		lane->from_ns = from_ns;
	if (to_ns > lane->to_ns)
		lane->to_ns = to_ns;
}

void track_rate(
	struct lane *lane, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns, double amount)
{
	if (to_ns <= from_ns)
		return;
	lane->total += amount;
	note_span(lane, from_ns, to_ns);
	spread(lane, axis, from_ns, to_ns, amount, lane->kind == TRACK_RATE);
}

/* A reading alone covers the moment of it. */
void track_level(
	struct lane *lane, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns, double level)
{
	lane->least = lane->has_level ? smaller(lane->least, level) : level;
	lane->last = level;
	lane->has_level = true;
	if (to_ns <= from_ns)
		to_ns = from_ns + 1;
	note_span(lane, from_ns, to_ns);
	spread(lane, axis, from_ns, to_ns, level, true);
}

void track_count(struct lane *lane, struct track_axis *axis, uint64_t at_ns, double amount)
{
	track_axis_reach(axis, at_ns);
	catch_up(lane, axis);
	if (at_ns < axis->begin_ns || is_beyond(axis, at_ns))
		return;
	lane->total += amount;
	put(lane, (size_t)((at_ns - axis->begin_ns) / axis->stretch_ns), amount, 0);
}

void track_cover(struct lane *lane, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns)
{
	if (to_ns > from_ns)
		spread(lane, axis, from_ns, to_ns, 0, true);
}

void track_cover_part(struct lane *sum, struct lane *part, const struct track_axis *axis)
{
	catch_up(sum, axis);
	catch_up(part, axis);
	for (size_t i = 0; i < TRACK_BUCKETS; i++) {
		if (sum->stretches[i].covered_ns < part->stretches[i].covered_ns)
			sum->stretches[i].covered_ns = part->stretches[i].covered_ns;
	}
}

/* 0: nothing was measured. */
static uint64_t reported_ns(const struct lane *lane, const struct lane *sum, size_t i)
{
	uint64_t own_ns = lane->stretches[i].covered_ns;

	if (own_ns && sum && sum->stretches[i].covered_ns > own_ns)
		return sum->stretches[i].covered_ns;
	return own_ns;
}

static double value_of(const struct lane *lane, size_t i, uint64_t ns)
{
	double amount = lane->stretches[i].amount;

	if (!ns)
		return NAN;
	return lane->kind == TRACK_LEVEL ? amount : amount * NS_A_SECOND / (double)ns;
}

struct track_values track_values(
	struct lane *lane, struct lane *sum, const struct track_axis *axis, double *values)
{
	struct track_values f = { 0 };
	size_t count = track_axis_count(axis);
	uint64_t covered_ns = 0;
	double amount = 0;

	catch_up(lane, axis);
	if (sum)
		catch_up(sum, axis);
	for (size_t i = 0; i < count; i++) {
		uint64_t ns = reported_ns(lane, sum, i);

		values[i] = value_of(lane, i, ns);
		if (isnan(values[i]))
			continue;
		amount += lane->stretches[i].amount;
		covered_ns += ns;
		f.least = f.has_any ? smaller(f.least, values[i]) : values[i];
		f.most = f.has_any ? larger(f.most, values[i]) : values[i];
		f.last = values[i];
		f.has_any = true;
	}
	if (lane->kind == TRACK_LEVEL) {
		f.least = lane->least;
		f.last = lane->last;
		f.mean = NAN;
	} else if (covered_ns) {
		f.mean = amount * NS_A_SECOND / (double)covered_ns;
	}
	return f;
}
