/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources of Linux on processes that have ended: its log, core_pattern, a zombie's stat. */
#include "support.h"

#include <fnmatch.h>

#include "os/linux/exit_reasons/exit_reasons_left.h"
#include "os/linux/exit_reasons/kernel_log.h"
#include "os/linux/files/procfs.h"

#define SPAN(text) span_of((text), strlen(text))

static void test_split(void **state)
{
	struct kernel_log_line l;

	(void)state;
	assert_true(kernel_log_split(&l, "6,1091,1997763905,-;hello; you\n KEY=x\n", 39));
	assert_int_equal(l.logged_ns, UINT64_C(1997763905000));
	assert_true(span_equal(l.message, "hello; you"));
	/* A line of user space: its writer may say anything. */
	assert_false(kernel_log_split(&l, "12,1,5,-;x[1]: segfault at 0\n", 29));
	assert_false(kernel_log_split(&l, "6,1,-;x", 7));
	assert_false(kernel_log_split(&l, "", 0));
}

static void test_killed(void **state)
{
	static const char line[] =
		"Memory cgroup out of memory: Killed process 42 (a) total-vm:1kB) "
		"total-vm:17784kB, anon-rss:7872kB, file-rss:3232kB, shmem-rss:4kB, UID:1000 "
		"pgtables:72kB oom_score_adj:0";
	struct kernel_log_end e;

	(void)state;
	assert_true(kernel_log_parse(&e, SPAN(line)));
	assert_int_equal(e.what, EXIT_REASONS_LOG_OOM);
	assert_int_equal(e.pid, 42);
	assert_true(span_equal(e.name, "a) total-vm:1kB"));
	assert_true(e.is_of_group && e.has_values && e.has_uid);
	assert_int_equal(e.anonymous_bytes, 7872 * 1024);
	assert_int_equal(e.file_bytes, 3232 * 1024);
	assert_int_equal(e.shared_bytes, 4096);
	assert_int_equal(e.uid, 1000);
	assert_true(kernel_log_parse(&e, SPAN("Out of memory: Killed process 7 (x) total-vm:1kB, "
					      "anon-rss:2kB, file-rss:3kB, shmem-rss:4kB")));
	assert_true(!e.is_of_group && e.has_values && !e.has_uid);
	assert_true(kernel_log_parse(&e, SPAN("Out of memory: Killed process 7 (x) total-vm:?")));
	assert_false(e.has_values);
	assert_false(
		kernel_log_parse(&e, SPAN("Out of memory: Killed process x (x) total-vm:1kB")));
	assert_false(kernel_log_parse(&e, SPAN("Killed process 7 (x) total-vm:1kB")));
}

static void test_group(void **state)
{
	struct span group;
	uint32_t pid;

	(void)state;
	assert_true(kernel_log_parse_group(&group, &pid,
		SPAN("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
		     "oom_memcg=/a,b,task_memcg=/a,b/c,task=x,pid=1,pid=42,uid=0")));
	assert_true(span_equal(group, "/a,b"));
	assert_int_equal(pid, 42);
	assert_true(kernel_log_parse_group(&group, &pid,
		SPAN("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,"
		     "global_oom,task_memcg=/a,task=x,pid=7,uid=0")));
	assert_int_equal(group.size, 0);
	assert_int_equal(pid, 7);
	assert_false(kernel_log_parse_group(&group, &pid, SPAN("oom-kill:constraint=X,uid=0")));
}

static void test_faults(void **state)
{
	struct kernel_log_end e;

	(void)state;
	assert_true(kernel_log_parse(&e,
		SPAN("we]: segfault at 9[1378]: segfault at 10 ip 00007f8c0d774219 sp 00007ffd "
		     "error 4 in libc.so.6[156219,7f8c0d644000+156000] likely on CPU 2 (core 2, "
		     "socket 0)")));
	assert_int_equal(e.pid, 1378);
	assert_true(span_equal(e.name, "we]: segfault at 9"));
	assert_int_equal(e.address, 0x10);
	assert_int_equal(e.instruction, UINT64_C(0x7f8c0d774219));
	assert_true(span_equal(e.object, "libc.so.6"));
	assert_true(kernel_log_parse(
		&e, SPAN("x[1]: segfault at 0 ip 0000000000000000 sp 0 error 14")));
	assert_true(e.has_address && !e.object.size);
	assert_true(kernel_log_parse(&e, SPAN("traps: x[12] trap divide error ip:401136 sp:7ffd "
					      "error:0 in a out[401000+1000]")));
	assert_true(span_equal(e.trap, "divide error"));
	assert_int_equal(e.instruction, 0x401136);
	assert_true(span_equal(e.object, "a out"));
	assert_false(e.has_address);
	assert_true(
		kernel_log_parse(&e, SPAN("a.out[12]: unhandled exception: DABT (lower EL), ESR "
					  "0x92000045, level 1 in a.out[aaaa+1000]")));
	assert_true(span_equal(e.trap, "DABT (lower EL)"));
	assert_false(kernel_log_parse(&e, SPAN("x[y]: segfault at 0 ip 0")));
	assert_false(kernel_log_parse(&e, SPAN("segfault at 0 ip 0")));
	assert_false(kernel_log_parse(&e, SPAN("usb 1-1: new device")));
}

static bool fits(const char *core_pattern, const char *name, bool uses_pid)
{
	struct buffer pattern = { 0 };
	bool made = core_file_pattern(&pattern, SPAN(core_pattern), 42, uses_pid);
	bool does = made && !fnmatch(buffer_cstr(&pattern), name, 0);

	buffer_fini(&pattern);
	return does;
}

static void test_core(void **state)
{
	uint32_t pid = 0;

	(void)state;
	assert_true(fits("core\n", "core", false));
	assert_false(fits("core\n", "core.42", false));
	assert_true(fits("core\n", "core.42", true));
	assert_true(fits("core.%p", "core.42", true));
	assert_false(fits("core.%p", "core.421", false));
	assert_true(fits("c[a]*%%.%e-%t", "c[a]*%.python3-1700000000", false));
	assert_false(fits("c*", "core", false));
	assert_false(fits("|/usr/bin/x %p", "x", false));
	assert_true(span_equal(core_file_handler(SPAN("|/usr/bin/x %p\n")), "/usr/bin/x"));
	assert_int_equal(core_file_handler(SPAN("core")).size, 0);
	assert_true(core_file_pid(SPAN("core.a.b.0.b007.42.17.zst"), SPAN("b007"), &pid));
	assert_int_equal(pid, 42);
	assert_false(core_file_pid(SPAN("core.a.0.b008.42.17.zst"), SPAN("b007"), &pid));
	assert_false(core_file_pid(SPAN("core.a.0.b007.x.17"), SPAN("b007"), &pid));
	assert_false(core_file_pid(SPAN("core.a.0.b007"), SPAN("b007"), &pid));
}

static void test_zombie(void **state)
{
	char line[512] = "42 (a) 7) Z 1 2 3 0 -1 4194560";
	uint32_t status = 0;

	(void)state;
	for (int field = 10; field <= 51; field++)
		strcat(line, " 5");
	strcat(line, " 139\n");
	assert_true(procfs_parse_exit_code(&status, line, strlen(line)));
	assert_int_equal(status, 139);
	/* A kernel that tells less. */
	line[strlen(line) - 5] = '\0';
	assert_false(procfs_parse_exit_code(&status, line, strlen(line)));
	assert_false(procfs_parse_exit_code(&status, "", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_core),
		cmocka_unit_test(test_zombie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
