/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs for dtrace(1), what they print, and fs_usage(1): decoders, and through the backends with
 * a script in the place of each program. Lines of fs_usage are put together by hand in the form
 * that its manual page describes and that public issues have (keybase/client 4237: fstatat64 with
 * "[-2]/home"). Stacks are of the form that printa() gives for %k (dtrace(1), "Stack traces").
 */
#include "bsd_host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/bsd/dtrace_lines.h"
#include "os/bsd/dtrace_program.h"
#include "os/darwin/decode/fs_usage.h"
#include "probes/syscall_arguments.h"

extern const struct backend backend_syscalls_dtrace, backend_syscalls_fs_usage,
	backend_profile_dtrace;

#define UTC "1700005000"

/* --- lines of dtrace --- */

static struct span text_span(const char *text)
{
	return span_of(text, strlen(text));
}

static void test_lines(void **state)
{
	static const char call[] = "c\t" UTC "000001000\t100\t1\t200\topenat\t2\t-1\t1500\t"
				   "ffffff9c\t800001000\t0\t0\t0\t0\tcat\t/a\\tb\\\\c\\001";
	struct dtrace_line l;

	(void)state;
	assert_true(dtrace_line_decode(&l, text_span(call)));
	assert_int_equal(l.kind, 'c');
	assert_int_equal(l.pid, 100);
	assert_int_equal(l.tid, 200);
	assert_int_equal(l.error, 2);
	assert_int_equal(l.result, -1);
	assert_int_equal(l.total_ns, 1500);
	assert_int_equal(l.arguments[0], 0xffffff9c);
	assert_true(span_equal(l.call, "openat"));
	assert_string_equal(l.process, "cat");
	assert_string_equal(l.path, "/a\tb\\c\001");
	assert_true(
		dtrace_line_decode(&l, text_span("n\t100\t1\t200\tread\t0\t9\t17\t17000\t2000")));
	assert_int_equal(l.count, 17);
	assert_int_equal(l.slot, 9);
	assert_int_equal(l.max_ns, 2000);
	assert_true(dtrace_line_decode(&l, text_span("w\t5")));
	assert_false(dtrace_line_decode(&l, text_span("n\t100\t1\t200\tread\t0\t9\t17\t17000")));
	assert_false(dtrace_line_decode(&l, text_span("c\t-5")));
	assert_false(dtrace_line_decode(&l, text_span("")));
	assert_false(dtrace_line_decode(&l, text_span("libc.so.7`read+0xa")));
	/* Cut anywhere, in memory of that size. */
	for (size_t size = 0; size < sizeof(call); size++) {
		char *copy = malloc(size ? size : 1);

		memcpy(copy, call, size);
		dtrace_line_decode(&l, span_of(copy, size));
		free(copy);
	}
	assert_int_equal(
		dtrace_drops("dtrace: 17 drops on CPU 0\nother\n"
			     "dtrace: 3 dynamic variable drops with non-empty dirty list\n"),
		20);
}

static void test_frames(void **state)
{
	struct dtrace_frame f;

	(void)state;
	assert_true(dtrace_frame_decode(&f, text_span("              libc.so.7`write+0xa")));
	assert_true(span_equal(f.module, "libc.so.7"));
	assert_true(span_equal(f.function, "write"));
	assert_int_equal(f.into, 10);
	assert_true(dtrace_frame_decode(&f, text_span("  a.out`ns::f(int, char)+0x1b")));
	assert_true(span_equal(f.function, "ns::f(int, char)"));
	assert_true(dtrace_frame_decode(&f, text_span("  claude`0x1ff24")));
	assert_int_equal(f.address, 0x1ff24);
	assert_int_equal(f.function.size, 0);
	assert_true(dtrace_frame_decode(&f, text_span("  0x800401234")));
	assert_int_equal(f.module.size, 0);
	assert_true(dtrace_frame_decode(&f, text_span("  a.out`main")));
	assert_false(dtrace_frame_decode(&f, text_span("   ")));
	assert_false(dtrace_frame_decode(&f, text_span("words")));
}

/* --- programs --- */

static unsigned count_of(const char *text, const char *what)
{
	unsigned count = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		count++;
	return count;
}

