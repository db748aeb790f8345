/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON reader: what is valid and what is not, and the values in it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/json_scan.h"

static void test_valid(void **state)
{
	static const char *const valid[] = { "{}", "[]", "0", "-0", "1.5e+10", " \t\r\n[ 1 , 2 ] ",
		"\"\"", "\"\\u00e4\\n\\/\xc3\xa4\"", "true", "null", "{\"a\":{\"b\":[{}]}}",
		"[[],[[]],{\"x\":[]}]" };
	static const char *const invalid[] = { "", " ", "{", "}", "[1,]", "[,1]", "{\"a\"}",
		"{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "01", "-", "1.", ".5", "1e", "+1",
		"nul", "truee", "[1 2]", "{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]", "\"", "\"\\\"",
		"\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "\"\xff\"", "\"\xc3\"",
		"\"\xed\xa0\x80\"", "{} {}", "[]x", "'a'", "NaN" };

	(void)state;
	for (size_t i = 0; i < sizeof(valid) / sizeof(*valid); i++) {
		if (!json_scan_check(span_of_string(valid[i])))
			fail_msg("refused: %s", valid[i]);
	}
	for (size_t i = 0; i < sizeof(invalid) / sizeof(*invalid); i++) {
		if (json_scan_check(span_of_string(invalid[i])))
			fail_msg("accepted: %s", invalid[i]);
	}
	assert_false(json_scan_check(span_of("\"\0\"", 3)));
	assert_false(json_scan_check(span_of("1\0", 2)));
}

static bool check_depth(size_t depth)
{
	char text[2 * (JSON_SCAN_DEPTH + 1)];

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return json_scan_check(span_of(text, 2 * depth));
}

static void test_depth(void **state)
{
	(void)state;
	assert_true(check_depth(1));
	assert_true(check_depth(JSON_SCAN_DEPTH));
	assert_false(check_depth(JSON_SCAN_DEPTH + 1));
}

static void test_members(void **state)
{
	struct span object = span_of_string("{ \"a\" : 1 , \"b\\u0063\":{\"a\":[2]}, \"a\":3, "
					    "\"\\u00e4\":4, \"t\":\"x\\u0041/\"}");
	struct span inner;
	char word[8];

	(void)state;
	assert_true(json_scan_check(object));
	assert_true(span_equal(json_scan_member(object, "a"), "1"));
	inner = json_scan_member(object, "bc");
	assert_true(span_equal(inner, "{\"a\":[2]}"));
	assert_int_equal(json_scan_kind(inner), JSON_OBJECT);
	assert_int_equal(json_scan_kind(json_scan_member(inner, "a")), JSON_ARRAY);
	assert_int_equal(json_scan_kind(json_scan_member(object, "z")), JSON_ABSENT);
	assert_int_equal(json_scan_member(span_of("[1]", 3), "a").size, 0);
	assert_true(json_scan_word(json_scan_member(object, "t"), word, sizeof(word)));
	assert_string_equal(word, "xA/");
}

static void test_words(void **state)
{
	char word[4];

	(void)state;
	assert_true(json_scan_word(span_of_string("\"abc\""), word, sizeof(word)));
	assert_string_equal(word, "abc");
	assert_false(json_scan_word(span_of_string("\"abcd\""), word, sizeof(word)));
	assert_false(json_scan_word(span_of_string("\"a\\n\""), word, sizeof(word)));
	assert_false(json_scan_word(span_of_string("\"\\u0000\""), word, sizeof(word)));
	assert_false(json_scan_word(span_of_string("\"\xc3\xa4\""), word, sizeof(word)));
	assert_false(json_scan_word(span_of_string("12"), word, sizeof(word)));
	assert_string_equal(word, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
