/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of allocations: the distance between two, and what is made of them. The programs here are
 * the test's own, so the truth is known: the estimates have no bias, and the error they come with
 * is that of 99 of 100 runs.
 */
#include "heap_records.h"
#include "shown.h"

#include "analyze/heap/heap_live.h"
#include "analyze/heap/heap_table.h"
#include "base/estimate.h"
#include "base/units.h"
#include "bpf/sample_gap.h"

#define MEAN   4096
#define RUNS   400
#define BLOCKS 3000
#define STACKS 2

static struct heap_live live;

static int begin_live(void **state)
{
	(void)state;
	heap_live_init(&live, 1024);
	return 0;
}

static int end_live(void **state)
{
	(void)state;
	heap_live_fini(&live);
	return 0;
}

/* Numbers that cover their whole range have gaps with the mean, and the shares beyond it and twice
 * it, of an exponential distribution. */
static void test_gaps(void **state)
{
	static const uint64_t means[] = { 1 << 10, 1 << 19, 1ull << 39 };
	enum { DRAWN = 1 << 20 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(means); i++) {
		double sum = 0, beyond = 0, beyond_twice = 0;

		for (uint32_t k = 0; k < DRAWN; k++) {
			uint64_t gap = sample_gap(means[i], k * (uint32_t)(UINT32_MAX / DRAWN + 1));

			sum += (double)gap / (double)means[i];
			beyond += gap > means[i];
			beyond_twice += gap > 2 * means[i];
		}
		assert_float_equal(sum / DRAWN, 1, 0.002);
		assert_float_equal(beyond / DRAWN, 0.36788, 0.001);
		assert_float_equal(beyond_twice / DRAWN, 0.13534, 0.001);
	}
	/* The largest and the smallest number, and 0 between samples of no bytes. */
	assert_int_equal(sample_gap(MEAN, UINT32_MAX), 0);
	assert_in_range(sample_gap(MEAN, 0), 22 * MEAN, 23 * MEAN);
	assert_int_equal(sample_gap(0, 5), 0);
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(sampled_size_of(0), 1);
	for (uint64_t size = 1; size < 512; size++)
		assert_int_equal(sampled_size_of(size), size);
	for (uint64_t size = 512; size < UINT32_MAX; size += size / 77) {
		int64_t off = (int64_t)sampled_size_of(size) - (int64_t)size;

		assert_true(off * 512 <= (int64_t)size && -off * 512 <= (int64_t)size);
	}
	assert_int_equal(sampled_size_of(1ull << 40), UINT32_MAX);
}

/* --- a program that is sampled --- */

struct truth {
	uint64_t allocated_bytes, live_bytes, live_blocks, calls;
};

struct sampler {
	uint64_t seed, gap;
};

static bool is_sample(struct sampler *s, uint64_t size)
{
	if (s->gap >= size) {
		s->gap -= size;
		return false;
	}
	s->gap = sample_gap(MEAN, (uint32_t)random_next(&s->seed));
	return true;
}

static void add_sum(uint32_t stack, uint64_t size, bool is_freed)
{
	struct heap_sum sum = { .record = heap_head(HEAP_SUM, 1000, 7),
		.calls = 1,
		.allocated_bytes = size,
		.freed_blocks = is_freed,
		.freed_bytes = is_freed ? size : 0,
		.program = 1,
		.size_class = size_class_of(size),
		.stack = stack,
		.sample_bytes = MEAN,
		.sampled_size = sampled_size_of(size) };

	sum.record.words = sum.record.fixed_words = sizeof(sum) / SOOTH_RECORD_WORD;
	heap_held_add_sum(&live, &sum);
}

/* Small blocks by one stack, of which most are freed, and some of all sizes by another. */
static struct truth run_program(uint64_t seed)
{
	struct sampler s = { .seed = seed };
	struct truth t = { 0 };

	s.gap = sample_gap(MEAN, (uint32_t)random_next(&s.seed));
	for (uint64_t i = 0; i < BLOCKS; i++) {
		uint32_t stack = 1 + (i % 10 == 0);
		uint64_t size = stack == 1 ? 24 + i % 5 * 40 : 100 + i * 7 % 30000;
		bool is_freed = stack == 1 ? i % 4 != 0 : i % 2 == 0;

		t.calls++;
		t.allocated_bytes += size;
		t.live_bytes += is_freed ? 0 : size;
		t.live_blocks += !is_freed;
		if (is_sample(&s, size))
			add_sum(stack, size, is_freed);
	}
	return t;
}

struct outcome {
	double sum; /* of the estimates, by the true value */
	unsigned inside;
};

static void note(struct outcome *o, uint64_t estimate, double variance, uint64_t truth)
{
	uint64_t error = estimate_error(variance);
	uint64_t off = estimate > truth ? estimate - truth : truth - estimate;

	o->sum += (double)estimate / (double)truth;
	o->inside += off <= error;
}

