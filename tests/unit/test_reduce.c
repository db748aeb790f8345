/* SPDX-License-Identifier: BSD-2-Clause */
/* Many records of a key become one, by the rules their fields name. */
#include "support.h"

#include "explain/reduce.h"
#include "model/schema.h"

struct sample {
	struct sooth_record record;
	uint64_t sum, min, max, last;
	uint32_t key, other_key;
	uint32_t sum32;
	uint16_t max16;
	uint8_t sum8;
	uint8_t unused;
	uint32_t histogram[4];
	uint64_t late; /* what older writers have not */
};

#define ROW(member_, merge_) FIELD_NUMBER(sample, member_, "", .merge = merge_)

static const struct sooth_field fields[] = {
	FIELD_PID(sample),
	ROW(key, SOOTH_MERGE_KEY),
	ROW(other_key, SOOTH_MERGE_KEY),
	ROW(sum, SOOTH_MERGE_SUM),
	ROW(min, SOOTH_MERGE_MIN),
	ROW(max, SOOTH_MERGE_MAX),
	ROW(last, SOOTH_MERGE_LAST),
	ROW(sum32, SOOTH_MERGE_SUM),
	ROW(max16, SOOTH_MERGE_MAX),
	ROW(sum8, SOOTH_MERGE_SUM),
	{ .name = "histogram",
		.type = SOOTH_FIELD_HISTOGRAM,
		FIELD_AT(sample, histogram),
		.merge = SOOTH_MERGE_SUM },
	ROW(late, SOOTH_MERGE_SUM),
};

static const struct sooth_schema schema = {
	.name = "sample", .fixed_size = sizeof(struct sample), SCHEMA_FIELDS(fields)
};

static void push(struct reducer *r, struct sample s)
{
	s.record.fixed_words = s.record.words = sizeof(s) / 8;
	reducer_push(r, &s.record);
}

static const struct sample *row(const struct reducer *r, size_t index)
{
	const struct sooth_record *found = NULL;
	size_t position = 0;

	for (size_t i = 0; i <= index; i++)
		found = reducer_next(r, &position);
	return (const void *)found;
}

static void test_rules(void **state)
{
	struct reducer r;
	const struct sample *s;

	(void)state;
	assert_true(reducer_init(&r, &schema, "key", 10));
	push(&r, (struct sample){ .key = 1,
			 .sum = 10,
			 .min = 10,
			 .max = 10,
			 .last = 10,
			 .sum32 = UINT32_MAX,
			 .max16 = 3,
			 .sum8 = 200,
			 .histogram = { 1, 0, UINT32_MAX } });
	push(&r, (struct sample){ .key = 1,
			 .sum = 5,
			 .min = 5,
			 .max = 5,
			 .last = 5,
			 .sum32 = 2,
			 .max16 = 40000,
			 .sum8 = 100,
			 .histogram = { 2, 1, 1 } });
	push(&r, (struct sample){ .key = 1,
			 .sum = 20,
			 .min = 20,
			 .max = 20,
			 .last = 20,
			 .histogram = { 0, 0, 0, 9 } });
	s = row(&r, 0);
	assert_int_equal(s->sum, 35);
	assert_int_equal(s->min, 5);
	assert_int_equal(s->max, 20);
	assert_int_equal(s->last, 20);
	assert_int_equal(s->sum32, 1); /* as wide as its member, no further */
	assert_int_equal(s->max16, 40000);
	assert_int_equal(s->sum8, 44);
	assert_int_equal(s->unused, 0);
	assert_int_equal(s->histogram[0], 3);
	assert_int_equal(s->histogram[1], 1);
	assert_int_equal(s->histogram[2], UINT32_MAX); /* full, not around */
	assert_int_equal(s->histogram[3], 9);
	assert_null(row(&r, 1));
	reducer_fini(&r);
}

