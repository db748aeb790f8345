/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/locks: which lock a process waits for, the locks of a file, and the lines of fdinfo. */
#include "support.h"

#include <stdio.h>
#include <sys/file.h>

#include "os/linux/waits/wait_lock_lines.h"

static struct lock_table table;

static void read_table(const char *text)
{
	lock_table_clear(&table);
	buffer_string(&table.text, text);
	lock_table_parse(&table);
}

static int finish(void **state)
{
	(void)state;
	lock_table_clear(&table);
	return 0;
}

static const char three[] = "1: POSIX  ADVISORY  WRITE 30 fe:00:7 0 EOF\n"
			    "2: FLOCK  ADVISORY  WRITE 10 fe:00:9 0 EOF\n"
			    "2: -> FLOCK  ADVISORY  WRITE 21 fe:00:9 0 EOF\n"
			    "2: -> FLOCK  ADVISORY  WRITE 20 fe:00:9 0 EOF\n"
			    "broken\n"
			    "3: OFDLCK ADVISORY  READ -1 fe:00:7 5 9\n";

static void test_wanted(void **state)
{
	const struct lock_line *l;

	(void)state;
	read_table(three);
	l = lock_table_wanted_by(&table, 20);
	assert_non_null(l);
	assert_int_equal(l->pid, 10);
	assert_ptr_equal(lock_table_wanted_by(&table, 21), l);
	assert_null(lock_table_wanted_by(&table, 10));
	assert_true(l[1].is_waiting && l[2].is_waiting && !l[3].is_waiting);
	/* The line of its lock was not shown. */
	read_table("1: POSIX  ADVISORY  WRITE 30 fe:00:7 0 EOF\n"
		   "2: -> FLOCK  ADVISORY  WRITE 21 fe:00:9 0 EOF\n");
	assert_null(lock_table_wanted_by(&table, 21));
	read_table("2: -> FLOCK  ADVISORY  WRITE 21 fe:00:9 0 EOF\n");
	assert_null(lock_table_wanted_by(&table, 21));
	read_table("");
	assert_null(lock_table_wanted_by(&table, 21));
}

static size_t count_of(uint32_t major, uint32_t minor, uint64_t inode)
{
	struct locked_file f = { .inode = inode, .major = major, .minor = minor };
	size_t count;

	lock_table_of_file(&table, &f, &count);
	return count;
}

static void test_file(void **state)
{
	struct locked_file f = { .inode = 7, .major = 0xfe };
	struct lock_line *const *all;
	size_t count;

	(void)state;
	read_table(three);
	all = lock_table_of_file(&table, &f, &count);
	assert_int_equal(count, 2);
	assert_int_equal(all[0]->pid, 0);
	assert_int_equal(all[0]->begin, 5);
	assert_int_equal(all[0]->end, 9);
	assert_int_equal(all[1]->pid, 30);
	assert_int_equal(all[1]->end, UINT64_MAX);
	assert_int_equal(count_of(0xfe, 0, 9), 1);
	assert_int_equal(count_of(0xfe, 1, 9), 0);
	assert_int_equal(count_of(0xfd, 0, 9), 0);
	assert_int_equal(count_of(0xfe, 0, 8), 0);
	read_table("");
	assert_int_equal(count_of(0xfe, 0, 7), 0);
}

static bool is_in(const char *line)
{
	char text[256];
	int size = snprintf(text, sizeof(text), "pos:\t0\nino:\t9\nlock:\t%s\n", line);
	const struct lock_owner *owner;

	read_table(three);
	lock_table_add_fdinfo(&table, span_of(text, (size_t)size), 44, 5);
	owner = lock_table_owner_with(&table, lock_table_wanted_by(&table, 20), 44);
	assert_true(!owner || owner->fd == 5);
	return owner;
}

/* A process has a lock only if all members of the line fit: another file may have the same name or
 * inode, and the process a lock of its own on the same file. */
static void test_fdinfo(void **state)
{
	(void)state;
	assert_true(is_in("1: FLOCK  ADVISORY  WRITE 10 fe:00:9 0 EOF"));
	assert_false(is_in("1: FLOCK  ADVISORY  WRITE 10 00:27:9 0 EOF"));
	assert_false(is_in("1: FLOCK  ADVISORY  WRITE 10 fe:00:3 0 EOF"));
	assert_false(is_in("1: FLOCK  ADVISORY  WRITE 11 fe:00:9 0 EOF"));
	assert_false(is_in("1: FLOCK  ADVISORY  READ 10 fe:00:9 0 EOF"));
	assert_false(is_in("1: POSIX  ADVISORY  WRITE 10 fe:00:9 0 EOF"));
	assert_false(is_in("1: FLOCK  ADVISORY  WRITE 10 fe:00:9 0 4"));
	assert_false(is_in("broken"));
}

static void test_owners(void **state)
{
	static const char text[] = "lock:\t1: FLOCK ADVISORY READ 10 fe:00:9 0 EOF\n";
	struct locked_file f = { .inode = 9, .major = 0xfe };
	struct lock_line *const *all;
	const struct lock_owner *o;
	size_t count;

	(void)state;
	/* A process that took a shared lock twice. */
	read_table("1: FLOCK  ADVISORY  READ 10 fe:00:9 0 EOF\n"
		   "2: FLOCK  ADVISORY  READ 10 fe:00:9 0 EOF\n"
		   "3: FLOCK  ADVISORY  READ 11 fe:00:9 0 EOF\n");
	lock_table_add_fdinfo(&table, span_of_string(text), 10, 3);
	lock_table_add_fdinfo(&table, span_of_string(text), 10, 4);
	lock_table_add_fdinfo(&table, span_of_string(text), 12, 4);
	all = lock_table_of_file(&table, &f, &count);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < 2; i++) {
		o = lock_table_owner(&table, all[i]->owner);
		assert_true(o->pid == 12 && o->fd == 4);
		o = lock_table_owner(&table, o->next);
		assert_true(o->pid == 10 && o->fd == 3);
		assert_null(lock_table_owner(&table, o->next));
		assert_null(lock_table_owner_with(&table, all[i], 11));
	}
	assert_null(lock_table_owner(&table, all[2]->owner));
}

/* A line that was cut could be that of another file. */
static void test_cut(void **state)
{
	FILE *file = tmpfile();

	(void)state;
	read_table("1: POSIX  ADVISORY  WRITE 30 fe:00:7 0 EOF\n"
		   "2: FLOCK  ADVISORY  WRITE 10 fe:00:9");
	assert_int_equal(count_of(0xfe, 0, 7), 1);
	assert_int_equal(count_of(0xfe, 0, 9), 0);
	assert_non_null(file);
	assert_int_equal(flock(fileno(file), LOCK_EX), 0);
	lock_table_clear(&table);
	assert_false(lock_table_read(&table, 40));
	lock_table_clear(&table);
	assert_true(lock_table_read(&table, 4u << 20));
	assert_true(table.files.size > 0);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_fdinfo),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, finish);
}
