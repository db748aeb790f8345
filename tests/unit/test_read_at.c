/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of a file: inside it, over its end, behind it, and of what cannot be read. */
#include "base/read_at.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "support.h"

static int file_of(const char *text)
{
	int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void pieces(void **state)
{
	int fd = file_of("0123456789");
	char out[20] = "";

	(void)state;
	assert_int_equal(read_at(fd, out, 4, 2), 4);
	assert_memory_equal(out, "2345", 4);
	assert_int_equal(read_at(fd, out, sizeof(out), 7), 3);
	assert_memory_equal(out, "789", 3);
	assert_int_equal(read_at(fd, out, 1, 10), 0);
	assert_int_equal(read_at(fd, out, 0, 2), 0);
	close(fd);
}

static void all_or_nothing(void **state)
{
	int fd = file_of("0123456789");
	char out[20] = "";

	(void)state;
	assert_true(read_all_at(fd, out, 10, 0));
	assert_memory_equal(out, "0123456789", 10);
	assert_false(read_all_at(fd, out, 11, 0));
	assert_false(read_all_at(fd, out, 1, 10));
	close(fd);
}

static void errors(void **state)
{
	int folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char out[4];

	(void)state;
	assert_int_equal(read_at(folder, out, sizeof(out), 0), -EISDIR);
	assert_int_equal(read_at(-1, out, sizeof(out), 0), -EBADF);
	assert_false(read_all_at(-1, out, sizeof(out), 0));
	close(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
