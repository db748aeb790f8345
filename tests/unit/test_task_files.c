/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsers of what procfs and control groups say of threads, signals, limits, environments. */
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/environ.h"
#include "os/linux/files/limits_files.h"
#include "os/linux/files/task_files.h"
#include "symbols/elf_address.h"

#define TEXT(text) (text), strlen(text)

static struct span span(const char *text)
{
	return span_of(text, strlen(text));
}

static void test_stat(void **state)
{
	static const char line[] =
		"42 (a) R 1) S 1 2 3 0 -1 4194560 5 6 7 8 9 10 11 12 -51 -5 13 0 14 15 16 "
		"18446744073709551615 18 19 20 21 22 23 24 25 26 27 28 29 17 3 50 1 0 0 0 1 2 3 4 "
		"5 8 9 0\n";
	struct task_stat s;

	(void)state;
	assert_true(task_stat_parse(&s, TEXT(line)));
	assert_int_equal(s.shared.state, 'S');
	assert_int_equal(s.nice, -5);
	assert_int_equal(s.faults, 5 + 7);
	assert_int_equal(s.major_faults, 7);
	assert_int_equal(s.system_ticks, 10);
	assert_int_equal(s.shared.cpu_ticks, 9 + 10);
	assert_int_equal(s.processor, 3);
	assert_int_equal(s.realtime_priority, 50);
	assert_int_equal(s.policy, 1);
	assert_int_equal(s.shared.environment_from, 8);
	assert_int_equal(s.shared.environment_to, 9);
	assert_false(task_stat_parse(&s, line, 60));
}

static void test_call(void **state)
{
	struct task_call c;

	(void)state;
	assert_true(task_call_parse(&c, TEXT("running\n")));
	assert_true(c.is_running);
	assert_true(task_call_parse(&c, TEXT("-1 0x7ffc 0x10\n")));
	assert_false(c.is_running || c.has_call);
	assert_int_equal(c.stack_pointer, 0x7ffc);
	assert_true(task_call_parse(&c,
		TEXT("230 0x0 0x0 0x7ffc7a92f2c0 0x1 0x0 0x0 0x7ffc7a92f2a8 0x7f26dde99503\n")));
	assert_true(c.has_call && c.number == 230 && c.stack_pointer == 0x7ffc7a92f2a8);
	assert_true(c.arguments[2] == 0x7ffc7a92f2c0 && c.arguments[3] == 1);
	assert_true(task_call_parse(
		&c, TEXT("1073741824 0x0 0x0 0x0 0x1 0x0 0x0 0x2 0x3\n"))); /* x32 */
	assert_int_equal(c.number, 0x40000000);
	assert_false(task_call_parse(&c, TEXT("230 0x0\n")));
	assert_false(task_call_parse(&c, TEXT("")));
	assert_false(task_call_parse(&c, TEXT("-2 0x0 0x0")));
}

static void test_io(void **state)
{
	static const char io[] =
		"rchar: 6976\nwchar: 56\nsyscr: 10\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\n"
		"cancelled_write_bytes: 1\n";
	struct task_io i;

	(void)state;
	assert_true(task_io_parse(&i, TEXT(io)));
	assert_true(i.read_bytes == 6976 && i.written_bytes == 56);
	assert_true(i.reads == 10 && i.writes == 4);
	assert_true(i.disk_read_bytes == 4096 && i.disk_written_bytes == 8192);
	assert_false(task_io_parse(&i, io, 30));
	assert_false(task_io_parse(&i, TEXT("rchar: x\nwchar: 56\nsyscr: 10\nsyscw: 4\n")));
}

static void test_status(void **state)
{
	static const char status[] =
		"Name:\tSigQ: 9/9\nSigQ:\t3/96365\nSigPnd:\t0000000000000000\n"
		"ShdPnd:\t0000001000004000\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000000007\n"
		"SigCgt:\t8000000000000a00\nvoluntary_ctxt_switches:\t7\n"
		"nonvoluntary_ctxt_switches:\t8\n";
	struct task_signals s;
	struct span value;

	(void)state;
	assert_true(task_signals_parse(&s, TEXT(status)));
	assert_int_equal(s.queued, 3);
	assert_int_equal(s.queued_max, 96365);
	assert_int_equal(s.shared_pending, 0x1000004000);
	assert_true(s.caught == 0x8000000000000a00);
	assert_true(task_status_find(&value, "voluntary_ctxt_switches:", TEXT(status)));
	assert_true(span_equal(value, "7"));
	assert_false(task_status_find(&value, "VmSize:", TEXT(status)));
	assert_false(task_signals_parse(&s, status, 40));
}

