/* SPDX-License-Identifier: BSD-2-Clause */
/* Two names, one file: by the system, whether it is there or still to be made. */
#include "base/same_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static int enter(void **state)
{
	char folder[] = "/tmp/sooth-same.XXXXXX";
	int fd;

	(void)state;
	if (!mkdtemp(folder) || chdir(folder) || mkdir("in", 0700))
		return -1;
	fd = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd) || symlink("file", "symbolic") || link("file", "hard"))
		return -1;
	fd = open("other", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int leave(void **state)
{
	static const char *const names[] = { "file", "symbolic", "hard", "other" };
	char *folder = getcwd(NULL, 0);
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	rmdir("in");
	status = !folder || chdir("/") || rmdir(folder);
	free(folder);
	return status;
}

static void one_file(void **state)
{
	(void)state;
	assert_true(file_is_same("file", "file"));
	assert_true(file_is_same("file", "./file"));
	assert_true(file_is_same("in/../file", "file"));
	assert_true(file_is_same("symbolic", "file"));
	assert_true(file_is_same("file", "hard"));
	assert_false(file_is_same("file", "other"));
	assert_false(file_is_same("file", "new"));
	assert_false(file_is_same("new", "file"));
}

static void one_that_is_to_be_made(void **state)
{
	(void)state;
	assert_true(file_is_same("new", "./new"));
	assert_true(file_is_same("in/../new", "new"));
	assert_false(file_is_same("new", "newer"));
	assert_false(file_is_same("new", "in/new"));
	assert_false(file_is_same("nowhere/new", "nowhere/./new"));
	assert_false(file_is_same("", ""));
	assert_false(file_is_same("new/", "new/"));
}

static void what_keeps_nothing(void **state)
{
	(void)state;
	assert_false(file_is_same("/dev/null", "/dev/null"));
	assert_false(file_is_same("in", "in"));
}

static void one_that_is_open(void **state)
{
	int fd = open("file", O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(file_is_open_as("hard", fd));
	assert_false(file_is_open_as("other", fd));
	assert_false(file_is_open_as("new", fd));
	assert_false(file_is_open_as("/dev/null", null));
	assert_false(file_is_open_as("file", -1));
	close(fd);
	close(null);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_file),
		cmocka_unit_test(one_that_is_to_be_made),
		cmocka_unit_test(what_keeps_nothing),
		cmocka_unit_test(one_that_is_open),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
