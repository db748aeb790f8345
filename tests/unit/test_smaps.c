/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of smaps and status, and files that do not answer. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/files/timed_file.h"
#include "os/linux/runtimes/runtimes_seen.h"
#include "os/linux/maps/smaps.h"

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static void test_mapping(void **state)
{
	static const char *const lines[] = { "Size:               1024 kB",
		"KernelPageSize:        4 kB", "Rss:                 100 kB",
		"Pss:                  50 kB", "Pss_Dirty:            49 kB",
		"Shared_Clean:          1 kB", "Shared_Dirty:          2 kB",
		"Private_Clean:         3 kB", "Private_Dirty:         4 kB",
		"Anonymous:             5 kB", "AnonHugePages:      2048 kB",
		"ShmemPmdMapped:     4096 kB", "Locked:                6 kB",
		"Swap:                  7 kB", "SwapPss:               8 kB",
		"THPeligible:           0", "VmFlags: rd wr mr mw me dc nr nh " };
	struct smaps_mapping m;

	(void)state;
	assert_true(smaps_begin(
		&m, text("7f00-8f00 rw-p 00001000 fd:01 42                 /a b/c (deleted)")));
	assert_int_equal(m.is.from, 0x7f00);
	assert_int_equal(m.is.to, 0x8f00);
	assert_int_equal(m.is.protection, MAPS_READ | MAPS_WRITE);
	assert_int_equal(m.is.offset, 0x1000);
	assert_int_equal(m.is.device_major, 0xfd);
	assert_int_equal(m.is.inode, 42);
	assert_true(span_equal(m.path, "/a b/c (deleted)"));
	assert_true(smaps_cut_deleted(&m.path));
	assert_true(span_equal(m.path, "/a b/c"));
	assert_false(m.has_values || m.has_flags);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_false(smaps_begin(&m, text(lines[i])));
		smaps_value(&m, text(lines[i]));
	}
	assert_true(m.has_values && m.has_flags);
	assert_int_equal(m.is.page_bytes, 4096);
	assert_int_equal(m.is.rss_bytes, 100 << 10);
	assert_int_equal(m.is.pss_bytes, 50 << 10);
	assert_int_equal(m.is.shared_clean_bytes, 1 << 10);
	assert_int_equal(m.is.shared_dirty_bytes, 2 << 10);
	assert_int_equal(m.is.private_clean_bytes, 3 << 10);
	assert_int_equal(m.is.private_dirty_bytes, 4 << 10);
	assert_int_equal(m.is.anonymous_bytes, 5 << 10);
	assert_int_equal(m.is.huge_bytes, 6 << 20);
	assert_int_equal(m.is.locked_bytes, 6 << 10);
	assert_int_equal(m.is.swap_bytes, 7 << 10);
	assert_int_equal(m.is.flags, MAPS_NOT_IN_FORKS | MAPS_NO_RESERVE | MAPS_HUGE_UNWANTED);
}

/* A line is taken whole or not at all. */
static void test_damaged(void **state)
{
	static const char *const bad[] = { "", "7f00", "7f00-", "7f00-8f00",
		"8f00-7f00 rw-p 0 0:0 0", "zz00-8f00 rw-p 0 0:0 0 x", "Rss: 1 kB",
		"-8f00 rw-p 0 0:0 0" };
	struct smaps_mapping m = { .is = { .from = 1 } };
	struct span suffix = text(" (deleted)"), nearly = text("x (deleted) ");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(smaps_begin(&m, text(bad[i])));
	assert_int_equal(m.is.from, 1);
	smaps_value(&m, text("Rss: 99999999999999999999 kB"));
	smaps_value(&m, text("Rss: 36028797018963968 kB")); /* 2^65 bytes */
	smaps_value(&m, text("Rss:"));
	smaps_value(&m, text("Rss"));
	smaps_value(&m, text("Rs: 1 kB"));
	smaps_value(&m, text("Rsss: 1 kB"));
	assert_false(m.has_values);
	assert_int_equal(m.is.rss_bytes, 0);
	assert_false(smaps_cut_deleted(&suffix));
	assert_false(smaps_cut_deleted(&nearly));
}

