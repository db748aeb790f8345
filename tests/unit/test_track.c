/* SPDX-License-Identifier: BSD-2-Clause */
/* Values over time: where amounts go, what is a gap, and that nothing is lost when time outgrows.
 */
#include "support.h"

#include <math.h>

#include "analyze/timeline/track.h"
#include "base/units.h"

#define BEGIN (1000 * NS_PER_S)

static struct track_axis axis;
static struct track track;
static double values[TRACK_BUCKETS + 1];

static int setup(void **state)
{
	(void)state;
	track_axis_begin(&axis, BEGIN);
	memset(&track, 0, sizeof(track));
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static struct track_values figures(void)
{
	return track_values(&track, NULL, &axis, values);
}

static uint64_t at(uint64_t ms)
{
	return BEGIN + ms * NS_PER_MS;
}

static void assert_near(double a, double b)
{
	if (!(fabs(a - b) <= 1e-6 * (fabs(a) + fabs(b))))
		fail_msg("%g is not %g", a, b);
}

static void test_rate(void **state)
{
	struct track_values f;

	(void)state;
	track.kind = TRACK_RATE;
	track_rate(&track, &axis, at(10), at(20), 50);
	track_rate(&track, &axis, at(30), at(40), 100);
	f = figures();
	assert_int_equal(track_axis_count(&axis), 41);
	assert_true(
		isnan(values[9]) && isnan(values[20]) && isnan(values[29]) && isnan(values[40]));
	assert_near(values[10], 5000);
	assert_near(values[19], 5000);
	assert_near(values[30], 10000);
	assert_near(f.least, 5000);
	assert_near(f.most, 10000);
	assert_near(f.last, 10000);
	assert_near(f.mean, 7500);
	assert_int_equal(track.longest_ns, 10 * NS_PER_MS);
}

/* A stretch that was measured in part has the rate of that part. */
static void test_parts(void **state)
{
	(void)state;
	track.kind = TRACK_RATE;
	track_rate(&track, &axis, BEGIN + 250000, BEGIN + 750000, 1);
	figures();
	assert_near(values[0], 2000);
	/* The part before the beginning is left out. */
	setup(NULL);
	track.kind = TRACK_RATE;
	track_rate(&track, &axis, BEGIN - 10 * NS_PER_MS, at(10), 200);
	figures();
	assert_near(values[0], 10000);
	assert_near(values[9], 10000);
}

static void test_level(void **state)
{
	struct track_values f;

	(void)state;
	track.kind = TRACK_LEVEL;
	track_level(&track, &axis, at(0), at(10), 7);
	track_level(&track, &axis, at(10), at(10), 3);
	track_level(&track, &axis, at(20), at(20), 5);
	f = figures();
	assert_near(values[0], 7);
	assert_near(values[9], 7);
	assert_near(values[10], 3);
	assert_true(isnan(values[11]) && isnan(values[19]));
	assert_near(values[20], 5);
	assert_near(f.least, 3);
	assert_near(f.most, 7);
	assert_near(f.last, 5);
	assert_true(isnan(f.mean));
}

/* A count without a word of when it was looked for is no figure; with it, nothing is 0. */
static void test_count(void **state)
{
	struct track_values f;

	(void)state;
	track.kind = TRACK_COUNT;
	track_count(&track, &axis, at(5), 3);
	track_count(&track, &axis, BEGIN - 1, 100);
	f = figures();
	assert_false(f.has_any);
	track_cover(&track, &axis, at(4), at(8));
	f = figures();
	assert_true(f.has_any && isnan(values[3]));
	assert_near(values[4], 0);
	assert_near(values[5], 3000);
	assert_near(values[7], 0);
	assert_near(f.mean, 750);
}

/* Weeks in the same memory: amounts, coverage, peaks and gaps stay. */
static void test_outgrown(void **state)
{
	const uint64_t day_ms = 86400000;
	struct track_values f;
	double sum = 0;
	size_t gaps = 0, count;

	(void)state;
	track.kind = TRACK_RATE;
	for (uint64_t i = 0; i < 4000; i++)
		track_rate(&track, &axis, at(i * 1000), at(i * 1000 + 1000), 1000);
	track_rate(&track, &axis, at(20 * day_ms), at(21 * day_ms), 86400.0 * 5000);
	f = figures();
	count = track_axis_count(&axis);
	assert_true(count > TRACK_BUCKETS / 2 && count <= TRACK_BUCKETS);
	for (size_t i = 0; i < TRACK_BUCKETS; i++)
		sum += track.stretches[i].amount;
	assert_near(sum, 4000 * 1000 + 86400.0 * 5000);
	for (size_t i = 0; i < count; i++)
		gaps += isnan(values[i]) != 0;
	assert_true(gaps > count / 2);
	assert_near(values[0], 1000);
	assert_near(f.most, 5000);
	assert_near(f.mean, (4000 * 1000 + 86400.0 * 5000) / (4000 + 86400));
}

/* A lane that was not used for long catches up, whatever comes first. */
static void test_late(void **state)
{
	struct track other = { .kind = TRACK_LEVEL };

	(void)state;
	track.kind = TRACK_LEVEL;
	track_level(&track, &axis, at(0), at(100), 9);
	track_level(&other, &axis, at(0), at(1000000), 4);
	figures();
	assert_near(values[0], 9);
	assert_true(isnan(values[1]));
	track_values(&other, NULL, &axis, values);
	assert_near(values[0], 4);
	assert_near(values[track_axis_count(&axis) - 2], 4);
}

/* A capture may say any time: what no clock tells is left out, and nothing turns for ever. */
static void test_lies(void **state)
{
	(void)state;
	track.kind = TRACK_RATE;
	track_rate(&track, &axis, at(0), at(1), 1);
	track_rate(&track, &axis, at(0), UINT64_MAX, 1);
	track_rate(&track, &axis, 0, UINT64_MAX - 1, 1);
	track_count(&track, &axis, UINT64_MAX, 1);
	track_axis_reach(&axis, UINT64_MAX);
	figures();
	assert_int_equal(axis.end_ns, at(1));
	assert_near(values[0], 1000);
}

/* A capture may hold any time. */
static void test_last_time(void **state)
{
	const uint64_t begin_ns = UINT64_MAX - 10 * NS_PER_S;

	(void)state;
	track_axis_begin(&axis, begin_ns);
	track.kind = TRACK_RATE;
	track_rate(&track, &axis, begin_ns - NS_PER_S, UINT64_MAX, 11);
	assert_true(figures().has_any);
	assert_in_range(track_axis_count(&axis), 1, TRACK_BUCKETS);
	track_rate(&track, &axis, 1, 2, 1); /* before the begin */
	assert_true(track.total == 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rate),
		TEST(test_parts),
		TEST(test_level),
		TEST(test_count),
		TEST(test_outgrown),
		TEST(test_late),
		TEST(test_lies),
		TEST(test_last_time),
	};

	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
