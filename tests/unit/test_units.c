/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures: every rounding edge, every refusal. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"

#define KIB    (1ULL << 10)
#define MIB    (1ULL << 20)
#define GIB    (1ULL << 30)
#define MINUTE (60 * NS_PER_S)
#define HOUR   (3600 * NS_PER_S)

struct figure {
	uint64_t value;
	const char *text;
};

typedef const char *format_fn(char *out, uint64_t value);

static void check_all(format_fn *format, const struct figure *figures, size_t count)
{
	char out[UNITS_SIZE];

	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(format(out, figures[i].value), out);
		assert_string_equal(out, figures[i].text);
	}
}

static void test_format_bytes(void **state)
{
	static const struct figure figures[] = {
		{ 0, "0B" },
		{ 1, "1B" },
		{ 512, "512B" },
		{ 1023, "1023B" },
		{ KIB, "1.0K" },
		{ 1536, "1.5K" },
		{ 1075, "1.0K" },
		{ 1076, "1.1K" },
		{ 102348, "99.9K" },
		{ 102349, "100K" },
		{ 512 * KIB, "512K" },
		{ 1023 * KIB, "1023K" },
		{ 1023 * KIB + 511, "1023K" },
		{ 1023 * KIB + 512, "1.0M" },
		{ MIB - 1, "1.0M" },
		{ MIB, "1.0M" },
		{ 24536678, "23.4M" },
		{ 1288490189, "1.2G" },
		{ GIB << 10, "1.0T" },
		{ GIB << 20, "1.0P" },
		{ GIB << 30, "1.0E" },
		{ UINT64_MAX, "16.0E" },
	};

	(void)state;
	check_all(format_bytes, figures, sizeof(figures) / sizeof(figures[0]));
}

static void test_format_ns(void **state)
{
	static const struct figure figures[] = {
		{ 0, "0ns" },
		{ 850, "850ns" },
		{ 999, "999ns" },
		{ 1000, "1.00us" },
		{ 1500, "1.50us" },
		{ 9994, "9.99us" },
		{ 9995, "10.0us" },
		{ 99949, "99.9us" },
		{ 99950, "100us" },
		{ 999499, "999us" },
		{ 999500, "1.00ms" },
		{ 12300000, "12.3ms" },
		{ 999499999, "999ms" },
		{ 999500000, "1.00s" },
		{ 4200000000, "4.20s" },
		{ 59949999999, "59.9s" },
		{ 59950000000, "1m00s" },
		{ 200 * NS_PER_S, "3m20s" },
		{ HOUR - NS_PER_S, "59m59s" },
		{ HOUR - 1, "1h00m" },
		{ 2 * HOUR + 5 * MINUTE, "2h05m" },
		{ 24 * HOUR - MINUTE, "23h59m" },
		{ 24 * HOUR - 1, "1d00h" },
		{ 76 * HOUR, "3d04h" },
		{ UINT64_MAX, "213504d00h" },
	};

	(void)state;
	check_all(format_ns, figures, sizeof(figures) / sizeof(figures[0]));
}

static void test_format_count(void **state)
{
	static const struct figure figures[] = {
		{ 0, "0" },
		{ 1234567, "1234567" },
		{ UINT64_MAX, "18446744073709551615" },
	};

	(void)state;
	check_all(format_count, figures, sizeof(figures) / sizeof(figures[0]));
}

/* Against gmtime_r(), over all days that fit, leap days and ends of centuries among them. */
static void test_format_utc(void **state)
{
	char out[UNITS_SIZE], wanted[UNITS_SIZE];

	(void)state;
	assert_string_equal(format_utc(out, 0), "1970-01-01T00:00:00Z");
	assert_string_equal(format_utc(out, 999999999), "1970-01-01T00:00:00Z");
	assert_string_equal(format_utc(out, 951782400 * NS_PER_S), "2000-02-29T00:00:00Z");
	assert_string_equal(format_utc(out, 1767225599 * NS_PER_S), "2025-12-31T23:59:59Z");
	assert_string_equal(format_utc(out, UINT64_MAX), "2554-07-21T23:34:33Z");
	for (uint64_t day = 0; day < 213503; day++) {
		time_t seconds = (time_t)(day * 86400 + day % 86400);
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_string_equal(format_utc(out, (uint64_t)seconds * NS_PER_S), wanted);
	}
}

typedef bool parse_fn(const char *text, uint64_t *value);

static void check_good(parse_fn *parse, const struct figure *figures, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 77;

		assert_true(parse(figures[i].text, &value));
		assert_true(value == figures[i].value);
	}
}

