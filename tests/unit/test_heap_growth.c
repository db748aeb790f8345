/* SPDX-License-Identifier: BSD-2-Clause */
/* Gains of a stack in windows: a leak, a cache that fills, a sawtooth, blocks that replace others.
 */
#include "support.h"

#include "analyze/heap/heap_growth.h"
#include "base/units.h"

static struct heap_clock clock;
static struct heap_gains gains;

static int begin(void **state)
{
	(void)state;
	clock = (struct heap_clock){ 0 };
	gains = (struct heap_gains){ 0 };
	return 0;
}

/* Blocks of `bytes` at that time; negative: they are freed. */
static void gain_at(double s, int64_t blocks, int64_t bytes)
{
	unsigned fold, window = heap_clock_window(&clock, (uint64_t)((100 + s) * NS_PER_S), &fold);

	for (; fold; fold--)
		heap_gains_fold(&gains);
	gains.blocks[window] += blocks;
	gains.bytes[window] += blocks * bytes;
}

static struct heap_growth growth(void)
{
	return heap_growth_of(&clock, &gains);
}

static void test_leak(void **state)
{
	struct heap_growth g;

	(void)state;
	for (int i = 0; i <= 1000; i++)
		gain_at(i / 100.0, 1, 100);
	g = growth();
	assert_true(g.is_measured && g.grows);
	assert_true(g.bytes_per_s > 9500 && g.bytes_per_s < 10500);
	/* However long it runs. */
	for (int i = 1001; i <= 100000; i++)
		gain_at(i / 100.0, 1, 100);
	g = growth();
	assert_true(g.grows);
	assert_true(g.bytes_per_s > 9000 && g.bytes_per_s < 11000);
}

static void test_slow_leak(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++)
		gain_at(i, 1, 64);
	assert_true(growth().grows);
}

/* A batch every 1.2 s: most parts of the run gain nothing. */
static void test_steps(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		gain_at(0.1 + i * 1.2, 200, 1000);
		gain_at(0.9 + i * 1.2, 0, 0);
	}
	gain_at(6, 0, 0);
	assert_true(growth().rising < 6);
	assert_true(growth().grows);
}

/* Two batches do not decide: a cache may have been filled. */
static void test_undecided(void **state)
{
	(void)state;
	gain_at(0, 1, 10);
	gain_at(2.5, 200, 1000);
	gain_at(5.5, 200, 1000);
	gain_at(8, 0, 0);
	assert_false(growth().grows);
	assert_true(growth().may_grow);
	assert_int_equal(growth().rising, 2);
	/* Memory that is given back is no growth. */
	gain_at(8.5, -200, 1000);
	gain_at(8.6, -190, 1000);
	assert_false(growth().may_grow);
}

/* A program that frees all before it ends has grown until then; a sawtooth has not. */
static void test_freed_at_the_end(void **state)
{
	(void)state;
	for (int i = 0; i < 800; i++)
		gain_at(i / 100.0, 1, 1000);
	assert_true(growth().grows);
	assert_int_equal(growth().freed_after_ns, 0);
	gain_at(8.01, -800, 1000);
	assert_false(growth().grows);
	assert_in_range(growth().freed_after_ns, 7.5e9, 8.5e9);
	assert_in_range(growth().until_bytes_per_s, 95000, 105000);
	/* It goes on after that: it was not the end. */
	gain_at(11, 1, 1000);
	assert_int_equal(growth().freed_after_ns, 0);
}

static void test_sawtooth_at_the_end(void **state)
{
	(void)state;
	for (int i = 0; i < 800; i++)
		gain_at(i / 100.0, i % 200 ? 1 : -199, 1000);
	gain_at(8, -199, 1000);
	assert_false(growth().grows);
	assert_int_equal(growth().freed_after_ns, 0);
}

static void test_one_block_that_grows(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		gain_at(i / 10.0, -1, i * 2000);
		gain_at(i / 10.0, 1, (i + 1) * 2000);
	}
	assert_true(growth().grows);
}

static void test_short(void **state)
{
	(void)state;
	assert_false(growth().is_measured); /* nothing came */
	for (int i = 0; i < 199; i++)
		gain_at(i / 100.0, 1, 100);
	assert_false(growth().is_measured);
	gain_at(2.01, 1, 100);
	assert_true(growth().is_measured);
}

static void test_cache_that_fills(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		gain_at(i / 100.0, 1, 1000);
	assert_true(growth().grows); /* it does so far */
	for (int i = 0; i < 30; i++)
		gain_at(3 + i / 10.0, 0, 0);
	assert_false(growth().grows);
}

/* Ever slower, as a table of different keys does. */
static void test_saturation(void **state)
{
	int made = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int due = (int)(1000.0 * (1 - 1 / (1 + i / 40.0)));

		gain_at(i / 100.0, due - made, 100);
		made = due;
	}
	assert_false(growth().grows);
}

static void test_sawtooth(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		gain_at(i / 100.0, 1, 1000);
		if (i % 200 == 199)
			gain_at(i / 100.0, -200, 1000);
	}
	assert_false(growth().grows);
}

/* Each takes the place of one that is freed. */
static void test_renewal(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		gain_at(i / 100.0, 1, 1000);
		if (i >= 50)
			gain_at(i / 100.0, -1, 1000);
	}
	assert_false(growth().grows);
}

static void test_few_bytes(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		gain_at(i / 10.0, 1, 10);
	assert_false(growth().grows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_freed_at_the_end, begin),
		cmocka_unit_test_setup(test_sawtooth_at_the_end, begin),
		cmocka_unit_test_setup(test_leak, begin),
		cmocka_unit_test_setup(test_slow_leak, begin),
		cmocka_unit_test_setup(test_steps, begin),
		cmocka_unit_test_setup(test_undecided, begin),
		cmocka_unit_test_setup(test_one_block_that_grows, begin),
		cmocka_unit_test_setup(test_short, begin),
		cmocka_unit_test_setup(test_cache_that_fills, begin),
		cmocka_unit_test_setup(test_saturation, begin),
		cmocka_unit_test_setup(test_sawtooth, begin),
		cmocka_unit_test_setup(test_renewal, begin),
		cmocka_unit_test_setup(test_few_bytes, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
