/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON writer: exact output, misuse, and random documents under an independent checker. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "json_check.h"

static void test_compact(void **state)
{
	struct buffer b = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &b, 0);
	json_begin_object(&j);
	json_key(&j, "a");
	json_u64(&j, UINT64_MAX);
	json_key(&j, "b\"");
	json_begin_array(&j);
	json_i64(&j, INT64_MIN);
	json_bool(&j, true);
	json_bool(&j, false);
	json_nothing(&j);
	json_cstring(&j, NULL);
	json_cstring(&j, "x\ny");
	json_chars(&j, "a\0b", 3);
	json_begin_object(&j);
	json_end(&j);
	json_begin_array(&j);
	json_end(&j);
	json_end(&j);
	json_key(&j, "");
	json_chars(&j, NULL, 0);
	json_end(&j);
	assert_false(j.failed);
	assert_int_equal(j.depth, 0);
	assert_string_equal(buffer_cstr(&b),
		"{\"a\":18446744073709551615,\"b\\\"\":[-9223372036854775808,true,false,null,null,"
		"\"x\\ny\",\"a\\u0000b\",{},[]],\"\":\"\"}");
	assert_true(json_check((char *)b.data, b.size, 1));
	buffer_fini(&b);
}

static void test_indent(void **state)
{
	struct buffer b = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &b, 2);
	json_begin_object(&j);
	json_key(&j, "a");
	json_begin_array(&j);
	json_u64(&j, 1);
	json_u64(&j, 2);
	json_end(&j);
	json_key(&j, "b");
	json_begin_object(&j);
	json_end(&j);
	json_end(&j);
	assert_string_equal(buffer_cstr(&b), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
	assert_false(j.failed);
	buffer_fini(&b);
}

static void test_format(void **state)
{
	const char *volatile none = NULL;
	struct buffer b = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &b, 0);
	json_format(&j, "{'a':%s,'b':[%u,%llu,%zu, -1,null,true,''],%s:%d,'c':", "x\"", 1u,
		18446744073709551615ull, (size_t)2, "key", -3);
	json_bool(&j, false);
	json_format(&j, "'d':{'e':%i,'f':%.*f,'g':%.0f},'h':%.*s,'i':%s}", 1, 2, 0.125, 2.0, 2,
		"yes", none);
	assert_string_equal(buffer_cstr(&b),
		"{\"a\":\"x\\\"\",\"b\":[1,18446744073709551615,2,-1,null,true,\"\"],\"key\":-3,"
		"\"c\":false,\"d\":{\"e\":true,\"f\":0.12,\"g\":2},\"h\":\"ye\",\"i\":null}");
	assert_false(j.failed);
	buffer_reset(&b);
	json_init(&j, &b, 0);
	json_format(&j, "{'a':'b");
	assert_true(j.failed);
	buffer_fini(&b);
}

static void check_f64(double value, unsigned decimals, const char *wanted)
{
	struct buffer b = { 0 };
	struct json j;

	json_init(&j, &b, 0);
	json_f64(&j, value, decimals);
	assert_string_equal(buffer_cstr(&b), wanted);
	assert_true(json_check((char *)b.data, b.size, 1));
	buffer_fini(&b);
}

static void test_f64(void **state)
{
	struct buffer b = { 0 };
	struct json j;

	(void)state;
	check_f64(1.5, 2, "1.50");
	check_f64(-0.125, 3, "-0.125");
	check_f64(2.6, 0, "3");
	check_f64(0, 1, "0.0");
	check_f64(NAN, 1, "null");
	check_f64(INFINITY, 1, "null");
	check_f64(-INFINITY, 1, "null");
	check_f64(1e21, 1, "1000000000000000000000.0");
	json_init(&j, &b, 0);
	json_f64(&j, -DBL_MAX, 1000000);
	assert_false(j.failed);
	assert_int_equal(b.size, 1 + 309 + 1 + 17);
	assert_true(json_check((char *)b.data, b.size, 1));
	buffer_fini(&b);
}