static void test_status(void **state)
{
	static const char process[] = "Name:\tVmSize: 9 kB\nVmPeak:\t 5 kB\nVmSize:\t 4 kB\n"
				      "VmLck:\t 1 kB\nVmHWM:\t 3 kB\nVmRSS:\t 2 kB\n"
				      "RssAnon:\t 6 kB\nRssFile:\t 7 kB\nRssShmem:\t 8 kB\n"
				      "VmSwap:\t 9 kB\nThreads:\t1\n";
	static const char kernel_thread[] = "Name:\tkthreadd\nThreads:\t1\n";
	struct maps_process p = { 0 };

	(void)state;
	assert_false(smaps_status(&p, kernel_thread, strlen(kernel_thread)));
	assert_true(smaps_status(&p, process, strlen(process)));
	assert_int_equal(p.vsz_bytes, 4096);
	assert_int_equal(p.vsz_peak_bytes, 5 << 10);
	assert_int_equal(p.locked_bytes, 1 << 10);
	assert_int_equal(p.rss_peak_bytes, 3 << 10);
	assert_int_equal(p.rss_bytes, 2 << 10);
	assert_int_equal(p.rss_anonymous_bytes, 6 << 10);
	assert_int_equal(p.rss_file_bytes, 7 << 10);
	assert_int_equal(p.rss_shared_bytes, 8 << 10);
	assert_int_equal(p.swap_bytes, 9 << 10);
}

static void test_libraries(void **state)
{
	static const struct {
		const char *path;
		int runtime; /* -1: none */
	} files[] = {
		{ "/lib/x86_64-linux-gnu/libc.so.6", MAPS_GLIBC },
		{ "/lib/libc-2.31.so", MAPS_GLIBC },
		{ "/lib64/ld-linux-x86-64.so.2", MAPS_GLIBC },
		{ "/lib/ld-musl-x86_64.so.1", MAPS_MUSL },
		{ "/usr/lib/x86_64-linux-musl/libc.so", MAPS_MUSL },
		{ "/usr/lib/libjemalloc.so.2", MAPS_JEMALLOC },
		{ "/usr/lib/libtcmalloc_minimal.so.4.5.10", MAPS_TCMALLOC },
		{ "/usr/lib/libmimalloc.so.2.0", MAPS_MIMALLOC },
		{ "/usr/lib/libnode.so.108", MAPS_V8 },
		{ "/usr/lib/libpython3.11.so.1.0", MAPS_PYTHON },
		{ "/usr/lib/jvm/lib/server/libjvm.so", MAPS_JAVA },
		{ "/usr/lib/libcrypto.so.3", -1 },
		{ "/usr/lib/libjemallocate.so", -1 },
		{ "/usr/lib/libjemalloc.so.2/other", -1 },
		{ "/usr/lib/libjemalloc.txt", -1 },
		{ "libjemalloc.so.2", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct runtimes_seen seen = { 0 };

		runtimes_see_file(&seen, text(files[i].path));
		for (int r = 0; r < MAPS_RUNTIMES; r++) {
			if ((seen.why[r][0] != 0) != (r == files[i].runtime))
				fail_msg("%s: %s", files[i].path, seen.why[r]);
		}
	}
}

/* A name of any length makes no more than the room there is. */
static void test_long_library(void **state)
{
	struct runtimes_seen seen = { 0 };
	char path[600] = "/libc.so.";

	(void)state;
	memset(path + 9, 'x', sizeof(path) - 10);
	runtimes_see_file(&seen, text(path));
	assert_int_equal(strlen(seen.why[MAPS_GLIBC]), RUNTIMES_WHY_SIZE - 1);
}

/* A pipe that nobody writes to is given up; what came before stands. */
static void test_no_answer(void **state)
{
	struct timeout timeout = { 0 };
	struct timed_file file;
	struct buffer bytes = { 0 };
	int ends[2], descriptors = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	char name[12];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "some", 4), 4);
	snprintf(name, sizeof(name), "%d", ends[0]);
	assert_int_equal(timed_file_open(&file, &timeout, descriptors, name, 200), 0);
	close(ends[0]);
	close(descriptors);
	assert_int_equal(timed_file_read(&file, &bytes, 1), 1);
	assert_int_equal(timed_file_read(&file, &bytes, 1), -ETIMEDOUT);
	assert_int_equal(timed_file_read(&file, &bytes, 1), -ETIMEDOUT);
	assert_int_equal(bytes.size, 4);
	timed_file_close(&file);
	close(ends[1]); /* lets the thread go, which closes its end */
	buffer_fini(&bytes);
	timeout_fini(&timeout);
}

static void test_pieces(void **state)
{
	struct timeout timeout = { 0 };
	struct timed_file file;
	struct buffer bytes = { 0 };
	int proc = open("/proc/self", O_RDONLY | O_DIRECTORY), turns = 0;

	(void)state;
	assert_int_equal(timed_file_open(&file, &timeout, proc, "smaps", 5000), 0);
	while (timed_file_read(&file, &bytes, 4096) == 1)
		turns++;
	timed_file_close(&file);
	assert_true(turns > 1);
	assert_true(bytes.size > 4096);
	assert_int_equal(timed_file_open(&file, &timeout, proc, "none", 5000), -ENOENT);
	close(proc);
	buffer_fini(&bytes);
	timeout_fini(&timeout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapping),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_libraries),
		cmocka_unit_test(test_long_library),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
