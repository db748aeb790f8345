/* SPDX-License-Identifier: BSD-2-Clause */
/* The map against a naive model, its order, its limit, its bounds in memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define KEYS 300

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void test_empty(void **state)
{
	struct map m;
	uint32_t key = 1;
	size_t position = 0;
	const void *k;
	void *v;

	(void)state;
	map_init(&m, sizeof(key), 8, 100);
	assert_null(map_get(&m, &key));
	assert_false(map_remove(&m, &key));
	assert_false(map_next(&m, &position, &k, &v));
	map_clear(&m);
	map_fini(&m);
	map_fini(&m);
	assert_int_equal(m.count, 0);
}

static void test_put(void **state)
{
	struct map m;
	uint32_t key = 5;
	uint64_t *value;
	bool is_new = false;

	(void)state;
	map_init(&m, sizeof(key), sizeof(*value), 100);
	value = map_put(&m, &key, &is_new);
	assert_non_null(value);
	assert_true(is_new);
	assert_int_equal(*value, 0);
	assert_int_equal((uintptr_t)value % 8, 0);
	*value = 42;
	value = map_put(&m, &key, &is_new);
	assert_false(is_new);
	assert_int_equal(*value, 42);
	assert_ptr_equal(map_get(&m, &key), value);
	assert_int_equal(m.count, 1);
	assert_true(map_remove(&m, &key));
	assert_false(map_remove(&m, &key));
	assert_null(map_get(&m, &key));
	value = map_put(&m, &key, NULL);
	assert_int_equal(*value, 0); /* nothing of the removed one */
	map_fini(&m);
}

static void test_limit(void **state)
{
	struct map m;
	bool is_new = true;

	(void)state;
	map_init(&m, 4, 4, 10);
	for (uint32_t key = 0; key < 10; key++)
		assert_non_null(map_put(&m, &key, NULL));
	for (uint32_t key = 10; key < 15; key++)
		assert_null(map_put(&m, &key, &is_new));
	assert_false(is_new);
	assert_int_equal(m.refused, 5);
	assert_int_equal(m.count, 10);
	assert_non_null(map_put(&m, &(uint32_t){ 3 }, NULL)); /* what is there stays reachable */
	assert_int_equal(m.refused, 5);
	assert_true(map_remove(&m, &(uint32_t){ 3 }));
	assert_non_null(map_put(&m, &(uint32_t){ 12 }, NULL));
	assert_null(map_put(&m, &(uint32_t){ 13 }, NULL));
	map_clear(&m);
	assert_int_equal(m.count, 0);
	assert_int_equal(m.refused, 6);
	assert_non_null(map_put(&m, &(uint32_t){ 13 }, NULL));
	map_fini(&m);
	map_init(&m, 4, 4, 0);
	assert_null(map_put(&m, &(uint32_t){ 13 }, NULL));
	assert_int_equal(m.refused, 1);
	map_fini(&m);
}

/* The model: keys in order of their coming. */
struct model {
	uint64_t keys[KEYS];
	uint64_t values[KEYS];
	size_t count;
};

static size_t model_find(const struct model *model, uint64_t key)
{
	size_t i = 0;

	while (i < model->count && model->keys[i] != key)
		i++;
	return i;
}

static void model_remove(struct model *model, size_t at)
{
	model->count--;
	memmove(model->keys + at, model->keys + at + 1, (model->count - at) * 8);
	memmove(model->values + at, model->values + at + 1, (model->count - at) * 8);
}

static void compare(const struct map *m, const struct model *model)
{
	size_t position = 0, i = 0;
	const void *key;
	void *value;

	assert_int_equal(m->count, model->count);
	for (; map_next(m, &position, &key, &value); i++) {
		assert_true(i < model->count);
		assert_memory_equal(key, &model->keys[i], 8);
		assert_memory_equal(value, &model->values[i], 8);
	}
	assert_int_equal(i, model->count);
}

