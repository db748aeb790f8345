/* SPDX-License-Identifier: BSD-2-Clause */
/* The seal behind a fetched file: each of its bytes counts, and each of the file's. */
#include "support.h"

#include <sys/mman.h>
#include <unistd.h>

#include "os/linux/profile/sealed_file.h"

#define BYTES 3000

static int file;

static int setup(void **state)
{
	unsigned char bytes[BYTES];

	(void)state;
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (unsigned char)(i * i);
	file = memfd_create("sealed", MFD_CLOEXEC);
	return file >= 0 && write(file, bytes, BYTES) == BYTES ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return close(file);
}

static off_t size(void)
{
	return lseek(file, 0, SEEK_END);
}

static void test_whole(void **state)
{
	(void)state;
	assert_false(sealed_file_is_whole(file));
	assert_true(sealed_file_write(file));
	assert_true(sealed_file_is_whole(file));
	assert_in_range(size(), BYTES + 1, BYTES + SEALED_FILE_MORE);
}

static void test_changed(void **state)
{
	(void)state;
	assert_true(sealed_file_write(file));
	for (off_t at = 0; at < size(); at++) {
		unsigned char before, after;

		assert_int_equal(pread(file, &before, 1, at), 1);
		after = before ^ 1;
		assert_int_equal(pwrite(file, &after, 1, at), 1);
		assert_false(sealed_file_is_whole(file));
		assert_int_equal(pwrite(file, &before, 1, at), 1);
	}
	assert_true(sealed_file_is_whole(file));
}

static void test_cut(void **state)
{
	(void)state;
	assert_true(sealed_file_write(file));
	while (size() > 0) {
		assert_false(ftruncate(file, size() - 1));
		assert_false(sealed_file_is_whole(file));
	}
}

static void test_longer(void **state)
{
	(void)state;
	assert_true(sealed_file_write(file));
	assert_int_equal(pwrite(file, "x", 1, size()), 1);
	assert_false(sealed_file_is_whole(file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