static void test_keys(void **state)
{
	struct reducer r;

	(void)state;
	assert_true(reducer_init(&r, &schema, "key,other_key", 10));
	push(&r, (struct sample){ .key = 2, .other_key = 1, .sum = 1 });
	push(&r, (struct sample){ .key = 1, .other_key = 2, .sum = 10 });
	push(&r, (struct sample){ .key = 2, .other_key = 1, .sum = 100, .record.pid = 7 });
	push(&r, (struct sample){ .key = 2, .other_key = 2, .sum = 1000 });
	assert_int_equal(r.rows.count, 3);
	assert_int_equal(row(&r, 0)->sum, 101); /* in the order their keys came */
	assert_int_equal(row(&r, 1)->sum, 10);
	assert_int_equal(row(&r, 2)->sum, 1000);
	assert_int_equal(row(&r, 0)->record.words, sizeof(struct sample) / 8);
	reducer_fini(&r);
}

static void test_no_key(void **state)
{
	struct reducer r;

	(void)state;
	assert_true(reducer_init(&r, &schema, "", 10));
	for (uint32_t i = 0; i < 5; i++)
		push(&r, (struct sample){ .key = i, .sum = 1 });
	assert_int_equal(r.rows.count, 1);
	assert_int_equal(row(&r, 0)->sum, 5);
	reducer_fini(&r);
}

static void test_bad_keys(void **state)
{
	struct reducer r;

	(void)state;
	assert_false(reducer_init(&r, &schema, "nothing", 10));
	reducer_fini(&r);
	assert_false(reducer_init(&r, &schema, "key,", 10) && r.key_count != 1);
	reducer_fini(&r);
	assert_false(reducer_init(&r, &schema, "key,key,key,key,key,key,key,key,key", 10));
	reducer_fini(&r);
}

static void test_limit(void **state)
{
	struct reducer r;
	const struct sooth_record **rows;
	size_t count;

	(void)state;
	assert_true(reducer_init(&r, &schema, "key", 3));
	for (uint32_t i = 0; i < 10; i++)
		push(&r, (struct sample){ .key = i % 5, .sum = 1 });
	assert_int_equal(r.rows.count, 3);
	assert_int_equal(r.rows.refused, 4);
	assert_int_equal(row(&r, 2)->sum, 2);
	rows = reducer_rows(&r, &count);
	assert_int_equal(count, 3);
	assert_null(rows[3]);
	free(rows);
	reducer_fini(&r);
}

/* Records of older and newer writers merge with those of this one. */
static void test_other_writers(void **state)
{
	struct {
		struct sample known;
		uint64_t unknown[4];
	} newer = { .known = { .sum = 3, .late = 3 } };
	struct sample old = { .sum = 4, .late = 99 };
	struct reducer r;

	(void)state;
	newer.known.record.words = newer.known.record.fixed_words = sizeof(newer) / 8;
	old.record.words = old.record.fixed_words = offsetof(struct sample, late) / 8;
	assert_true(reducer_init(&r, &schema, "key", 3));
	reducer_push(&r, &newer.known.record);
	reducer_push(&r, &old.record);
	assert_int_equal(row(&r, 0)->sum, 7);
	assert_int_equal(
		row(&r, 0)->late, 3); /* what it has not told is zero, not what stands behind */
	assert_int_equal(row(&r, 0)->record.words, sizeof(struct sample) / 8);
	reducer_fini(&r);
}

/* Any order of sums, minima, maxima and histograms gives the same row. */
static void test_order_does_not_matter(void **state)
{
	struct sample samples[100] = { 0 };
	struct reducer forth, back;
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		samples[i].sum = random_next(&seed);
		samples[i].min = random_next(&seed);
		samples[i].max = random_next(&seed);
		samples[i].histogram[i % 4] = (uint32_t)random_next(&seed);
	}
	assert_true(
		reducer_init(&forth, &schema, "key", 1) && reducer_init(&back, &schema, "key", 1));
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		push(&forth, samples[i]);
		push(&back, samples[ARRAY_SIZE(samples) - 1 - i]);
	}
	assert_memory_equal(row(&forth, 0), row(&back, 0), sizeof(struct sample));
	reducer_fini(&forth);
	reducer_fini(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_other_writers),
		cmocka_unit_test(test_order_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
