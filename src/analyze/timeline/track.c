/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/timeline/track.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define NS_A_SECOND 1e9
#define LONGEST_NS  (1ull << 60) /* later times are errors, and ignored */

static double larger_of(double a, double b)
{
	return a > b ? a : b;
}

static double smaller_of(double a, double b)
{
	return a < b ? a : b;
}

void track_axis_begin(struct track_axis *axis, uint64_t begin_ns)
{
	*axis = (struct track_axis){ begin_ns, begin_ns, TRACK_SHORTEST_NS };
}

size_t track_axis_count(const struct track_axis *axis)
{
	assert(axis);
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
	assert(axis);
	if (time_ns <= axis->end_ns || is_beyond(axis, time_ns))
		return;
	axis->end_ns = time_ns;
	while ((axis->end_ns - axis->begin_ns) / axis->stretch_ns >= TRACK_BUCKETS)
		axis->stretch_ns *= 2;
}

static void merge_buckets(struct track_bucket *to, const struct track_bucket *one,
	const struct track_bucket *other, enum track_kind kind)
{
	struct track_bucket both = { .covered_ns = one->covered_ns + other->covered_ns };

	if (kind == TRACK_LEVEL)
		both.amount = larger_of(one->amount, other->amount);
	else
		both.amount = one->amount + other->amount;
	*to = both;
}

/* Lengthens the buckets of a track to those of the axis, when the track is next used. */
static void lengthen_buckets(struct track *track, const struct track_axis *axis)
{
	const size_t half = TRACK_BUCKETS / 2;

	if (!track->stretch_ns)
		track->stretch_ns = axis->stretch_ns;
	for (; track->stretch_ns < axis->stretch_ns; track->stretch_ns *= 2) {
		struct track_bucket *all = track->stretches;

		for (size_t i = 0; i < half; i++)
			merge_buckets(&all[i], &all[2 * i], &all[2 * i + 1], track->kind);
		memset(all + half, 0, half * sizeof(*all));
	}
}

static void put_amount(struct track *track, size_t i, double amount, uint64_t covered_ns)
{
	struct track_bucket part = { amount, covered_ns };

	merge_buckets(&track->stretches[i], &track->stretches[i], &part, track->kind);
}

/* Spreads a value over buckets: each gets its share of an amount, but the whole of a level. */
static void spread_value(struct track *track, struct track_axis *axis, uint64_t from_ns,
	uint64_t to_ns, double amount, bool covers)
{
	double whole_ns = (double)(to_ns - from_ns);
	uint64_t at_ns, last_ns; /* times since the begin of the axis, to avoid overflow */

	if (to_ns <= axis->begin_ns || is_beyond(axis, to_ns))
		return;
	track_axis_reach(axis, to_ns);
	lengthen_buckets(track, axis);
	at_ns = from_ns > axis->begin_ns ? from_ns - axis->begin_ns : 0;
	last_ns = to_ns - axis->begin_ns;
	while (at_ns < last_ns) {
		size_t i = (size_t)(at_ns / axis->stretch_ns);
		uint64_t end_ns = (i + 1) * axis->stretch_ns;
		uint64_t part_ns = (end_ns < last_ns ? end_ns : last_ns) - at_ns;

		put_amount(track, i,
			track->kind == TRACK_LEVEL ? amount : amount * (double)part_ns / whole_ns,
			covers ? part_ns : 0);
		at_ns += part_ns;
	}
}

static void extend_time_span(struct track *track, uint64_t from_ns, uint64_t to_ns)
{
	if (to_ns - from_ns > track->longest_ns)
		track->longest_ns = to_ns - from_ns;
	if (!track->to_ns || from_ns < track->from_ns)
		track->from_ns = from_ns;
	if (to_ns > track->to_ns)
		track->to_ns = to_ns;
}

void track_rate(struct track *track, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns,
	double amount)
{
	assert(track);
	if (to_ns <= from_ns)
		return;
	track->total += amount;
	extend_time_span(track, from_ns, to_ns);
	spread_value(track, axis, from_ns, to_ns, amount, track->kind == TRACK_RATE);
}

/* Sets the value at a moment. A single snapshot covers only its own moment. */
void track_level(struct track *track, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns,
	double level)
{
	assert(track);
	track->least = track->has_level ? smaller_of(track->least, level) : level;
	track->last = level;
	track->has_level = true;
	if (to_ns <= from_ns)
		to_ns = from_ns + 1;
	extend_time_span(track, from_ns, to_ns);
	spread_value(track, axis, from_ns, to_ns, level, true);
}

void track_count(struct track *track, struct track_axis *axis, uint64_t at_ns, double amount)
{
	track_axis_reach(axis, at_ns);
	lengthen_buckets(track, axis);
	if (at_ns < axis->begin_ns || is_beyond(axis, at_ns))
		return;
	track->total += amount;
	put_amount(track, (size_t)((at_ns - axis->begin_ns) / axis->stretch_ns), amount, 0);
}

void track_cover(struct track *track, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns)
{
	if (to_ns > from_ns)
		spread_value(track, axis, from_ns, to_ns, 0, true);
}

void track_cover_part(struct track *sum, struct track *part, const struct track_axis *axis)
{
	lengthen_buckets(sum, axis);
	lengthen_buckets(part, axis);
	for (size_t i = 0; i < TRACK_BUCKETS; i++) {
		if (sum->stretches[i].covered_ns < part->stretches[i].covered_ns)
			sum->stretches[i].covered_ns = part->stretches[i].covered_ns;
	}
}

/* Returns the measured time of a bucket; 0: not measured. */
static uint64_t reported_ns(const struct track *track, const struct track *sum, size_t i)
{
	uint64_t own_ns = track->stretches[i].covered_ns;

	if (own_ns && sum && sum->stretches[i].covered_ns > own_ns)
		return sum->stretches[i].covered_ns;
	return own_ns;
}

static double value_of(const struct track *track, size_t i, uint64_t ns)
{
	double amount = track->stretches[i].amount;

	if (!ns)
		return NAN;
	return track->kind == TRACK_LEVEL ? amount : amount * NS_A_SECOND / (double)ns;
}

struct track_values track_values(
	struct track *track, struct track *sum, const struct track_axis *axis, double *values)
{
	struct track_values f = { 0 };
	size_t count = track_axis_count(axis);
	uint64_t covered_ns = 0;
	double amount = 0;

	assert(track);
	lengthen_buckets(track, axis);
	if (sum)
		lengthen_buckets(sum, axis);
	for (size_t i = 0; i < count; i++) {
		uint64_t ns = reported_ns(track, sum, i);

		values[i] = value_of(track, i, ns);
		if (isnan(values[i]))
			continue;
		amount += track->stretches[i].amount;
		covered_ns += ns;
		f.least = f.has_any ? smaller_of(f.least, values[i]) : values[i];
		f.most = f.has_any ? larger_of(f.most, values[i]) : values[i];
		f.last = values[i];
		f.has_any = true;
	}
	if (track->kind == TRACK_LEVEL) {
		f.least = track->least;
		f.last = track->last;
		f.mean = NAN;
	} else if (covered_ns) {
		f.mean = amount * NS_A_SECOND / (double)covered_ns;
	}
	return f;
}