static void test_program(void **state)
{
	static const uint32_t pids[] = { 100, 200 }, others[] = { 300 };
	struct syscall_set all = { .is_all = true }, some;
	struct dtrace_calls c = {
		.targets = { .pids = pids, .pid_count = 2, .others = others, .other_count = 1 },
		.abi = SYSCALL_ABI_FREEBSD,
		.set = &all,
		.streams = true,
		.counts = true
	};
	struct buffer out = { 0 };
	const char *text;

	(void)state;
	dtrace_program_calls(&out, &c);
	text = buffer_cstr(&out);
	assert_true(has(text, "followed[100] = 1;"));
	assert_true(has(text, "left[300] = 1;"));
	assert_true(has(text, "syscall::openat:entry"));
	assert_true(has(text, "syscall::compat11.stat:entry"));
	assert_false(has(text, "freebsd11_"));
	assert_true(has(text, "\nsyscall:::entry\n/followed[pid]/"));
	assert_int_equal(count_of(text, "{"), count_of(text, "}"));
	assert_int_equal(count_of(text, "/\n{"), count_of(text, "\n/"));
	buffer_fini(&out);
	/* The whole host, of chosen calls, as macOS names them. */
	c.abi = SYSCALL_ABI_DARWIN;
	c.targets = (struct dtrace_targets){ .is_host = true };
	assert_int_equal(syscall_set_parse(&some, "kevent64,stat64", NULL), 0);
	c.set = &some;
	c.streams = false;
	dtrace_program_calls(&out, &c);
	text = buffer_cstr(&out);
	assert_true(has(text, "syscall::kevent64:entry"));
	assert_true(has(text, "syscall::stat64:entry"));
	assert_false(has(text, "syscall::open:entry"));
	assert_true(has(text, "pid != $pid"));
	assert_false(has(text, "copyinstr"));
	buffer_fini(&out);
	dtrace_program_profile(&out, &c.targets, 97);
	assert_true(has(buffer_cstr(&out), "profile:::profile-97hz"));
	buffer_fini(&out);
}

/* --- lines of fs_usage --- */

static void test_fs_usage(void **state)
{
	static const char opened[] = "14:05:06.123456  open              F=5        (R_____)  "
				     "/Users/u/a file.txt      0.000012 W claude code.6303";
	struct fs_usage_line l;

	(void)state;
	assert_true(fs_usage_decode(&l, text_span(opened)));
	assert_true(span_equal(l.call, "open"));
	assert_true(l.has_fd);
	assert_int_equal(l.fd, 5);
	assert_true(span_equal(l.path, "/Users/u/a file.txt"));
	assert_int_equal(l.duration_ns, 12000);
	assert_true(l.has_waited);
	assert_true(span_equal(l.process, "claude code"));
	assert_int_equal(l.tid, 6303);
	assert_int_equal(l.day_ns, ((14 * 60 + 5) * 60 + 6) * 1000000000ull + 123456000);
	assert_true(fs_usage_decode(&l, text_span("11:32:23.024615  fstatat64       "
						  "[-2]/home        0.000004   ls.6303")));
	assert_true(span_equal(l.path, "/home"));
	assert_int_equal(l.error, 0);
	assert_true(fs_usage_decode(
		&l, text_span("11:32:23.024615  stat64           "
			      "[  2]           /no/such        0.000004   ls.6303")));
	assert_int_equal(l.error, 2);
	assert_true(span_equal(l.path, "/no/such"));
	assert_true(fs_usage_decode(&l, text_span("11:32:23.024700  read     F=3    B=0x1000   "
						  "                        0.000003   ls.6303")));
	assert_int_equal(l.bytes, 0x1000);
	/* A path that looks like the end of a line. */
	assert_true(fs_usage_decode(&l, text_span("11:32:23.024700  stat64  /a 0.000001 b.7 "
						  "  0.000003   ls.6303")));
	assert_true(span_equal(l.path, "/a 0.000001 b.7"));
	assert_int_equal(l.tid, 6303);
	for (size_t size = 0; size < sizeof(opened); size++) {
		char *copy = malloc(size ? size : 1);

		memcpy(copy, opened, size);
		fs_usage_decode(&l, span_of(copy, size));
		free(copy);
	}
	assert_false(fs_usage_decode(&l, text_span("TIMESTAMP CALL")));
	assert_false(fs_usage_decode(&l, text_span("25:00:00.000000 x 0.000001 a.1")));
}

/* --- through the backends --- */

