/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures as characters: heights, gaps, more values than room, ASCII. */
#include "support.h"

#include <math.h>

#include "base/bars.h"

static struct buffer out;

static const char *bars(const double *values, size_t count, size_t cells, double top, bool is_utf8)
{
	buffer_reset(&out);
	bars_format(&out, values, count, cells, top, is_utf8);
	return buffer_cstr(&out);
}

static void test_heights(void **state)
{
	const double values[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

	(void)state;
	assert_string_equal(bars(values, 8, 8, 7, true), "▁▂▃▄▅▆▇█");
	assert_string_equal(bars(values, 8, 8, 7, false), "_.:-=+*#");
	/* Whatever is above 0 is seen to be, and nothing is higher than the top. */
	assert_string_equal(bars((const double[]){ 0, 1e-9, 1e9, -5 }, 4, 4, 100, false), "_.#_");
}

static void test_gaps(void **state)
{
	const double values[] = { NAN, 0, NAN, 4, NAN };
	const double none[] = { NAN, NAN };

	(void)state;
	assert_string_equal(bars(values, 5, 5, 4, true), " ▁ █ ");
	assert_string_equal(bars(none, 2, 2, bars_top(none, 2), false), "  ");
	assert_true(isnan(bars_top(none, 2)));
	assert_true(bars_top(values, 5) == 4);
	/* Nothing but 0: no division by the top. */
	assert_string_equal(bars((const double[]){ 0, 0 }, 2, 2, 0, false), "__");
}

/* A peak among those that share a character stays; a gap only when all are. */
static void test_less_room(void **state)
{
	double values[1000];

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		values[i] = i < 500 ? NAN : 1;
	values[777] = 10;
	assert_string_equal(bars(values, 1000, 4, 10, false), "  .#");
	assert_string_equal(bars(values, 2, 60, 10, false), "  ");
	values[499] = 10;
	assert_string_equal(bars(values, 1000, 2, 10, false), "##");
	assert_string_equal(bars(values, 0, 10, 10, true), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heights),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_less_room),
	};
	int failed = cmocka_run_group_tests_name("bars", tests, NULL, NULL);

	buffer_fini(&out);
	return failed;
}