/* Each PID namespace adds a number; the innermost is the last. */
static void test_inner_pid(void **state)
{
	static const struct {
		const char *status;
		unsigned numberings;
		uint32_t inner;
	} cases[] = {
		{ "Tgid:\t7\nNSpid:\t7\n", 1, 7 },
		{ "NSpid:\t7\t7\n", 2, 7 },
		{ "NSpid:\t7\t31\t1\n", 3, 1 },
		{ "NSpid:\t7\tx\n", 0, 0 },
		{ "NSpid:\t0\n", 0, 0 },
		{ "Tgid:\t7\n", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t inner = 0;

		assert_int_equal(
			task_status_inner_pid(&inner, cases[i].status, strlen(cases[i].status)),
			cases[i].numberings);
		if (cases[i].numberings)
			assert_int_equal(inner, cases[i].inner);
	}
}

static void test_auxv(void **state)
{
	const uint64_t wide[] = { 33, 0x7ffff7fc1000, 16, 0xbfebfbff, 6, 4096, 0, 0 };
	const uint32_t narrow[] = { 32, 0xf7fc1570, 33, 0xf7fc1000, 16, 0xbfebfbff, 0, 0 };
	bool is_32_bit;

	(void)state;
	assert_true(task_auxv_parse(&is_32_bit, wide, sizeof(wide)));
	assert_false(is_32_bit);
	assert_true(task_auxv_parse(&is_32_bit, narrow, sizeof(narrow)));
	assert_true(is_32_bit);
	assert_false(task_auxv_parse(&is_32_bit, wide, 16));
}

static void test_limits(void **state)
{
	struct limits_line l;

	(void)state;
	assert_true(limits_line_parse(&l, span("Max open files            20000                "
					       "20001                files     ")));
	assert_true(span_equal(l.name, "NOFILE") && l.soft == 20000 && l.hard == 20001);
	assert_true(l.has_soft && l.has_hard && l.use == LIMITS_USE_FDS);
	assert_true(limits_line_parse(&l, span("Max cpu time              unlimited            7   "
					       "                 seconds   ")));
	assert_true(!l.has_soft && l.hard == 7 && l.unit == LIMITS_SECONDS);
	assert_true(limits_line_parse(
		&l, span("Max nice priority         0                    0                    ")));
	assert_true(span_equal(l.name, "NICE") && l.use == LIMITS_USE_NONE);
	assert_true(limits_line_parse(&l, span("Max things to come        5                    6   "
					       "                 things")));
	assert_true(span_equal(l.name, "Max things to come") && l.use == LIMITS_USE_UNKNOWN);
	assert_false(limits_line_parse(&l,
		span("Limit                     Soft Limit           Hard Limit           Units")));
	assert_false(limits_line_parse(&l, span("Max cpu time")));
}

static void test_groups(void **state)
{
	struct group_mount_line m;
	struct group_line g;
	uint64_t value;

	(void)state;
	assert_true(group_line_parse(&g, span("4:cpu,cpuacct:/a:b")));
	assert_true(span_equal(g.path, "/a:b") && group_list_has(g.controllers, "cpuacct"));
	assert_false(group_list_has(g.controllers, "cp"));
	assert_true(group_line_parse(&g, span("0::/")));
	assert_int_equal(g.controllers.size, 0);
	assert_false(group_line_parse(&g, span("x::/")));
	assert_true(group_mount_parse(&m,
		span("35 31 0:32 /docker/x /sys/fs/cgroup/memory rw,relatime shared:4 master:1 - "
		     "cgroup cgroup rw,memory")));
	assert_true(span_equal(m.root, "/docker/x") && span_equal(m.type, "cgroup"));
	assert_true(group_list_has(m.options, "memory"));
	assert_false(group_mount_parse(&m, span("35 31 0:32 / /sys rw,relatime shared:4")));
	assert_true(group_value_parse(&value, TEXT("9223372036854771712\n")));
	assert_true(value == UINT64_MAX);
	assert_true(group_value_parse(&value, TEXT("max\n")) && value == UINT64_MAX);
	assert_true(group_value_parse(&value, TEXT("-1\n")) && value == UINT64_MAX);
	assert_true(group_value_parse(&value, TEXT("4096\n")) && value == 4096);
	assert_false(group_value_parse(&value, TEXT("")));
	assert_true(
		group_event_parse(&value, "oom_kill", TEXT("oom_kill_disable 1\noom_kill 7\n")));
	assert_int_equal(value, 7);
	assert_true(group_cpu_parse(&value, TEXT("50000 100000\n")) && value == 500000);
	assert_true(group_cpu_parse(&value, TEXT("max 100000\n")) && value == UINT64_MAX);
	assert_false(group_cpu_parse(&value, TEXT("50000 0\n")));
	assert_true(group_io_parse(&value, NULL, TEXT("8:0 4096\n8:16 512\n")) && value == 512);
	assert_true(group_io_parse(&value, NULL, TEXT("")) && value == UINT64_MAX);
	assert_true(
		group_io_parse(&value, "wbps", TEXT("8:0 rbps=9 wbps=77 riops=max wiops=1\n")) &&
		value == 77);
	assert_true(group_io_parse(&value, "rbps", TEXT("8:0 rbps=max wbps=77\n")) &&
		    value == UINT64_MAX);
	assert_false(group_io_parse(&value, NULL, TEXT("total 4096\n")));
}

static void test_pressure(void **state)
{
	struct pressure_line p;

	(void)state;
	assert_true(pressure_line_parse(
		&p, span("some avg10=17.86 avg60=12.05 avg300=100.00 total=107027859")));
	assert_false(p.is_full);
	assert_true(p.share_10s > 17.859 && p.share_10s < 17.861 && p.share_60s < 12.051);
	assert_true(
		pressure_line_parse(&p, span("full avg10=0.00 avg60=0.00 avg300=0.00 total=0")));
	assert_true(p.is_full);
	assert_false(pressure_line_parse(&p, span("none avg10=0.00 avg60=0.00 avg300=0.00")));
	assert_false(pressure_line_parse(&p, span("some avg10=0.00")));
}

static void test_segments(void **state)
{
	struct segment_line s;

	(void)state;
	assert_true(
		segment_line_parse(&s, span("-1272759     524291   600   1048576  5776  5815      "
					    "2 65534 65534 65534 65534 "
					    "1795590181 1795590201 1795590180     4096        0")));
	assert_true(s.bytes == 1048576 && s.creator == 5776 && s.attached == 2);
	assert_true(s.change_s == 1795590180);
	assert_false(segment_line_parse(&s,
		span("       key      shmid perms      size  cpid  lpid nattch   uid   gid  cuid  "
		     "cgid      atime      dtime      ctime    rss     swap")));
	assert_false(segment_line_parse(&s, span("0 1 600 56 5776 5815 2 0 0 0 0 1 2")));
}

/* --- environments --- */

#define ENVIRON(bytes) environ_over(bytes, sizeof(bytes) - 1, false)

static void expect(struct environ_walk *w, const char *name, uint64_t size)
{
	struct environ_variable v;

	assert_true(environ_next(w, &v));
	assert_true(name ? span_equal(v.name, name) : v.is_redacted && !v.name.size);
	assert_int_equal(v.size_bytes, size);
}

static void test_environ(void **state)
{
	struct environ_walk w = ENVIRON("A=1\0B=\0BASH_FUNC_f%%=() { x=1; }\0LAST=no end");
	struct environ_variable v;

	(void)state;
	expect(&w, "A", 1);
	expect(&w, "B", 0);
	expect(&w, "BASH_FUNC_f%%", 11);
	expect(&w, "LAST", 6);
	assert_false(environ_next(&w, &v));
	w = environ_over("A=1\0B=secr", 10, true); /* cut: it may be a part of anything */
	expect(&w, "A", 1);
	assert_false(environ_next(&w, &v));
	w = environ_over("", 0, false);
	assert_false(environ_next(&w, &v));
}

/* The rest of a value must not come out as a name, nor what is no name. */
static void test_overwritten_environ(void **state)
{
	struct environ_walk w = ENVIRON("my title\0c2VjcmV0=\0PATH=/bin\0");
	struct environ_variable v;

	(void)state;
	expect(&w, NULL, 8);
	expect(&w, NULL, 9);
	expect(&w, "PATH", 4);
	w = ENVIRON("\0\0\0\0dG9rZW4=\0A=1\0");
	expect(&w, NULL, 8);
	expect(&w, "A", 1);
	w = ENVIRON("=empty\0A=1\0-----BEGIN KEY-----=x\0B=2\0C=3\0");
	expect(&w, NULL, 6);
	expect(&w, NULL, 3); /* what follows something strange is suspect */
	expect(&w, NULL, 21);
	expect(&w, NULL, 3);
	expect(&w, "C", 1);
	assert_false(environ_next(&w, &v));
}

/* --- functions by place --- */

/* Where an address of this process stands in its file. */
static uint64_t file_offset(const void *address)
{
	uint64_t from, to, offset, found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[4096];

	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %lx", &from, &to, &offset) == 3 &&
			(uint64_t)address >= from && (uint64_t)address < to)
			found = (uint64_t)address - from + offset;
	}
	fclose(maps);
	assert_int_not_equal(found, 0);
	return found;
}