static int host_process(const struct bsd_source *s, pid_t pid, struct bsd_process *out)
{
	(void)s;
	*out = (struct bsd_process){
		.id = { .pid = (uint32_t)pid, .start_ticks = 77 }, .state = 'S', .name = "cat"
	};
	return pid == 100 ? 0 : -3;
}

/* A child of it that was there before. */
static int host_processes(const struct bsd_source *s, struct buffer *out)
{
	struct bsd_process p = { .id = { .pid = 150, .start_ticks = 1 }, .ppid = 100 };

	(void)s;
	buffer_append(out, &p, sizeof(p));
	return 0;
}

static void no_host(const struct os *os, struct host_facts *facts)
{
	(void)os;
	*facts = (struct host_facts){ .ticks_per_s = 100 };
}

static void no_arguments(const struct os *os, const struct process_id *p, struct buffer *out)
{
	(void)os;
	(void)p;
	(void)out;
}

static char *write_program(const char *body)
{
	char *path = strdup("/tmp/sooth-tool-XXXXXX");
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s", body);
	assert_int_equal(fchmod(fd, 0700), 0);
	fclose(f);
	return path;
}

struct host {
	struct bsd_source source;
	struct os os;
	char *dtrace, *fs_usage;
};

static void host_open(struct host *h, const struct backend *const *backends, const char *dtrace,
	const char *fs_usage)
{
	*h = (struct host){ .dtrace = write_program(dtrace),
		.fs_usage = fs_usage ? write_program(fs_usage) : NULL };
	h->source = (struct bsd_source){ .process = host_process,
		.processes = host_processes,
		.dtrace = h->dtrace,
		.abi = fs_usage ? SYSCALL_ABI_DARWIN : SYSCALL_ABI_FREEBSD,
		.fs_usage = h->fs_usage };
	h->os = bsd_test_os("freebsd", backends, &h->source);
	h->os.host = no_host;
	h->os.command_line = no_arguments;
}

static void host_close(struct host *h)
{
	unlink(h->dtrace);
	free(h->dtrace);
	if (h->fs_usage)
		unlink(h->fs_usage);
	free(h->fs_usage);
}

/* It prints, says that it runs, and waits to be interrupted. */
#define RUNS                                                                                       \
	"[ \"$1\" = -q ] && exit 0\n"                                                              \
	"trap 'exit 0' INT\n"
#define WAITS "printf 'b\\t" UTC "000000000\\n'\nwhile :; do sleep 0.1; done\n"

/* A process opens a file, forks a child that fails to open another, and ends. */
static void test_calls(void **state)
{
	static const struct backend *const backends[] = { &backend_syscalls_dtrace, NULL };
	static const char program[] =
		RUNS "printf 'c\\t" UTC
		     "000001000\\t100\\t1\\t200\\topen\\t0\\t3\\t1500\\t800001000\\t0\\t0"
		     "\\t0\\t0\\t0\\tcat\\t/etc/hosts\\n'\n"
		     "printf 'c\\t" UTC
		     "000002000\\t101\\t100\\t201\\topen\\t2\\t-1\\t700\\t800001000\\t0\\t0"
		     "\\t0\\t0\\t0\\tcat\\t/nowhere\\n'\n"
		     "printf 'l\\t" UTC "000003000\\t101\\t100\\t201\\texit\\t0\\tcat\\n'\n"
		     "printf 'e\\t" UTC "000003500\\t101\\t100\\tcat\\n'\n"
		     "printf 'w\\t" UTC "000004000\\n'\n"
		     "printf 'n\\t100\\t1\\t200\\topen\\t0\\t10\\t17\\t25500\\t2000\\n'\n"
		     "printf 'n\\t100\\t1\\t200\\tcompat11.stat\\t35\\t9\\t2\\t1400\\t900\\n'\n"
		     "printf 'n\\t100\\t1\\t200\\tnosuchcall\\t0\\t9\\t1\\t1400\\t900\\n'\n"
		     "printf 'x\\t100\\t1\\t200\\texit\\t1\\n'\n" WAITS;
	const int pids[] = { 100 };
	struct host h;
	char *shown;

	(void)state;
	host_open(&h, backends, program, NULL);
	shown = bsd_test_calls(&h.os, "syscalls", "syscall-table", SOOTH_COUNT, pids, 1);
	if (!has(shown, "\"name\": \"open\""))
		fprintf(stderr, "%s\n", shown);
	assert_true(has(shown, "\"name\": \"open\""));
	assert_true(has(shown, "\"count\": 17"));
	assert_true(has(shown, "freebsd11_stat"));
	assert_true(has(shown, "EAGAIN"));
	assert_true(has(shown, "lacks the name"));
	free(shown);
	shown = bsd_test_calls(&h.os, "syscalls", "syscall-stream", SOOTH_STREAM, pids, 1);
	assert_true(has(shown, "/etc/hosts"));
	assert_true(has(shown, "ENOENT"));
	assert_true(has(shown, "\"name\": \"exit\""));
	free(shown);
	host_close(&h);
}

