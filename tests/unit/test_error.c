/* SPDX-License-Identifier: BSD-2-Clause */
/* The error object: what is set, what is kept, what is cut. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/error_remedy.h"

static void test_set(void **state)
{
	struct sooth_error err;

	(void)state;
	memset(&err, 0xaa, sizeof(err));
	assert_int_equal(error_set(&err, -EPERM, SOOTH_FAULT_PRIVILEGE, "open %s", "/x"), -EPERM);
	assert_int_equal(err.code, -EPERM);
	assert_int_equal(err.fault, SOOTH_FAULT_PRIVILEGE);
	assert_string_equal(err.tried, "open /x");
	for (size_t i = strlen(err.tried); i < sizeof(err.tried); i++)
		assert_int_equal(err.tried[i], 0);
	for (size_t i = 0; i < sizeof(err.why); i++)
		assert_int_equal(err.why[i], 0);
	for (size_t i = 0; i < sizeof(err.remedy); i++)
		assert_int_equal(err.remedy[i], 0);
	assert_int_equal(err.missing[0], 0);
}

static void test_add(void **state)
{
	struct sooth_error err;

	(void)state;
	error_set(&err, -EINVAL, SOOTH_FAULT_USAGE, "try");
	assert_int_equal(error_why(&err, "why %d", 1), -EINVAL);
	assert_int_equal(error_missing(&err, "missing %d", 2), -EINVAL);
	assert_int_equal(error_remedy(&err, "remedy %d", 3), -EINVAL);
	assert_string_equal(err.tried, "try");
	assert_string_equal(err.why, "why 1");
	assert_string_equal(err.missing, "missing 2");
	assert_string_equal(err.remedy, "remedy 3");
	error_set(&err, -EIO, SOOTH_FAULT_IO, "again");
	assert_string_equal(err.why, "");
	assert_string_equal(err.missing, "");
	assert_string_equal(err.remedy, "");
}

static void test_null(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, -EIO, SOOTH_FAULT_IO, "x"), -EIO);
	assert_int_equal(error_errno(NULL, -EIO, "x"), -EIO);
	assert_int_equal(error_errno(NULL, EIO, "x"), -EIO);
	assert_int_equal(error_no_memory(NULL), -ENOMEM);
	assert_int_equal(error_why(NULL, "x"), 0);
	assert_int_equal(error_missing(NULL, "x"), 0);
	assert_int_equal(error_remedy(NULL, "x"), 0);
}

static void test_errno(void **state)
{
	static const struct {
		int code;
		enum sooth_fault fault;
	} cases[] = {
		{ EPERM, SOOTH_FAULT_PRIVILEGE },
		{ EACCES, SOOTH_FAULT_PRIVILEGE },
		{ ENOENT, SOOTH_FAULT_NOT_FOUND },
		{ ESRCH, SOOTH_FAULT_NOT_FOUND },
		{ ENOMEM, SOOTH_FAULT_INTERNAL },
		{ ENOSYS, SOOTH_FAULT_UNSUPPORTED },
		{ EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED },
		{ ENOSPC, SOOTH_FAULT_IO },
		{ EIO, SOOTH_FAULT_IO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sooth_error err;

		assert_int_equal(error_errno(&err, -cases[i].code, "read %d", 7), -cases[i].code);
		assert_int_equal(err.code, -cases[i].code);
		assert_int_equal(err.fault, cases[i].fault);
		assert_string_equal(err.tried, "read 7");
		assert_string_equal(err.why, strerror(cases[i].code));
		/* a bare errno is taken as meant */
		assert_int_equal(error_errno(&err, cases[i].code, "x"), -cases[i].code);
		assert_int_equal(err.code, -cases[i].code);
		assert_int_equal(err.fault, cases[i].fault);
	}
}

static void test_no_memory(void **state)
{
	struct sooth_error err;

	(void)state;
	assert_int_equal(error_no_memory(&err), -ENOMEM);
	assert_int_equal(err.fault, SOOTH_FAULT_INTERNAL);
	assert_true(err.tried[0] != '\0');
	assert_true(err.why[0] != '\0');
}

static void test_long(void **state)
{
	struct sooth_error err;
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&err, -EIO, SOOTH_FAULT_IO, "%s", text);
	error_why(&err, "%s", text);
	error_missing(&err, "%s", text);
	error_remedy(&err, "%s", text);
	assert_int_equal(strlen(err.tried), sizeof(err.tried) - 1);
	assert_int_equal(strlen(err.why), sizeof(err.why) - 1);
	assert_int_equal(strlen(err.missing), sizeof(err.missing) - 1);
	assert_int_equal(strlen(err.remedy), sizeof(err.remedy) - 1);
	assert_int_equal(err.code, -EIO);
}

/* A layer above may wrap what the one below said in the same object. */
static void test_alias(void **state)
{
	struct sooth_error err;

	(void)state;
	error_set(&err, -EIO, SOOTH_FAULT_IO, "inner");
	error_why(&err, "because");
	error_why(&err, "%s of that", err.why);
	assert_string_equal(err.why, "because of that");
	error_set(&err, -EINVAL, SOOTH_FAULT_USAGE, "outer: %s: %s", err.tried, err.why);
	assert_string_equal(err.tried, "outer: inner: because of that");
}

static void test_exit_status(void **state)
{
	static const int wanted[] = { 0, 2, 3, 3, 4, 5, 5, 127, 126 };
	struct sooth_error err = { 0 };

	(void)state;
	for (int fault = SOOTH_FAULT_NONE; fault <= SOOTH_FAULT_NOT_EXECUTABLE; fault++) {
		err.fault = (enum sooth_fault)fault;
		assert_int_equal(error_exit_status(&err), wanted[fault]);
	}
	err = (struct sooth_error){ .code = -EIO };
	assert_int_equal(error_exit_status(&err), 5);
	err.fault = (enum sooth_fault)99;
	assert_int_equal(error_exit_status(&err), 5);
	assert_int_equal(error_exit_status(NULL), 5);
}

static void test_root(void **state)
{
	static const char host[] = "run sooth on the host, outside of containers";
	static const char *const texts[][2] = {
		{ "run sooth as root", host },
		{ "run as root: sooth doctor", host },
		{ "run sooth as root, or give it the capabilities once: sudo setcap x", host },
		{ "run sooth as root or with cap_sys_admin", host },
		{ "run sooth as the user of the process, or as root",
			"run sooth as the user of the process, or on the host, outside of "
			"containers" },
		{ "run sooth as root, or leave out --lossless", "leave out --lossless" },
		{ "run as root; `sooth doctor` shows more", "`sooth doctor` shows more" },
		{ "as root: sysctl a=1 raises it; sooth ps", "sysctl a=1 raises it; sooth ps" },
		{ "watch less, or as root: sysctl a=1", "watch less, or sysctl a=1" },
		{ "renice -p 1 (as root)", "renice -p 1" },
		{ "observe: sooth diagnose, as root", "observe: sooth diagnose" },
		{ "use a lower --rate", "use a lower --rate" },
		{ "", "" },
	};
	char out[ERROR_REMEDY_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = texts[i][0];

		assert_string_equal(error_remedy_of(out, sizeof(out), text, false), text);
		assert_string_equal(error_remedy_of(out, sizeof(out), text, true), texts[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_exit_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