static void check_bad(parse_fn *parse, const char *const *texts, size_t count)
{
	uint64_t value = 77;

	for (size_t i = 0; i < count; i++)
		if (parse(texts[i], &value))
			fail_msg("accepted '%s'", texts[i]);
	assert_false(parse(NULL, &value));
	assert_true(value == 77);
}

static void test_parse_duration(void **state)
{
	static const struct figure good[] = {
		{ 5 * NS_PER_S, "5" },
		{ 0, "0" },
		{ 0, "0ns" },
		{ 200 * NS_PER_MS, "200ms" },
		{ 2 * NS_PER_S, "2s" },
		{ 1500 * NS_PER_MS, "1.5s" },
		{ 1500 * NS_PER_MS, "1.5" },
		{ 500 * NS_PER_MS, ".5" },
		{ 500 * NS_PER_US, ".5ms" },
		{ 3 * MINUTE, "3m" },
		{ HOUR, "1h" },
		{ 10 * NS_PER_US, "10us" },
		{ 7, "7ns" },
		{ 1, "1.9ns" },
		{ 5400 * NS_PER_S, "1.5h" },
		{ 1000000001, "1.0000000019999999999999999999999999s" },
		{ UINT64_MAX, "18446744073709551615ns" },
		{ UINT64_MAX, "18446744073.709551615s" },
	};
	static const char *const bad[] = {
		"",
		" ",
		"s",
		"5 s",
		" 5",
		"5s ",
		"-5",
		"+5",
		"5x",
		"5sec",
		"5S",
		"1.s",
		"1.",
		".s",
		".",
		"1..5s",
		"1.5.5s",
		"0x5",
		"1e3",
		"5d",
		"inf",
		"18446744073709551616ns",
		"18446744074s",
		"18446744073.709551616s",
		"5124096h",
		"99999999999999999999",
		"5\n",
		"1,5s",
		"5mss",
	};

	(void)state;
	check_good(parse_duration, good, sizeof(good) / sizeof(good[0]));
	check_bad(parse_duration, bad, sizeof(bad) / sizeof(bad[0]));
}

static void test_parse_bytes(void **state)
{
	static const struct figure good[] = {
		{ 4096, "4096" },
		{ 0, "0" },
		{ 4096, "4096B" },
		{ 64 * KIB, "64k" },
		{ 64 * KIB, "64K" },
		{ 64 * KIB, "64kB" },
		{ 64 * KIB, "64KiB" },
		{ MIB, "1M" },
		{ MIB, "1mib" },
		{ 2 * GIB, "2G" },
		{ GIB << 10, "1T" },
		{ 15ULL << 60, "15E" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	static const char *const bad[] = {
		"",
		"k",
		"B",
		" 1k",
		"1 k",
		"1k ",
		"-1",
		"+1",
		"1.5G",
		"1ki",
		"1iB",
		"1i",
		"1kk",
		"1BB",
		"1kBB",
		"1x",
		"16E",
		"18446744073709551616",
		"18014398509481984k",
		"0x10",
		"1KIB",
	};

	(void)state;
	check_good(parse_bytes, good, sizeof(good) / sizeof(good[0]));
	check_bad(parse_bytes, bad, sizeof(bad) / sizeof(bad[0]));
}

static void test_parse_u64(void **state)
{
	static const struct figure good[] = {
		{ 0, "0" },
		{ 7, "007" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "0x1", "1a",
		"18446744073709551616" };

	(void)state;
	check_good(parse_u64, good, sizeof(good) / sizeof(good[0]));
	check_bad(parse_u64, bad, sizeof(bad) / sizeof(bad[0]));
}

static void test_rounded(void **state)
{
	(void)state;
	assert_int_equal(rounded_u64(0.4), 0);
	assert_int_equal(rounded_u64(0.5), 1);
	assert_int_equal(rounded_u64(-7), 0);
	assert_int_equal(rounded_u64(NAN), 0);
	assert_true(rounded_u64(1e30) == UINT64_MAX);
	assert_true(rounded_u64(0x1p63) == (uint64_t)1 << 63);
	assert_int_equal(whole_u64(0.9), 0);
	assert_int_equal(whole_u64(-7), 0);
	assert_int_equal(whole_u64(NAN), 0);
	assert_true(whole_u64(INFINITY) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounded),
		cmocka_unit_test(test_format_bytes),
		cmocka_unit_test(test_format_ns),
		cmocka_unit_test(test_format_count),
		cmocka_unit_test(test_format_utc),
		cmocka_unit_test(test_parse_duration),
		cmocka_unit_test(test_parse_bytes),
		cmocka_unit_test(test_parse_u64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
