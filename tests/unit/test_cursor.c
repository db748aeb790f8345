/* SPDX-License-Identifier: BSD-2-Clause */
/* Bounded reading: exact values, every edge, and that a failure stays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

static struct cursor over(const char *text)
{
	return cursor_over(text, strlen(text));
}

static void assert_span(struct span s, const char *text)
{
	assert_int_equal(s.size, strlen(text));
	if (s.size)
		assert_memory_equal(s.data, text, s.size);
}

static void test_integers(void **state)
{
	static const unsigned char bytes[] = { 0x01, 0x02, 0x03, 0xff, 0xfe, 0xfd, 0xfc, 0x80, 0, 1,
		2, 3, 4, 5, 0xff };
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(cursor_u8(&c), 0x01);
	assert_int_equal(cursor_u16(&c), 0x0302);
	assert_int_equal(cursor_u32(&c), 0xfcfdfeff);
	assert_true(cursor_u64(&c) == 0xff05040302010080ULL);
	assert_true(cursor_at_end(&c));
	assert_false(c.failed);
	assert_int_equal(cursor_u8(&c), 0);
	assert_true(c.failed);
}

static void test_sticky(void **state)
{
	struct cursor c = over("abcdef");

	(void)state;
	assert_span(cursor_bytes(&c, 2), "ab");
	assert_span(cursor_bytes(&c, 5), "");
	assert_true(c.failed);
	assert_int_equal(cursor_left(&c), 0);
	assert_true(cursor_at_end(&c));
	assert_span(cursor_bytes(&c, 1), "");
	assert_span(cursor_bytes(&c, 0), "");
	assert_span(cursor_word(&c), "");
	assert_span(cursor_line(&c), "");
	assert_span(cursor_until(&c, 'x'), "");
	assert_int_equal(cursor_decimal(&c), 0);
	assert_int_equal(cursor_signed(&c), 0);
	assert_int_equal(cursor_hex(&c), 0);
	assert_int_equal(cursor_u32(&c), 0);
	assert_false(cursor_skip(&c, ""));
	assert_true(c.failed);
}

static void test_partial_integer(void **state)
{
	struct cursor c = cursor_over("\1\2\3", 3);

	(void)state;
	assert_int_equal(cursor_u32(&c), 0);
	assert_true(c.failed);
}

static void test_nothing(void **state)
{
	struct cursor c = cursor_over(NULL, 0);

	(void)state;
	assert_true(cursor_at_end(&c));
	assert_int_equal(cursor_left(&c), 0);
	assert_span(cursor_bytes(&c, 0), "");
	assert_span(cursor_line(&c), "");
	assert_span(cursor_word(&c), "");
	assert_true(cursor_skip(&c, ""));
	assert_false(cursor_skip(&c, "x"));
	assert_false(c.failed);
	assert_span(cursor_bytes(&c, SIZE_MAX), "");
	assert_true(c.failed);
	c = cursor_over(NULL, 4);
	assert_true(c.failed);
	assert_true(cursor_at_end(&c));
}

static void test_until(void **state)
{
	struct cursor c = over("a:b::\n\nlast");

	(void)state;
	assert_span(cursor_until(&c, ':'), "a");
	assert_span(cursor_until(&c, ':'), "b");
	assert_span(cursor_until(&c, ':'), "");
	assert_span(cursor_line(&c), "");
	assert_span(cursor_line(&c), "");
	assert_span(cursor_line(&c), "last");
	assert_true(cursor_at_end(&c));
	assert_false(c.failed);
	c = cursor_over("\xff\x80\xff", 3);
	assert_span(cursor_until(&c, '\x80'), "\xff");
	assert_int_equal(cursor_left(&c), 1);
}

static void test_words(void **state)
{
	struct cursor c = over(" \t one\ttwo  three\n ");

	(void)state;
	assert_span(cursor_word(&c), "one");
	assert_span(cursor_word(&c), "two");
	assert_span(cursor_word(&c), "three\n");
	assert_span(cursor_word(&c), "");
	assert_true(cursor_at_end(&c));
	assert_false(c.failed);
}

static void check_decimal(const char *text, bool is_good, uint64_t value)
{
	struct cursor c = over(text);

	assert_true(cursor_decimal(&c) == value);
	assert_int_equal(c.failed, !is_good);
}

static void test_decimal(void **state)
{
	(void)state;
	check_decimal("0", true, 0);
	check_decimal(" \t007x", true, 7);
	check_decimal("18446744073709551615", true, UINT64_MAX);
	check_decimal("18446744073709551616", false, 0);
	check_decimal("18446744073709551620", false, 0);
	check_decimal("99999999999999999999999", false, 0);
	check_decimal("", false, 0);
	check_decimal("  ", false, 0);
	check_decimal("x1", false, 0);
	check_decimal("-1", false, 0);
	check_decimal("+1", false, 0);
	check_decimal("\n1", false, 0);
}

static void check_signed(const char *text, bool is_good, int64_t value)
{
	struct cursor c = over(text);

	assert_true(cursor_signed(&c) == value);
	assert_int_equal(c.failed, !is_good);
}

static void test_signed(void **state)
{
	(void)state;
	check_signed("-5", true, -5);
	check_signed(" 5", true, 5);
	check_signed("-0", true, 0);
	check_signed("9223372036854775807", true, INT64_MAX);
	check_signed("9223372036854775808", false, 0);
	check_signed("-9223372036854775808", true, INT64_MIN);
	check_signed("-9223372036854775809", false, 0);
	check_signed("18446744073709551615", false, 0);
	check_signed("-", false, 0);
	check_signed("- 5", false, 0);
	check_signed("--5", false, 0);
}

static void test_hex(void **state)
{
	struct cursor c = over("7fffF00d-dead beef 0x12");

	(void)state;
	assert_true(cursor_hex(&c) == 0x7ffff00d);
	assert_true(cursor_skip(&c, "-"));
	assert_true(cursor_hex(&c) == 0xdead);
	assert_true(cursor_hex(&c) == 0xbeef);
	assert_true(cursor_hex(&c) == 0);
	assert_true(cursor_skip(&c, "x12"));
	assert_false(c.failed);
	c = over("ffffffffffffffff");
	assert_true(cursor_hex(&c) == UINT64_MAX);
	assert_false(c.failed);
	c = over("10000000000000000");
	assert_true(cursor_hex(&c) == 0);
	assert_true(c.failed);
	c = over("g");
	cursor_hex(&c);
	assert_true(c.failed);
}

static void test_skip(void **state)
{
	struct cursor c = over("Name:\tx");

	(void)state;
	assert_false(cursor_skip(&c, "name"));
	assert_false(cursor_skip(&c, "Name:\txyz"));
	assert_true(cursor_skip(&c, "Name:"));
	cursor_blanks(&c);
	assert_int_equal(cursor_left(&c), 1);
	assert_true(cursor_skip(&c, "x"));
	assert_true(cursor_at_end(&c));
	assert_false(c.failed);
}

/* Truncation at every byte, over memory of exactly that size: the sanitizer watches the edge. */
static void test_truncated(void **state)
{
	static const char text[] = "7f00-8f00 r-xp 00001000 08:02 173521 /usr/bin/x y\n";

	(void)state;
	for (size_t size = 0; size < sizeof(text); size++) {
		char *copy = malloc(size ? size : 1);
		struct cursor c = cursor_over(copy, size);

		memcpy(copy, text, size);
		cursor_hex(&c);
		cursor_skip(&c, "-");
		cursor_hex(&c);
		cursor_word(&c);
		cursor_hex(&c);
		cursor_word(&c);
		cursor_decimal(&c);
		cursor_blanks(&c);
		cursor_line(&c);
		/* the first digit of the inode is what is needed last */
		assert_int_equal(c.failed, size < 31);
		free(copy);
	}
}