static void step(struct map *m, struct model *model, uint64_t random, uint64_t keys)
{
	uint64_t key = (random >> 8) % keys * 0x100000001ULL, *value;
	size_t at = model_find(model, key);
	bool is_known = at < model->count, is_new;

	if (random % 8 < 4) {
		value = map_put(m, &key, &is_new);
		assert_non_null(value);
		assert_int_equal(is_new, !is_known);
		assert_true(*value == (is_known ? model->values[at] : 0));
		if (!is_known) {
			model->keys[at] = key;
			model->count++;
		}
		model->values[at] = *value = random;
	} else if (random % 8 < 7) {
		assert_int_equal(map_remove(m, &key), is_known);
		if (is_known)
			model_remove(model, at);
	} else {
		value = map_get(m, &key);
		assert_int_equal(value != NULL, is_known);
		if (value)
			assert_true(*value == model->values[at]);
	}
}

static void test_model(void **state)
{
	static const uint64_t ranges[] = { 1, 3, 20, KEYS };
	uint64_t seed = 0x5007;

	(void)state;
	for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
		struct model model = { .count = 0 };
		struct map m;

		map_init(&m, 8, 8, KEYS);
		for (unsigned i = 0; i < 20000; i++) {
			step(&m, &model, random_next(&seed), ranges[r]);
			if (i % 64 == 0)
				compare(&m, &model);
			if (i % 5000 == 4999) {
				map_clear(&m);
				model.count = 0;
			}
		}
		compare(&m, &model);
		assert_int_equal(m.refused, 0);
		/* tombstones do not pile up */
		assert_true(m.capacity <= (KEYS * 2 > 8 ? 1024 : 8));
		map_fini(&m);
	}
}

/* Sizes that need padding, and keys that differ in one byte only. */
static void test_sizes(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 40; size++) {
		unsigned char key[40];
		struct map m;

		map_init(&m, size, 3, 1000);
		for (size_t at = 0; at < size; at++) {
			memset(key, 0, sizeof(key));
			key[at] = 1;
			memcpy(map_put(&m, key, NULL), "\1\2\3", 3);
			key[at] = 0x80;
			memcpy(map_put(&m, key, NULL), "\4\5\6", 3);
		}
		assert_int_equal(m.count, size * 2);
		for (size_t at = 0; at < size; at++) {
			memset(key, 0, sizeof(key));
			key[at] = 0x80;
			assert_memory_equal(map_get(&m, key), "\4\5\6", 3);
		}
		map_fini(&m);
	}
}

static void test_no_value(void **state)
{
	struct map m;
	bool is_new;

	(void)state;
	map_init(&m, 2, 0, 65536);
	for (unsigned key = 0; key < 65536; key++) {
		assert_non_null(map_put(&m, &(uint16_t){ (uint16_t)key }, &is_new));
		assert_true(is_new);
	}
	assert_int_equal(m.count, 65536);
	map_fini(&m);
}

static void test_remove_while_walking(void **state)
{
	struct map m;
	size_t position = 0;
	const void *key;
	uint32_t expected = 0;

	(void)state;
	map_init(&m, 4, 4, 1000);
	for (uint32_t k = 0; k < 100; k++)
		map_put(&m, &k, NULL);
	while (map_next(&m, &position, &key, NULL)) {
		assert_int_equal(*(const uint32_t *)key, expected++);
		if (*(const uint32_t *)key % 3)
			assert_true(map_remove(&m, key));
	}
	assert_int_equal(expected, 100);
	assert_int_equal(m.count, 34);
	for (position = 0, expected = 0; map_next(&m, &position, &key, NULL); expected += 3)
		assert_int_equal(*(const uint32_t *)key, expected);
	map_fini(&m);
}