static void test_profile(void **state)
{
	static const struct backend *const backends[] = { &backend_profile_dtrace, NULL };
	static const char program[] = RUNS
		"printf 'w\\t" UTC "000004000\\n'\n"
		"printf 's\\t100\\t1\\t200\\tcat\\t40\\n  libc.so.7`write+0xa\\n  cat`work+0x10\\n"
		"  cat`0x1234\\n\\nS\\n'\n"
		"printf 's\\t100\\t1\\t200\\tcat\\t2\\n  0x800401234\\n\\nS\\n'\n" WAITS;
	const int pids[] = { 100 };
	struct host h;
	char *shown;

	(void)state;
	host_open(&h, backends, program, NULL);
	shown = bsd_test_calls(&h.os, "profile", "profile-table", SOOTH_STREAM, pids, 1);
	assert_true(has(shown, "\"function\": \"write\""));
	assert_true(has(shown, "42"));
	free(shown);
	host_close(&h);
}

static char printed[64];

static void wait_until_printed(void)
{
	while (access(printed, F_OK))
		usleep(10000);
}

/* Where the system refuses dtrace, fs_usage serves, and the reason stands in the report. */
static void test_fallback(void **state)
{
	static const struct backend *const backends[] = { &backend_syscalls_dtrace,
		&backend_syscalls_fs_usage, NULL };
	static const char refusing[] = "echo 'dtrace: system integrity protection is on, some "
				       "features will not be available' "
				       ">&2\nexit 1\n";
	static const char usage[] =
		"trap 'exit 0' INT\n"
		"echo '14:05:06.123456  open     F=5   (R_____)  /etc/hosts   0.000012   "
		"cat.6303'\n"
		"echo '14:05:06.123556  stat64   [  2]  /no/such   0.000004   cat.6303'\n"
		"echo '14:05:06.123556  RdData[A]  D=0x1 B=0x1000 /dev/disk1  0.000004   "
		"cat.6303'\n"
		": > \"$0.printed\"\n"
		"while :; do sleep 0.1; done\n";
	const int pids[] = { 100 };
	struct sooth_error err;
	struct host h;
	char *shown;

	(void)state;
	if (geteuid())
		skip(); /* it is for root */
	host_open(&h, backends, refusing, usage);
	assert_int_equal(backend_test_needs(&backend_syscalls_dtrace, &h.os, &err), -EPERM);
	assert_string_equal(err.why,
		"dtrace: system integrity protection is on, some features will not be available");
	assert_true(has(err.remedy, "csrutil enable --without dtrace"));
	assert_true(has(err.remedy, "removes a protection"));
	snprintf(printed, sizeof(printed), "%s.printed", h.fs_usage);
	bsd_test_meanwhile = wait_until_printed;
	shown = bsd_test_calls(&h.os, "syscalls", "syscall-table", SOOTH_COUNT, pids, 1);
	assert_true(has(shown, "\"method\": \"fs_usage\""));
	assert_true(has(shown, "system integrity protection is on"));
	assert_true(has(shown, "\"name\": \"open\""));
	assert_true(has(shown, "ENOENT"));
	assert_true(has(shown, "csrutil enable --without dtrace"));
	free(shown);
	unlink(printed);
	shown = bsd_test_calls(&h.os, "syscalls", "syscall-stream", SOOTH_STREAM, pids, 1);
	assert_true(has(shown, "\"/no/such\\\", ?"));
	assert_true(has(shown, "\"duration_ns\": 12000"));
	free(shown);
	unlink(printed);
	bsd_test_meanwhile = NULL;
	host_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_fs_usage),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_fallback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
