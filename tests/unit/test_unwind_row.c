/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules for single places against the whole table of the same file: this program and its C library;
 * and files that have no index. */
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/linux/profile/unwind_file.h"
#include "os/linux/profile/unwind_row.h"

#define PLACES 300

static void compare(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct timeout timeout = { 0 };
	int parser = -1;
	struct unwind_table table;
	const struct unwind_row *rows;
	size_t count, step;

	assert_true(fd >= 0);
	assert_int_equal(unwind_file_read(&timeout, fd, NULL, &table), 0);
	rows = (const void *)table.rows.data;
	count = table.rows.size / sizeof(*rows);
	step = count / PLACES + 1;
	assert_true(count > 20);
	for (size_t i = 0; i < count; i += step) {
		struct unwind_found all, one;

		unwind_row_choose(&table, rows[i].offset, &all);
		assert_int_equal(unwind_row_find(&timeout, fd, &parser, rows[i].offset, &one), 0);
		assert_int_equal(one.end, all.end);
		assert_int_equal(one.rule.frame, all.rule.frame);
		assert_int_equal(one.rule.fp, all.rule.fp);
		assert_int_equal(one.rule.ra, all.rule.ra);
		assert_int_equal(one.has_entry, all.has_entry);
		assert_int_equal(one.entry, all.entry);
	}
	unwind_table_fini(&table);
	timeout_fini(&timeout);
	close(parser);
	close(fd);
}

static void test_this_program(void **state)
{
	(void)state;
	compare("/proc/self/exe");
}

static void test_library(void **state)
{
	Dl_info library;

	(void)state;
	assert_true(dladdr(dlsym(RTLD_DEFAULT, "qsort"), &library) != 0);
	compare(library.dli_fname);
}

/* Outside of the code, and far behind the file. */
static void test_no_place(void **state)
{
	static const uint64_t places[] = { 0, UINT64_C(1) << 40, UINT64_MAX };
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct timeout timeout = { 0 };
	int parser = -1;
	struct unwind_found found;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		assert_int_equal(unwind_row_find(&timeout, fd, &parser, places[i], &found), 0);
		assert_int_equal(found.end, PROFILE_NO_ROW);
		assert_false(found.has_entry);
	}
	timeout_fini(&timeout);
	close(parser);
	close(fd);
}

/* No ELF file, and every cut of one. */
static void test_no_index(void **state)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
	    to = memfd_create("cut", MFD_CLOEXEC);
	struct timeout timeout = { 0 };
	int parser = -1;
	struct unwind_found found;
	char bytes[4096];

	(void)state;
	assert_int_equal(unwind_row_find(&timeout, to, &parser, 0x1000, &found), -ENOENT);
	assert_int_equal(read(from, bytes, sizeof(bytes)), sizeof(bytes));
	for (size_t size = 1; size < sizeof(bytes); size += 97) {
		assert_int_equal(ftruncate(to, 0), 0);
		assert_int_equal(pwrite(to, bytes, size, 0), (ssize_t)size);
		unwind_row_find(&timeout, to, &parser, 0x1000, &found);
		assert_int_equal(found.end, PROFILE_NO_ROW);
	}
	timeout_fini(&timeout);
	close(parser);
	close(from);
	close(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_this_program),
		cmocka_unit_test(test_library), cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_no_index) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