static void test_locale(void **state)
{
	static const char *const names[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
		"ps_AF.UTF-8" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (setlocale(LC_ALL, names[i]))
			check_f64(1234.5, 1, "1234.5");
	setlocale(LC_ALL, "C");
}

/* Runs a script of calls (a letter each); is it accepted, and what was written? */
static void check_script(const char *script, bool is_good, const char *wanted)
{
	struct buffer b = { 0 };
	struct json j;

	json_init(&j, &b, 0);
	for (; *script; script++) {
		switch (*script) {
		case '{':
			json_begin_object(&j);
			break;
		case '[':
			json_begin_array(&j);
			break;
		case '.':
			json_end(&j);
			break;
		case 'k':
			json_key(&j, "k");
			break;
		case 'K':
			json_key(&j, NULL);
			break;
		default:
			json_u64(&j, 1);
		}
	}
	assert_int_equal(j.failed, !is_good);
	assert_string_equal(buffer_cstr(&b), wanted);
	buffer_fini(&b);
}

static void test_misuse(void **state)
{
	(void)state;
	check_script("{k1.", true, "{\"k\":1}");
	check_script("1", true, "1");
	check_script("{.[.", true, "{}[]");
	check_script("{1k1.", false, "{");
	check_script("{kk", false, "{\"k\":");
	check_script("{k.", false, "{\"k\":");
	check_script("{k11", false, "{\"k\":1");
	check_script("{[", false, "{");
	check_script("{{", false, "{");
	check_script("{k[.[", false, "{\"k\":[]");
	check_script("[k1", false, "[");
	check_script("k1", false, "");
	check_script("{K1", false, "{");
	check_script(".", false, "");
	check_script("[..[1", false, "[]");
	/* a key of the outer object is not requested again after an inner container */
	check_script("{k{k1.k[1.k1.", true, "{\"k\":{\"k\":1},\"k\":[1],\"k\":1}");
}

static void test_depth(void **state)
{
	struct buffer b = { 0 };
	struct json j;

	(void)state;
	json_init(&j, &b, 1);
	for (unsigned i = 0; i < JSON_DEPTH_MAX; i++) {
		if (i % 2)
			json_key(&j, "k");
		if (i % 2)
			json_begin_array(&j);
		else if (i)
			json_begin_object(&j);
		else
			json_begin_object(&j);
	}
	json_u64(&j, 7);
	assert_false(j.failed);
	for (unsigned i = 0; i < JSON_DEPTH_MAX; i++)
		json_end(&j);
	assert_false(j.failed);
	assert_true(json_check((char *)b.data, b.size, 1));
	buffer_reset(&b);
	json_init(&j, &b, 0);
	for (unsigned i = 0; i < JSON_DEPTH_MAX; i++)
		json_begin_array(&j);
	assert_false(j.failed);
	json_begin_array(&j);
	assert_true(j.failed);
	assert_int_equal(b.size, JSON_DEPTH_MAX);
	json_end(&j);
	assert_int_equal(b.size, JSON_DEPTH_MAX);
	buffer_fini(&b);
}

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void random_value(struct json *j, uint64_t *seed, unsigned depth)
{
	char text[16];

	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (char)random_next(seed);
	switch (random_next(seed) % (depth < JSON_DEPTH_MAX ? 9 : 7)) {
	case 0:
		json_u64(j, random_next(seed));
		break;
	case 1:
		json_i64(j, (int64_t)random_next(seed));
		break;
	case 2:
		json_f64(j, (double)(int64_t)random_next(seed) / 1e9, random_next(seed) % 9);
		break;
	case 3:
		json_bool(j, random_next(seed) & 1);
		break;
	case 4:
		json_nothing(j);
		break;
	case 5:
		text[15] = '\0';
		json_cstring(j, text);
		break;
	case 6:
		json_chars(j, text, random_next(seed) % sizeof(text));
		break;
	case 7:
		json_begin_array(j);
		for (uint64_t i = random_next(seed) % 5; i > 0; i--)
			random_value(j, seed, depth + 1);
		json_end(j);
		break;
	default:
		json_begin_object(j);
		text[15] = '\0';
		for (uint64_t i = random_next(seed) % 5; i > 0; i--) {
			json_key(j, text + random_next(seed) % 16);
			random_value(j, seed, depth + 1);
		}
		json_end(j);
	}
}

static void test_random(void **state)
{
	uint64_t seed = 0x5007;
	struct buffer b = { 0 };
	struct json j;

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		buffer_reset(&b);
		json_init(&j, &b, round % 3);
		random_value(&j, &seed, 0);
		assert_false(j.failed);
		assert_int_equal(j.depth, 0);
		assert_true(json_check((char *)b.data, b.size, 1));
	}
	buffer_fini(&b);
}

/* The checker must itself be able to say no. */
static void test_checker(void **state)
{
	static const char *const bad[] = { "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.",
		"\"\\x\"", "\"\x01\"", "\"\xff\"", "nul", "[1 2]", "{1:2}", "1 2", "\"\\u12g4\"",
		"-", "[]]", "\"\xed\xa0\x80\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(json_check(bad[i], strlen(bad[i]), 1));
	assert_true(json_check("[1, {\"a\" : [] }]", 16, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact),
		cmocka_unit_test(test_indent),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_f64),
		cmocka_unit_test(test_locale),
		cmocka_unit_test(test_misuse),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_checker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
