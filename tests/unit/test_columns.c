/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns and orders as people type them. */
#include "support.h"

#include <errno.h>

#include "analyze/processes/process_list.h"
#include "cli/command/columns.h"

static struct sooth_error err;
static struct buffer out;
static bool is_more;

static int choose(size_t count, const char *const *items)
{
	struct option_list list = { .count = count };

	for (size_t i = 0; i < count; i++)
		list.items[i] = items[i];
	buffer_reset(&out);
	memset(&err, 0, sizeof(err));
	return columns_choose(&out, &is_more, &process_row_schema, &list, &err);
}

#define CHOOSE(...)                                                                                \
	choose(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *),                           \
		(const char *[]){ __VA_ARGS__ })

static void test_choosing(void **state)
{
	(void)state;
	assert_int_equal(choose(0, NULL), 0);
	assert_string_equal(buffer_cstr(&out), "");
	assert_true(is_more);
	assert_int_equal(CHOOSE("ppid", "rss_bytes"), 0);
	assert_string_equal(buffer_cstr(&out), "ppid,rss_bytes");
	assert_false(is_more);
	assert_int_equal(CHOOSE("+user", "+container"), 0);
	assert_string_equal(buffer_cstr(&out), "user,container");
	assert_true(is_more);
	/* By heading, in either case, and by the heading that a name makes. */
	assert_int_equal(CHOOSE("CPU%", "rss", "Time", "THRDS", "session agent"), 0);
	assert_string_equal(
		buffer_cstr(&out), "cpu_percent,rss_bytes,elapsed_time,threads,session_agent");
	/* By the name that they had before. */
	assert_int_equal(CHOOSE("tie", "is_over"), 0);
	assert_string_equal(buffer_cstr(&out), "session_reason,is_over_threshold");
}

static void test_wrong_ones(void **state)
{
	(void)state;
	assert_int_equal(CHOOSE("agnet"), -EINVAL);
	assert_int_equal(err.fault, SOOTH_FAULT_USAGE);
	assert_true(has(err.tried, "\"agnet\""));
	assert_true(has(err.remedy, "did you mean agent?"));
	assert_int_equal(CHOOSE("pid", "elephants"), -EINVAL);
	assert_true(has(err.remedy, "--columns help"));
	/* Names that have the word are nearer than those that are as short. */
	assert_int_equal(CHOOSE("cpu"), -EINVAL);
	assert_true(has(err.remedy, "did you mean cpu_percent?"));
	assert_int_equal(CHOOSE("Group"), -EINVAL);
	assert_true(has(err.remedy, "did you mean control_group?"));
	assert_int_equal(CHOOSE("pids"), -EINVAL);
	assert_true(has(err.remedy, "did you mean pid?"));
	assert_int_equal(CHOOSE("+"), -EINVAL);
	/* Every letter counts, the first one too. */
	assert_int_equal(CHOOSE("zpid"), -EINVAL);
	assert_int_equal(CHOOSE("zid"), -EINVAL);
}

static void test_sorting(void **state)
{
	const struct sooth_field *f = NULL;
	bool is_descending = true;

	(void)state;
	assert_int_equal(columns_sort(&f, &is_descending, &process_row_schema, "pid", &err), 0);
	assert_string_equal(f->name, "pid");
	assert_false(is_descending);
	assert_int_equal(columns_sort(&f, &is_descending, &process_row_schema, "-rss", &err), 0);
	assert_string_equal(f->name, "rss_bytes");
	assert_true(is_descending);
	assert_int_equal(
		columns_sort(&f, &is_descending, &process_row_schema, "-stat", &err), -EINVAL);
	assert_true(has(err.remedy, "did you mean state, status, job_status?"));
	assert_string_equal(f->name, "rss_bytes");
}

static void test_having(void **state)
{
	(void)state;
	assert_true(columns_have("pid,name", "name"));
	assert_true(columns_have("name", "name"));
	assert_false(columns_have("role_name,pid", "name"));
	assert_false(columns_have("", "name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choosing),
		cmocka_unit_test(test_wrong_ones),
		cmocka_unit_test(test_sorting),
		cmocka_unit_test(test_having),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buffer_fini(&out);
	return failed;
}
