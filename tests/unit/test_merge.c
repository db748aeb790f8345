/* SPDX-License-Identifier: BSD-2-Clause */
/* One order out of several sources: watermarks, lateness, stability, the bound. */
#include "support.h"

#include <errno.h>

#include "explain/merge.h"

/* Records as they were released; pid numbers them in the order they were given. */
struct released {
	uint64_t times[4096];
	uint32_t numbers[4096];
	size_t count;
	unsigned batches;
	int fail;
};

static int take(void *user, const struct batch *batch, struct sooth_error *err)
{
	struct released *r = user;

	(void)err;
	assert_true(batch_check(batch) > 0);
	batch_for_each (record, batch) {
		if (r->count < ARRAY_SIZE(r->times)) {
			r->times[r->count] = record->time_ns;
			r->numbers[r->count] = record->pid;
		}
		r->count++;
	}
	r->batches++;
	return r->fail;
}

struct scene {
	struct merge merge;
	struct released released;
	uint32_t next;
};

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->merge.handler = take;
	s->merge.user = &s->released;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	merge_fini(&s->merge);
	free(s);
	return 0;
}

static int give_as(struct scene *s, enum block_type type, uint64_t watermark_ns, size_t count,
	const uint64_t *times)
{
	struct buffer records = { 0 };
	struct sooth_error err;
	struct block block;
	int status;

	for (size_t i = 0; i < count; i++) {
		struct stream_tick t = {
			.record = { .time_ns = times[i], .pid = s->next++, .kind = STREAM_TICK }
		};

		RECORD_APPEND(&records, &t, NULL, 0);
	}
	block = block_of(&records, type, watermark_ns);
	status = merge_block(&s->merge, &block, &err);
	buffer_fini(&records);
	return status;
}

#define GIVE(s, watermark_ns, ...)                                                                 \
	assert_int_equal(                                                                          \
		give_as(s, BLOCK_RECORDS, watermark_ns, ARRAY_SIZE(((uint64_t[]){ __VA_ARGS__ })), \
			(uint64_t[]){ __VA_ARGS__ }),                                              \
		0)