static void test_unbiased_within_errors(void **state)
{
	struct outcome bytes = { 0 }, blocks = { 0 }, allocated = { 0 }, calls = { 0 };

	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		struct heap_stack_sum all = { 0 }, *one;
		uint64_t held_bytes, held_blocks;
		size_t position = 0;
		struct truth t;
		void *value;

		begin_live(state);
		t = run_program(seed);
		while (map_next(&live.stacks, &position, NULL, &value)) {
			one = value;
			all.allocated_bytes += one->allocated_bytes;
			all.calls += one->calls;
			all.allocated_variance += one->allocated_variance;
		}
		heap_live_total(&live, &held_bytes, &held_blocks);
		note(&bytes, held_bytes, live.live_variance, t.live_bytes);
		note(&blocks, held_blocks, 0, t.live_blocks);
		note(&allocated, all.allocated_bytes, all.allocated_variance, t.allocated_bytes);
		note(&calls, all.calls, 0, t.calls);
		if (seed < RUNS)
			end_live(state);
	}
	assert_float_equal(bytes.sum / RUNS, 1, 0.005);
	assert_float_equal(blocks.sum / RUNS, 1, 0.02);
	assert_float_equal(allocated.sum / RUNS, 1, 0.005);
	assert_float_equal(calls.sum / RUNS, 1, 0.01);
	assert_in_range(bytes.inside, RUNS * 97 / 100, RUNS - 1);
	assert_in_range(allocated.inside, RUNS * 97 / 100, RUNS - 1);
}

/* Blocks that were all freed leave nothing, however they were rounded meanwhile. */
static void test_nothing_is_left(void **state)
{
	uint64_t bytes, blocks;

	(void)state;
	for (int i = 0; i < 1000; i++)
		add_sum(1, 3000 + i % 100, true);
	heap_live_total(&live, &bytes, &blocks);
	assert_int_equal(bytes, 0);
	assert_int_equal(blocks, 0);
	assert_int_equal(estimate_error(live.live_variance), 0);
	assert_int_equal(estimate_error(-1e-9), 0);
}

/* A block far larger than the distance is always a sample, and stands for itself. */
static void test_large(void **state)
{
	uint64_t bytes, blocks;

	(void)state;
	add_sum(1, 1 << 20, false);
	heap_live_total(&live, &bytes, &blocks);
	assert_int_equal(bytes, 1 << 20);
	assert_int_equal(blocks, 1);
	assert_int_equal(estimate_error(live.live_variance), 0);
}

/* --- the answers of samples --- */

/* So many samples a second of 1000 bytes, for some seconds; one of 100 blocks is a sample. */
static const char *answer_of(enum heap_answer answer, unsigned per_s, double seconds)
{
	const struct heap_table_options options = { .answer = answer };
	unsigned steps = (unsigned)(seconds * 10);

	add_heap_source(&records);
	add_begin(&records, 1);
	for (unsigned i = 1; i <= steps; i++) {
		struct heap_sum sum = { .record = heap_head(HEAP_SUM, i * NS_PER_S / 10, 7),
			.calls = per_s / 10,
			.allocated_bytes = per_s / 10 * 1000,
			.program = 1,
			.stack = 1,
			.sample_bytes = 100000,
			.sampled_size = 1000 };

		RECORD_APPEND(&records, &sum, NULL, 0);
	}
	add_end(&records, steps * NS_PER_S / 10);
	return show_view("heap", "heap-table", &options, "table");
}

/* 2000 samples in 3.9 s: each stands for 100.5 blocks, with a deviation of 100. The growth leaves
 * out the first eighth. */
static void test_answers_have_their_error(void **state)
{
	(void)state;
	assert_true(has(
		answer_of(HEAP_LEAKS, 500, 4), " more each second (+-3.0 MiB: 99 %), throughout "));
	setup(state);
	assert_true(has(answer_of(HEAP_KEPT, 500, 4), " more each second (+-3.0 MiB: 99 %), "));
	setup(state);
	assert_true(has(answer_of(HEAP_KEPT, 500, 1), "not freed: 47.9 MiB (+-5.5 MiB: 99 %) in "
						      "about 50250 blocks"));
	setup(state);
	assert_true(has(answer_of(HEAP_CHURN, 500, 4), " (+-2.8 MiB: 99 %) in about "));
	setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test_setup_teardown(test_unbiased_within_errors, NULL, end_live),
		cmocka_unit_test_setup_teardown(test_nothing_is_left, begin_live, end_live),
		cmocka_unit_test_setup_teardown(test_large, begin_live, end_live),
		TEST(test_answers_have_their_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
