/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of a library that is loaded on request, and what an error about it says. */
#include "support.h"

#include <errno.h>
#include <math.h>

#include "base/cleanup.h"
#include "base/shared_library.h"

struct found {
	int before;
	SHARED_MEMBER(cos);
	SHARED_MEMBER(pow);
};

static const struct shared_function present[] = { SHARED_ROW(struct found, cos),
	SHARED_ROW(struct found, pow) };
static const struct shared_function absent[] = { SHARED_ROW(struct found, cos),
	{ "no_such_function", offsetof(struct found, pow) } };

static int load(const char *file, const struct shared_function *functions, struct found *found,
	struct sooth_error *err)
{
	const struct shared_library library = { .file = file,
		.remedy = "install it",
		.purpose = "compute",
		.functions = functions,
		.function_count = 2 };

	return shared_library_load(&library, found, err);
}

static void test_functions_are_found(void **state)
{
	struct found found = { .before = 42 };
	struct sooth_error err;

	(void)state;
	assert_int_equal(load("libm.so.6", present, &found, &err), 0);
	assert_int_equal(found.before, 42);
	assert_true(found.cos(0) > 0.99);
	assert_true(found.pow(2, 3) > 7.99);
}

static void check_refused(
	const char *file, const struct shared_function *functions, const char *why)
{
	struct found found;
	struct sooth_error err;

	assert_int_equal(load(file, functions, &found, &err), -ENOTSUP);
	assert_int_equal(err.fault, SOOTH_FAULT_UNSUPPORTED);
	assert_string_equal(err.tried, "compute");
	assert_string_equal(err.missing, file);
	assert_string_equal(err.remedy, "install it");
	assert_non_null(strstr(err.why, why));
}

static void test_what_is_missing_has_a_name(void **state)
{
	(void)state;
	check_refused("libnone-of-that-name.so.1", present, "libnone-of-that-name.so.1");
	check_refused("libm.so.6", absent, "no_such_function");
}

/* The library is there, but only the folders of the system are searched. */
static void test_a_path_is_refused(void **state)
{
	(void)state;
	check_refused("./libm.so.6", present, "./libm.so.6");
	check_refused("/lib/x86_64-linux-gnu/libm.so.6", present, "libm.so.6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_are_found),
		cmocka_unit_test(test_what_is_missing_has_a_name),
		cmocka_unit_test(test_a_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
