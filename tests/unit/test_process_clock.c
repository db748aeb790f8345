/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks of a process in another time namespace. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/process_clock.h"

#define SECOND ((int64_t)NS_PER_S)

static bool parse(struct process_clock *c, const char *text)
{
	*c = (struct process_clock){ 0 };
	return process_clock_parse(c, text, strlen(text));
}

static void test_offsets_of_both_clocks(void **state)
{
	(void)state;
	struct process_clock c;

	assert_true(
		parse(&c, "monotonic        7200         0\nboottime       864000         5\n"));
	assert_int_equal(c.monotonic_ns, 7200 * SECOND);
	assert_int_equal(c.boottime_ns, 864000 * SECOND + 5);
	/* The kernel keeps the nanoseconds positive. */
	assert_true(
		parse(&c, "monotonic          -1 999999999\nboottime          -30         0\n"));
	assert_int_equal(c.monotonic_ns, -1);
	assert_int_equal(c.boottime_ns, -30 * SECOND);
}

static void test_malformed_offsets_are_none(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "\n\n", "monotonic 1 0\n",
		"monotonic 1 0\nboottime", "monotonic 1\nboottime 2 0\n",
		"monotonic 1 0 0\nboottime 2 0\n", "monotonic 1 0\nboottime 2 1000000000\n",
		"monotonic 1 0\nboottime 2 -1\n", "monotonic 9223372036 0\nboottime 2 0\n",
		"monotonic -99999999999999999999 0\nboottime 2 0\n",
		"boottime 2 0\nmonotonic 1 0\n", "monotonic x 0\nboottime 2 0\n" };
	struct process_clock c;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_false(parse(&c, texts[i]));
}

static void test_own_clocks_have_no_offset(void **state)
{
	(void)state;
	int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t before = clock_ns(CLOCK_BOOTTIME), now = 0;

	assert_true(process_clock_now(self, CLOCK_BOOTTIME, &now));
	assert_true(now >= before && now <= clock_ns(CLOCK_BOOTTIME));
	assert_false(process_clock_now(self, CLOCK_THREAD_CPUTIME_ID, &now));
	close(self);
}

/* A folder in place of /proc/PID, whose namespaces are not sooth's own. */
static void test_offsets_of_children_are_not_its_own(void **state)
{
	(void)state;
	char folder[] = "/tmp/process-clock-XXXXXX";
	struct process_clock c;
	int process, fd;

	assert_true(mkdtemp(folder));
	process = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_false(mkdirat(process, "ns", 0700));
	fd = openat(process, "ns/time", O_CREAT | O_WRONLY, 0600);
	close(fd);
	fd = openat(process, "timens_offsets", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(dprintf(fd, "monotonic 5 0\nboottime 6 0\n"), 27);
	close(fd);
	assert_false(linkat(process, "ns/time", process, "ns/time_for_children", 0));
	assert_true(process_clock_read(&c, process));
	assert_int_equal(c.monotonic_ns, 5 * SECOND);
	assert_int_equal(c.boottime_ns, 6 * SECOND);

	unlinkat(process, "ns/time_for_children", 0);
	close(openat(process, "ns/time_for_children", O_CREAT | O_WRONLY, 0600));
	assert_false(process_clock_read(&c, process));

	unlinkat(process, "ns/time_for_children", 0);
	unlinkat(process, "ns/time", 0);
	assert_false(process_clock_read(&c, process));
	unlinkat(process, "timens_offsets", 0);
	unlinkat(process, "ns", AT_REMOVEDIR);
	close(process);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offsets_of_both_clocks),
		cmocka_unit_test(test_malformed_offsets_are_none),
		cmocka_unit_test(test_own_clocks_have_no_offset),
		cmocka_unit_test(test_offsets_of_children_are_not_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