/* continue goes to the next entry, break leaves the loop at hand only, and the place after it. */
static void test_loops(void **state)
{
	uint32_t sum = 0, pairs = 0, last = 0;
	struct map m;

	(void)state;
	map_init(&m, 4, 4, 100);
	map_for_each_value (&m, uint32_t *, none)
		sum += *none + 1;
	assert_int_equal(sum, 0);
	for (uint32_t k = 0; k < 10; k++)
		*(uint32_t *)map_put(&m, &k, NULL) = k * k;
	map_for_each (&m, const uint32_t *, k, uint32_t *, v) {
		if (*k == 3)
			continue;
		if (*k == 6)
			break;
		sum += *v;
	}
	assert_int_equal(sum, 0 + 1 + 4 + 16 + 25);
	map_for_each_key (&m, const uint32_t *, k) {
		map_for_each_value (&m, const uint32_t *, v) {
			if (*v > *k)
				break;
			pairs++;
		}
		last = *k;
	}
	assert_int_equal(last, 9);
	assert_int_equal(pairs, 1 + 2 + 2 + 2 + 3 + 3 + 3 + 3 + 3 + 4);
	map_for_each_key (&m, const uint32_t *, k) {
		if (*k % 2)
			map_remove(&m, k);
	}
	sum = 0;
	map_for_each_key (map_while(sum < 6, &m), const uint32_t *, k)
		sum += *k;
	assert_int_equal(sum, 0 + 2 + 4);
	map_for_each_key (map_while(false, &m), const uint32_t *, k)
		sum += *k;
	assert_int_equal(sum, 6);
	map_fini(&m);
}

static void test_pointers(void **state)
{
	uint32_t values[3] = { 7, 8, 9 }, sum = 0;
	struct map m;

	(void)state;
	map_init(&m, 4, sizeof(void *), 100);
	for (uint32_t k = 0; k < 3; k++)
		*(uint32_t **)map_put(&m, &k, NULL) = &values[k];
	map_for_each_pointer (&m, const uint32_t *, v)
		sum += *v;
	assert_int_equal(sum, 24);
	map_fini(&m);
}

/* A window that moves for ever stays small: each round removes the oldest. */
static void test_window(void **state)
{
	struct map m;

	(void)state;
	map_init(&m, 4, 16, 100);
	for (uint32_t k = 0; k < 200000; k++) {
		if (k >= 100) {
			uint32_t old = k - 100;

			assert_true(map_remove(&m, &old));
		}
		assert_non_null(map_put(&m, &k, NULL));
	}
	assert_int_equal(m.count, 100);
	assert_true(m.capacity <= 256);
	map_fini(&m);
}

/* One key that comes and goes for ever, among others that stay, is found at once each time. */
static void test_coming_and_going(void **state)
{
	uint64_t key = UINT64_MAX;
	size_t places = 0;
	struct map m;

	(void)state;
	map_init(&m, 8, 8, 1 << 20);
	for (uint64_t k = 0; k < 100000; k++)
		map_put(&m, &k, NULL);
	for (int i = 0; i < 300000; i++) {
		uint64_t old = (uint64_t)i % 100000;

		assert_non_null(map_put(&m, &key, NULL));
		if (i % 3 == 0) { /* so that it is not always the last */
			map_remove(&m, &old);
			map_put(&m, &old, NULL);
		}
		assert_true(map_remove(&m, &key));
		assert_null(map_get(&m, &key));
	}
	for (size_t i = 0; i < m.index_size; i++)
		places += m.index[i].number != 0;
	assert_int_equal(m.count, 100000);
	assert_int_equal(places, m.count);
	assert_true(m.capacity <= 1 << 18);
	map_fini(&m);
}

/* Keys that are alike in most ways are spread: the longest probe stays short. */
static void test_spread(void **state)
{
	static const uint64_t strides[] = { 1, 8, 4096, 1ULL << 20, 1ULL << 32, 1ULL << 48,
		0x10001 };

	(void)state;
	for (size_t s = 0; s < sizeof(strides) / sizeof(strides[0]); s++) {
		size_t run = 0, longest = 0;
		struct map m;

		map_init(&m, 8, 0, 1 << 15);
		for (uint64_t k = 0; k < 1 << 15; k++)
			map_put(&m, &(uint64_t){ k * strides[s] }, NULL);
		for (size_t i = 0; i < m.index_size; i++) {
			run = m.index[i].number ? run + 1 : 0;
			longest = run > longest ? run : longest;
		}
		assert_true(m.index_size <= 1 << 16);
		assert_in_range(longest, 1, 100);
		map_fini(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_no_value),
		cmocka_unit_test(test_remove_while_walking),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_coming_and_going),
		cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
