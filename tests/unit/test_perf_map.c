/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of perf maps: edges of functions, memory used again, lines that are none. */
#include "support.h"

#include "os/linux/profile/perf_map.h"

static void take(struct perf_map_place *places, size_t count, const char *text)
{
	perf_map_parse(places, count, text, strlen(text));
}

static void test_edges(void **state)
{
	struct perf_map_place places[] = { { .address = 0xfff }, { .address = 0x1000 },
		{ .address = 0x103f }, { .address = 0x1040 } };

	(void)state;
	take(places, 4, "1000 40 JS:*work /app/a b.js:1:2\n");
	assert_false(places[0].is_found || places[3].is_found);
	for (int i = 1; i < 3; i++) {
		assert_string_equal(places[i].name, "JS:*work /app/a b.js:1:2");
		assert_int_equal(places[i].begin, 0x1000);
		assert_false(places[i].is_reused);
	}
}

/* Written twice it is the same function; with another name it is unknown which. */
static void test_used_again(void **state)
{
	struct perf_map_place places[] = { { .address = 0x1010 }, { .address = 0x2010 } };

	(void)state;
	take(places, 2, "1000 40 one\n2000 40 two\n");
	take(places, 2, "1000 40 one\n2008 40 other\n");
	assert_true(places[0].is_found && !places[0].is_reused);
	assert_true(places[1].is_reused);
}

static void test_no_lines(void **state)
{
	static const char *const texts[] = { "", "\n", "1000\n", "1000 40\n", "1000 0 none\n",
		"xyz 40 none\n", "1000 ffffffffffff far\n", "-1000 40 none\n", "1000 40 \n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct perf_map_place place = { .address = 0x1010 };

		take(&place, 1, texts[i]);
		assert_false(place.is_found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_used_again),
		cmocka_unit_test(test_no_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
