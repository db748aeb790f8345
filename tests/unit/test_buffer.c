/* SPDX-License-Identifier: BSD-2-Clause */
/* The growing array: growth, the limit to the byte, sticky failure. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buffer.h"

static void test_empty(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	assert_string_equal(buffer_cstr(&b), "");
	assert_false(buffer_failed(&b));
	buffer_fini(&b);
	buffer_fini(&b);
	assert_null(b.data);
	buffer_append(&b, NULL, 0);
	buffer_consume(&b, 5);
	buffer_format(&b, "%s", "");
	assert_non_null(buffer_reserve(&b, 0));
	assert_int_equal(b.size, 0);
	assert_false(buffer_failed(&b));
	buffer_fini(&b);
}

static void test_append(void **state)
{
	struct buffer b = { 0 };
	unsigned char bytes[4] = { 0, 0xff, '\n', 0 };

	(void)state;
	buffer_string(&b, "ab");
	buffer_char(&b, 'c');
	buffer_append(&b, bytes, sizeof(bytes));
	buffer_format(&b, "%d-%s", -5, "x");
	assert_int_equal(b.size, 11);
	assert_memory_equal(b.data, "abc\0\xff\n\0-5-x", 11);
	assert_int_equal(buffer_cstr(&b)[11], 0);
	assert_int_equal(b.size, 11);
	buffer_fini(&b);
}

static void test_growth(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		buffer_char(&b, (char)i);
	assert_int_equal(b.size, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], (unsigned char)i);
	assert_true(b.capacity < 300000);
	buffer_fini(&b);
}

/* Formatting at every fill, so that the text falls before, on and behind the capacity. */
static void test_format_edges(void **state)
{
	(void)state;
	for (size_t fill = 0; fill < 140; fill++) {
		struct buffer b = { 0 };

		for (size_t i = 0; i < fill; i++)
			buffer_char(&b, 'x');
		buffer_format(&b, "%08d", 1234);
		assert_int_equal(b.size, fill + 8);
		assert_memory_equal(b.data + fill, "00001234", 8);
		buffer_fini(&b);
	}
}

static void test_limit(void **state)
{
	struct buffer b = { .limit = 10 };

	(void)state;
	buffer_string(&b, "0123456789");
	assert_false(buffer_failed(&b));
	assert_string_equal(buffer_cstr(&b), "0123456789");
	buffer_append(&b, "", 0);
	assert_false(buffer_failed(&b));
	buffer_char(&b, 'x');
	assert_true(buffer_failed(&b));
	assert_int_equal(b.size, 10);
	assert_string_equal(buffer_cstr(&b), "");
	buffer_consume(&b, 5);
	buffer_char(&b, 'x'); /* sticky, though there is room again */
	assert_int_equal(b.size, 5);
	assert_null(buffer_reserve(&b, 1));
	assert_null(buffer_zeros(&b, 1));
	buffer_format(&b, "x");
	assert_int_equal(b.size, 5);
	buffer_reset(&b);
	assert_false(buffer_failed(&b));
	assert_int_equal(b.limit, 10);
	buffer_format(&b, "%s", "0123456789");
	assert_false(buffer_failed(&b));
	assert_int_equal(b.size, 10);
	assert_true(b.capacity <= 64);
	buffer_reset(&b);
	buffer_format(&b, "%s", "0123456789x");
	assert_true(buffer_failed(&b));
	assert_int_equal(b.size, 0);
	buffer_fini(&b);
	assert_false(buffer_failed(&b));
}

static void test_limit_large(void **state)
{
	struct buffer b = { .limit = 1000 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		buffer_char(&b, 'x');
	assert_false(buffer_failed(&b));
	assert_int_equal(b.capacity, 1001);
	assert_int_equal(strlen(buffer_cstr(&b)), 1000);
	buffer_fini(&b);
}

static void test_overflow(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	buffer_char(&b, 'x');
	assert_null(buffer_reserve(&b, SIZE_MAX));
	assert_true(buffer_failed(&b));
	buffer_reset(&b);
	assert_null(buffer_reserve(&b, SIZE_MAX - 1));
	assert_true(buffer_failed(&b));
	buffer_fini(&b);
	b.limit = SIZE_MAX;
	assert_null(buffer_reserve(&b, SIZE_MAX));
	assert_true(buffer_failed(&b));
	buffer_fini(&b);
}

static void test_reserve(void **state)
{
	struct buffer b = { 0 };
	char *room;

	(void)state;
	room = buffer_reserve(&b, 100);
	assert_non_null(room);
	assert_int_equal(b.size, 0);
	memcpy(room, "hello", 5);
	buffer_commit(&b, 5);
	assert_string_equal(buffer_cstr(&b), "hello");
	buffer_commit(&b, 1000);
	assert_true(buffer_failed(&b));
	assert_int_equal(b.size, 5);
	buffer_fini(&b);

	b.limit = 4;
	assert_non_null(buffer_reserve(&b, 4));
	buffer_commit(&b, 5);
	assert_true(buffer_failed(&b));
	buffer_fini(&b);
}

static void test_zeros(void **state)
{
	struct buffer b = { 0 };
	unsigned char *room;

	(void)state;
	memset(buffer_reserve(&b, 50), 0xff, 50);
	buffer_char(&b, 'x');
	room = buffer_zeros(&b, 40);
	assert_ptr_equal(room, b.data + 1);
	assert_int_equal(b.size, 41);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(room[i], 0);
	buffer_fini(&b);
}

static void test_consume(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	buffer_string(&b, "0123456789");
	buffer_consume(&b, 0);
	assert_string_equal(buffer_cstr(&b), "0123456789");
	buffer_consume(&b, 3);
	assert_string_equal(buffer_cstr(&b), "3456789");
	buffer_consume(&b, 7);
	assert_int_equal(b.size, 0);
	buffer_string(&b, "ab");
	buffer_consume(&b, 99);
	assert_int_equal(b.size, 0);
	buffer_fini(&b);
}

static void test_numbers(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	buffer_u64(&b, 0);
	buffer_char(&b, ' ');
	buffer_u64(&b, 10);
	buffer_char(&b, ' ');
	buffer_u64(&b, UINT64_MAX);
	buffer_char(&b, ' ');
	buffer_i64(&b, INT64_MIN);
	buffer_char(&b, ' ');
	buffer_i64(&b, -9);
	buffer_char(&b, ' ');
	buffer_i64(&b, INT64_MAX);
	assert_string_equal(buffer_cstr(&b),
		"0 10 18446744073709551615 -9223372036854775808 -9 9223372036854775807");
	buffer_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_format_edges),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_large),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_zeros),
		cmocka_unit_test(test_consume),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