static void test_spans(void **state)
{
	static const char *const words[] = { "world", "hello" };
	struct span s = span_of("hello", 5), none = { NULL, 0 };
	uint64_t value = 77;

	(void)state;
	assert_true(span_equal(s, "hello"));
	assert_false(span_equal(s, "hell"));
	assert_false(span_equal(s, "hello!"));
	assert_true(span_starts(s, "he"));
	assert_true(span_starts(s, ""));
	assert_false(span_starts(s, "hello!"));
	assert_false(span_starts(s, "el"));
	assert_true(span_ends(s, "lo"));
	assert_false(span_ends(s, "hello!"));
	assert_false(span_ends(s, "l"));
	assert_true(span_contains(s, "ell"));
	assert_true(span_contains(s, "hello"));
	assert_false(span_contains(s, "hello!"));
	assert_false(span_contains(s, "lle"));
	assert_true(span_equal(none, ""));
	assert_true(span_contains(none, ""));
	assert_true(span_ends(none, ""));
	assert_false(span_contains(none, "x"));
	assert_true(span_is_word_of(s, "hell hello"));
	assert_false(span_is_word_of(s, "hell hello! helloo"));
	assert_false(span_is_word_of(none, "hello"));
	assert_true(SPAN_ANY(s, span_equal, words));
	assert_true(SPAN_ANY(s, span_ends, words));
	assert_false(SPAN_ANY(none, span_starts, words));
	assert_false(span_any(s, span_equal, words, 1));

	assert_true(span_decimal(span_of("0042", 4), &value));
	assert_int_equal(value, 42);
	assert_true(span_decimal(span_of("42x", 2), &value));
	value = 77;
	assert_false(span_decimal(span_of("42x", 3), &value));
	assert_false(span_decimal(span_of(" 42", 3), &value));
	assert_false(span_decimal(span_of("-4", 2), &value));
	assert_false(span_decimal(none, &value));
	assert_false(span_decimal(span_of("18446744073709551616", 20), &value));
	assert_int_equal(value, 77); /* written only on success */
	assert_true(span_decimal(span_of("18446744073709551615", 20), &value));
	assert_true(value == UINT64_MAX);
}

static bool is_within(const char *path, const char *folder)
{
	return path_is_within(span_of_string(path), span_of_string(folder));
}

static void test_path_within(void **state)
{
	(void)state;
	assert_true(is_within("/a/b", "/a"));
	assert_true(is_within("/a", "/a"));
	assert_true(is_within("/a", "/"));
	assert_false(is_within("/ab", "/a"));
	assert_false(is_within("/", "/a"));
	assert_false(is_within("pipe:[7]", "/"));
	assert_false(is_within("/a", ""));
	assert_false(is_within("", "/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_path_within),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_partial_integer),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_until),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