static void assert_released(struct scene *s, size_t count, const uint64_t *times)
{
	assert_int_equal(s->released.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(s->released.times[i], times[i]);
}

#define RELEASED(s, ...)                                                                           \
	assert_released(s, ARRAY_SIZE(((uint64_t[]){ __VA_ARGS__ })), (uint64_t[]){ __VA_ARGS__ })

static void finish(struct scene *s)
{
	struct sooth_error err;

	assert_int_equal(merge_finish(&s->merge, &err), 0);
}

static void test_watermark(void **state)
{
	struct scene *s = *state;

	GIVE(s, 0, 10, 30);
	assert_int_equal(s->released.count, 0);
	GIVE(s, 20, 5, 40);
	RELEASED(s, 5, 10);
	GIVE(s, 30, 25);
	RELEASED(s, 5, 10, 25, 30); /* at the watermark counts as before it */
	finish(s);
	RELEASED(s, 5, 10, 25, 30, 40);
	assert_int_equal(s->merge.late_records, 0);
	finish(s);
	assert_int_equal(s->released.count, 5);
}

static void test_late(void **state)
{
	struct scene *s = *state;

	GIVE(s, 20, 10);
	GIVE(s, 25, 15, 20, 22); /* 15 breaks the promise; 20 is as late as allowed */
	assert_int_equal(s->merge.late_records, 1);
	RELEASED(s, 10, 15, 20, 22);
	GIVE(s, 21, 30); /* a watermark that goes back changes nothing */
	GIVE(s, 40, 24);
	assert_int_equal(s->merge.late_records, 2);
}

/* Definitions are repeated with their old times: that is not late. */
static void test_repeated_definitions(void **state)
{
	struct scene *s = *state;

	GIVE(s, 50, 10);
	assert_int_equal(give_as(s, BLOCK_SEGMENT, 0, 2, (uint64_t[]){ 1, 2 }), 0);
	GIVE(s, 60, 55);
	assert_int_equal(s->merge.late_records, 0);
	RELEASED(s, 10, 1, 2, 55);
}

/* Equal times keep the order in which they came, over any number of blocks. */
static void test_stable(void **state)
{
	struct scene *s = *state;
	uint64_t times[50];
	uint64_t seed = 3;

	for (int block = 0; block < 20; block++) {
		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			times[i] = 1000 + random_below(&seed, 4);
		assert_int_equal(give_as(s, BLOCK_RECORDS, 0, ARRAY_SIZE(times), times), 0);
	}
	finish(s);
	assert_int_equal(s->released.count, 1000);
	for (size_t i = 1; i < s->released.count; i++) {
		assert_true(s->released.times[i] >= s->released.times[i - 1]);
		if (s->released.times[i] == s->released.times[i - 1])
			assert_true(s->released.numbers[i] > s->released.numbers[i - 1]);
	}
}

/* Ties stay stable too when some are released earlier and the rest is kept for later. */
static void test_stable_over_releases(void **state)
{
	struct scene *s = *state;

	GIVE(s, 5, 9, 3, 9, 4); /* 0:9 1:3 2:9 3:4 */
	GIVE(s, 8, 9, 7);	/* 4:9 5:7 */
	finish(s);
	RELEASED(s, 3, 4, 7, 9, 9, 9);
	assert_int_equal(s->released.numbers[3], 0);
	assert_int_equal(s->released.numbers[4], 2);
	assert_int_equal(s->released.numbers[5], 4);
}

static void test_random_sources(void **state)
{
	struct scene *s = *state;
	uint64_t seed = 11, now = 1000, times[8];
	size_t given = 0;

	while (given < 4000) {
		size_t count = random_below(&seed, ARRAY_SIZE(times)) + 1;

		now += random_below(&seed, 20);
		for (size_t i = 0; i < count; i++)
			times[i] = now + random_below(&seed, 50); /* nothing before now */
		given += count;
		assert_int_equal(
			give_as(s, BLOCK_RECORDS, random_below(&seed, 3) ? 0 : now, count, times),
			0);
	}
	finish(s);
	assert_int_equal(s->released.count, given);
	for (size_t i = 1; i < ARRAY_SIZE(s->released.times) && i < given; i++)
		assert_true(s->released.times[i] >= s->released.times[i - 1]);
	assert_int_equal(s->merge.late_records, 0);
}

/* The bytes that wait are bounded, whatever the watermarks say. */
static void test_bound(void **state)
{
	struct scene *s = *state;
	struct buffer records = { 0 };
	struct sooth_error err;
	struct block block;

	for (uint64_t i = 0; i < 100000; i++)
		add_tick(&records, 1000 - i % 7);
	block = block_of(&records, BLOCK_RECORDS, 0);
	for (size_t waiting = 0; waiting <= MERGE_BYTES_MAX; waiting += records.size) {
		assert_int_equal(s->merge.forced, 0);
		assert_int_equal(merge_block(&s->merge, &block, &err), 0);
		assert_true(s->merge.waiting.size <= MERGE_BYTES_MAX);
	}
	assert_int_equal(s->merge.forced, 1);
	assert_true(s->released.count > 0);
	assert_int_equal(s->released.times[0], 994);
	/* A record that then comes from an earlier time is counted. */
	GIVE(s, 0, 999);
	assert_int_equal(s->merge.late_records, 1);
	buffer_fini(&records);
}

static void test_handler_fails(void **state)
{
	struct scene *s = *state;
	struct sooth_error err;
	uint64_t time = 1;

	s->released.fail = -ECANCELED;
	assert_int_equal(give_as(s, BLOCK_RECORDS, 10, 1, &time), -ECANCELED);
	assert_int_equal(give_as(s, BLOCK_RECORDS, 0, 1, &time), 0);
	assert_int_equal(merge_finish(&s->merge, &err), -ECANCELED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_watermark),
		TEST(test_late),
		TEST(test_repeated_definitions),
		TEST(test_stable),
		TEST(test_stable_over_releases),
		TEST(test_random_sources),
		TEST(test_bound),
		TEST(test_handler_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
