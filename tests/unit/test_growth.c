/* SPDX-License-Identifier: BSD-2-Clause */
/* Growth: what grows steadily, and what only looks so. */
#include "support.h"

#include "analyze/diagnosis/growth.h"
#include "base/units.h"

#define LEAST 4

static struct growth judge(const double *values, size_t count)
{
	struct growth_point points[600];
	struct growth g;

	for (size_t i = 0; i < count; i++)
		points[i] = (struct growth_point){ (i + 1) * NS_PER_S, values[i] };
	growth_diagnose(&g, points, count, LEAST, 0);
	return g;
}

#define JUDGE(...)                                                                                 \
	({                                                                                         \
		const double values[] = { __VA_ARGS__ };                                           \
		judge(values, sizeof(values) / sizeof(values[0]));                                 \
	})

static void test_line(void **state)
{
	struct growth g = JUDGE(10, 12, 14, 16, 18, 20);

	(void)state;
	assert_true(g.is_measured && g.grows);
	assert_true(g.per_s > 1.99 && g.per_s < 2.01);
	assert_int_equal(g.windows, 5);
	assert_int_equal(g.grown, 5);
	assert_true(g.first == 10 && g.last == 20);
	assert_true(g.interval_ns == 5 * NS_PER_S);
}

static void test_looks_so(void **state)
{
	(void)state;
	assert_false(JUDGE(10, 10, 10, 10, 10, 10).grows);
	assert_false(JUDGE(10, 30, 50, 70, 70, 70, 70).grows); /* a cache that is full */
	assert_false(JUDGE(10, 40, 70, 10, 40, 70, 10).grows); /* a sawtooth */
	assert_false(JUDGE(10, 40, 70, 100, 130, 20, 50).grows);
	assert_false(JUDGE(10, 10, 10, 10, 500, 500, 501).grows); /* a jump */
	assert_false(JUDGE(70, 60, 50, 40, 30, 20).grows);
	/* One window without a gain is not the end of it. */
	assert_true(JUDGE(10, 12, 14, 14, 16, 18).grows);
}

/* By steps that are further apart than the windows: they go on when no longer quiet follows them
 * than lay between any two. */
static void test_steps(void **state)
{
	(void)state;
	assert_true(JUDGE(0, 0, 9, 9, 18, 18, 27, 27, 36, 36, 45).grows);
	assert_true(JUDGE(0, 9, 9, 18, 18, 27, 27, 36, 36, 45, 45).grows);
	assert_true(JUDGE(0, 9, 9, 9, 18, 18, 18, 27, 27, 27, 36, 36, 36).grows);
	/* One of many windows between steps that are about as long as it. */
	assert_true(JUDGE(0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 81).grows);
	/* Three windows and a bit apart: some time four lie between two, and at the end too. */
	assert_true(JUDGE(0, 9, 9, 9, 18, 18, 18, 27, 27, 27, 36, 36, 36, 36).grows);
	/* That is full, after four steps; or five, and quiet for longer than between any two. */
	assert_false(JUDGE(0, 9, 18, 27, 36, 36, 36, 36, 36, 36, 36).grows);
	assert_false(JUDGE(0, 9, 9, 18, 18, 27, 27, 36, 45, 45, 45, 45).grows);
	/* It began in the middle. */
	assert_false(JUDGE(0, 0, 0, 0, 0, 0, 9, 18, 27, 36, 45).grows);
	assert_false(JUDGE(0, 9, 18, 9, 18, 9, 18, 27, 18, 27, 36).grows);
}

/* Too few steps are told apart from none, and from what has stopped. */
static void test_too_few_steps(void **state)
{
	struct growth g = JUDGE(0, 0, 9, 9, 9, 9, 18, 18, 18, 18, 27);

	(void)state;
	assert_true(g.may_grow && !g.grows);
	assert_false(JUDGE(0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9).may_grow);
	assert_false(JUDGE(0, 9, 18, 18, 18, 18, 18, 18, 18, 18, 18).may_grow);
	assert_false(JUDGE(0, 9, 9, 18, 9, 0, 9, 18, 0, 0, 9).may_grow);
	assert_false(JUDGE(0, 9, 18, 27, 36, 45).may_grow);
}

static void test_too_little(void **state)
{
	struct growth g = JUDGE(1, 2, 3, 4);

	(void)state;
	assert_false(g.is_measured);
	assert_false(g.grows);
	growth_diagnose(&g, NULL, 0, LEAST, 0);
	assert_false(g.is_measured);
}

/* A rise within the noise is no growth. */
static void test_noise(void **state)
{
	const struct growth_point points[] = { { 1 * NS_PER_S, 100 }, { 2 * NS_PER_S, 101 },
		{ 3 * NS_PER_S, 102 }, { 4 * NS_PER_S, 103 }, { 5 * NS_PER_S, 104 },
		{ 6 * NS_PER_S, 105 } };
	struct growth g;

	(void)state;
	growth_diagnose(&g, points, 6, LEAST, 5);
	assert_true(g.is_measured);
	assert_false(g.grows);
}

static void test_many_points(void **state)
{
	double values[500];
	struct growth g;

	(void)state;
	for (size_t i = 0; i < 500; i++)
		values[i] = 3.0 * (double)i;
	g = judge(values, 500);
	assert_true(g.grows);
	assert_true(g.per_s > 2.9 && g.per_s < 3.1);
	assert_true(g.last == values[499]);
}

/* Readings that came at one and the same time are one. */
static void test_same_time(void **state)
{
	const struct growth_point points[] = { { 5, 1 }, { 5, 2 }, { 5, 3 }, { 5, 4 }, { 5, 5 },
		{ 5, 6 } };
	struct growth g;

	(void)state;
	growth_diagnose(&g, points, 6, 2, 0);
	assert_false(g.is_measured);
	assert_false(g.grows);
}

static void test_reaches(void **state)
{
	struct growth g = JUDGE(10, 20, 30, 40, 50, 60);
	uint64_t ns = 0;

	(void)state;
	assert_true(growth_reaches(&g, 160, &ns));
	assert_true(ns > 9 * NS_PER_S && ns < 11 * NS_PER_S);
	assert_true(growth_reaches(&g, 50, &ns));
	assert_int_equal(ns, 0);
	/* Seconds say nothing about days. */
	assert_false(growth_reaches(&g, 1e6, &ns));
	g = JUDGE(10, 10, 10, 10, 10, 10);
	assert_false(growth_reaches(&g, 11, &ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_looks_so),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_too_few_steps),
		cmocka_unit_test(test_too_little),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_many_points),
		cmocka_unit_test(test_same_time),
		cmocka_unit_test(test_reaches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