static void look_up(const char *path, struct elf_address *places, size_t count)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(elf_addresses(fd, places, count), 0);
	close(fd);
}

static void test_elf_addresses(void **state)
{
	const char *entry = dlsym(RTLD_DEFAULT, "qsort");
	struct elf_address places[3] = { { .offset = file_offset(entry) },
		{ .offset = file_offset(entry + 3) }, { .offset = UINT64_C(1) << 50 } };
	Dl_info info;

	(void)state;
	assert_true(dladdr(entry, &info));
	look_up(info.dli_fname, places, 3);
	assert_true(places[0].is_found && !strcmp(places[0].name, info.dli_sname));
	assert_int_equal(places[0].inside, 0);
	assert_true(places[1].is_found && !strcmp(places[1].name, info.dli_sname));
	assert_int_equal(places[1].inside, 3);
	assert_false(places[2].is_found);
}

/* Behind a function's end it is another's, or nobody's. */
static void test_behind_a_function(void **state)
{
	static const char *const names[] = { "qsort", "getenv", "puts", "strtol", "fopen", "abs",
		"sigaction", "getpid" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *entry = dlsym(RTLD_DEFAULT, names[i]);
		struct elf_address place = { 0 };
		const ElfW(Sym) * symbol;
		Dl_info info;

		assert_true(dladdr1(entry, &info, (void **)&symbol, RTLD_DL_SYMENT));
		place.offset = file_offset((const char *)info.dli_saddr + symbol->st_size);
		look_up(info.dli_fname, &place, 1);
		assert_true(!place.is_found || strcmp(place.name, info.dli_sname));
	}
}

static void test_no_elf(void **state)
{
	struct elf_address place = { .offset = 1 };
	int fd = memfd_create("none", MFD_CLOEXEC), device = open("/dev/null", O_RDONLY);

	(void)state;
	assert_int_equal(write(fd, "hello", 5), 5);
	assert_int_equal(elf_addresses(fd, &place, 1), -EINVAL);
	assert_int_equal(elf_addresses(device, &place, 1), -EINVAL);
	assert_int_equal(elf_addresses(-1, &place, 1), -EBADF);
	close(fd);
	close(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_io),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_inner_pid),
		cmocka_unit_test(test_auxv),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_environ),
		cmocka_unit_test(test_overwritten_environ),
		cmocka_unit_test(test_elf_addresses),
		cmocka_unit_test(test_behind_a_function),
		cmocka_unit_test(test_no_elf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
