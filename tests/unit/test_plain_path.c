/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths without ".", ".." and empty parts, however they are put together. */
#include "support.h"

#include "base/plain_path.h"

static struct buffer plain;

static const char *add(const char *path)
{
	plain_path_add(&plain, span_of(path, strlen(path)));
	return buffer_cstr(&plain);
}

static const char *plain_of(const char *path)
{
	buffer_reset(&plain);
	return add(path);
}

static void test_plain(void **state)
{
	(void)state;
	assert_string_equal(plain_of("/etc/passwd"), "/etc/passwd");
	assert_string_equal(plain_of("/etc//./passwd/"), "/etc/passwd");
	assert_string_equal(plain_of("/etc/x/../passwd"), "/etc/passwd");
	assert_string_equal(plain_of("/etc/x/y/../../passwd/."), "/etc/passwd");
	assert_string_equal(plain_of("/.hidden/..two/...//a."), "/.hidden/..two/.../a.");
	assert_string_equal(plain_of("/"), "");
	assert_string_equal(plain_of(""), "");
	/* Above the root is the root. */
	assert_string_equal(plain_of("/../../a/../.."), "");
	assert_string_equal(plain_of("/../b"), "/b");
	/* No NUL stands behind it. */
	buffer_reset(&plain);
	plain_path_add(&plain, span_of("/a/bc..", 5));
	assert_string_equal(buffer_cstr(&plain), "/a/bc");
	buffer_reset(&plain);
	plain_path_add(&plain, span_of("/a/...", 5));
	assert_string_equal(buffer_cstr(&plain), "");
}

static void test_from_a_folder(void **state)
{
	(void)state;
	plain_of("/home/me");
	assert_string_equal(add("../you/x"), "/home/you/x");
	assert_string_equal(add("./y/"), "/home/you/x/y");
	assert_string_equal(add("/z"), "/home/you/x/y/z");
	buffer_fini(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_from_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
