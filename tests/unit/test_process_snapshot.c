/* SPDX-License-Identifier: BSD-2-Clause */
/* Results of the collector of proc: markers, names of terminals, processes that are close to an
 * agent; and batches of calls one of which does not return. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/timeout.h"
#include "os/linux/proc/proc_selection.h"
#include "recognize/markers.h"
#include "os/linux/proc/proc_stream.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/terminal_names.h"
#include "os/linux/files/user_names.h"
#include "probes/proc.h"

/* --- markers --- */

/* With "|" for NUL, in and out. */
static void assert_markers(const char *environment, bool is_cut, const char *expected)
{
	struct buffer in = { 0 }, out = { 0 };

	buffer_string(&in, environment);
	for (size_t i = 0; i < in.size; i++)
		in.data[i] = in.data[i] == '|' ? '\0' : in.data[i];
	proc_markers_find(&out, NULL, in.data, in.size, is_cut);
	for (size_t i = 0; i < out.size; i++)
		out.data[i] = out.data[i] ? out.data[i] : '|';
	assert_string_equal(buffer_cstr(&out), expected);
	buffer_fini(&in);
	buffer_fini(&out);
}

static void test_markers(void **state)
{
	(void)state;
	assert_markers("PATH=/bin|CLAUDECODE=1|HOME=/|", false, "CLAUDECODE=1|");
	assert_markers("CLAUDECODE=1", false, "CLAUDECODE=1|"); /* without its NUL */
	assert_markers("CODEX_THREAD_ID=a.b_c:d-1|CLAUDE_PID=42|", false,
		"CODEX_THREAD_ID=a.b_c:d-1|CLAUDE_PID=42|");
	/* The first one counts, whatever its value. */
	assert_markers("CLAUDE_PID=1|CLAUDE_PID=2|", false, "CLAUDE_PID=1|");
	assert_markers("CLAUDE_PID=a b|CLAUDE_PID=2|", false, "CLAUDE_PID|");
	/* Names are whole ones. */
	assert_markers("XCLAUDECODE=1|CLAUDECODE2=1|CLAUDECOD=1|claudecode=1|", false, "");
	assert_markers("A=CLAUDECODE=1|CLAUDECODE|", false, "");
	/* A value that is no plain identifier is left out, and so is one that looks like a key. */
	assert_markers("CLAUDE_PID=|CLAUDECODE=a/b|CODEX_CI=a=b|", false,
		"CLAUDE_PID|CLAUDECODE|CODEX_CI|");
	assert_markers("CLAUDE_CODE_SESSION_ID=sk-ant-api03-AAAABBBBCCCC|", false,
		"CLAUDE_CODE_SESSION_ID|");
	/* The rest of the last one may be missing. */
	assert_markers("A=b|CLAUDE_CODE_SESSION_ID=0f3a", true, "");
	/* Behind the rest of a title may stand the rest of a value. */
	assert_markers("a title|||CLAUDECODE=1|CLAUDE_PID=2|", false, "CLAUDE_PID=2|");
}

/* --- terminals --- */

static void assert_terminal(
	uint32_t major, uint32_t minor, const char *link, bool is_terminal, const char *expected)
{
	char name[TERMINAL_NAME_SIZE];

	assert_int_equal(terminal_name_from(
				 name, terminal_number(major, minor), span_of(link, strlen(link))),
		is_terminal);
	assert_string_equal(name, expected);
}

static void test_terminals(void **state)
{
	char name[TERMINAL_NAME_SIZE];
	struct stat st;

	(void)state;
	assert_terminal(136, 3, "", true, "pts/3");
	assert_terminal(136, 300000, "", true, "pts/300000");
	assert_terminal(4, 1, "../../devices/virtual/tty/tty1", true, "tty1");
	assert_terminal(
		4, 64, "../../devices/pnp0/00:00/00:00:0/00:00:0.0/tty/ttyS0", true, "ttyS0");
	assert_terminal(5, 1, "../../devices/virtual/tty/console", true, "console");
	assert_terminal(10, 229, "../../devices/virtual/misc/fuse", false, "");
	assert_terminal(4, 1, "../../devices/virtual/tty/", false, "");
	assert_terminal(4, 1, "../../devices/virtual/tty/a b", false, "");
	assert_terminal(4, 1, "tty1", false, "");
	assert_int_equal(terminal_number(4, 1), 0x401);
	assert_int_equal(terminal_number(136, 0x12345), 0x12308845);
	assert_false(terminal_name(name, PROC_NO_TERMINAL));
	assert_true(terminal_name(name, terminal_number(4095, 7)));
	assert_string_equal(name, "4095:7");
	assert_false(stat("/dev/null", &st));
	assert_false(is_terminal_number(terminal_number(1, 3)));
}

static void test_users(void **state)
{
	struct user_names names;

	(void)state;
	user_names_init(&names);
	assert_string_equal(user_names_get(&names, 0), "root");
	assert_string_equal(user_names_get(&names, 4000000001), "");
	assert_string_equal(user_names_get(&names, 0), "root");
	assert_int_equal(names.late, 0);
	user_names_fini(&names);
}

/* --- stat --- */

static void test_stat(void **state)
{
	static const char line[] =
		"42 (a) R 1) S 1 2 3 34816 77 4194560 5 6 7 8 9 10 11 12 20 0 13 0 14 15 16 "
		"18446744073709551615 18 19 20 21 22 23 24 25 26 27 28 29 17 3 50 1 0 0 0 1 2 3 4 "
		"5 8 9 0\n";
	struct procfs_stat s;

	(void)state;
	assert_true(procfs_parse_stat(&s, line, strlen(line)));
	assert_int_equal(s.terminal_group, 77);
	assert_int_equal(s.code_from, 18);
	assert_int_equal(s.code_to, 19);
	assert_int_equal(s.ignored, 25);
	assert_int_equal(s.caught, 26);
	assert_int_equal(s.environment_from, 8);
	assert_int_equal(s.environment_to, 9);
	/* An older kernel's line is shorter. */
	assert_true(procfs_parse_stat(&s, line, 90));
	assert_int_equal(s.environment_from, 0);
	assert_int_equal(s.rss_pages, 16);
}

/* --- who is close --- */

static struct proc_entry entry(uint32_t pid, uint32_t ppid, uint64_t start)
{
	return (struct proc_entry){ .values = { .id = { .start_ticks = start, .pid = pid },
					    .ppid = ppid,
					    .process_group = pid,
					    .session = pid } };
}

static void test_interest(void **state)
{
	static const struct agent agent;
	struct proc_entry all[] = {
		entry(1, 0, 1),
		entry(70, 60, 70), /* below the agent */
		entry(50, 1, 50),  /* the agent */
		entry(60, 50, 60), /* its child */
		entry(40, 50, 40), /* older than the agent: whose pid is another's by now */
		entry(80, 1, 80),  /* a bearer */
		entry(81, 80, 81), /* its child */
		entry(90, 91, 90), /* its parent is not there */
		/* A bearer with a higher number than its child and what that started. */
		entry(100, 1, 5),
		entry(33, 100, 33),
		entry(34, 33, 34),
		entry(32, 34, 35),
	};

	(void)state;
	all[2].agent = &agent;
	all[5].has_markers = all[8].has_markers = true;
	proc_selection_mark_close(all, ARRAY_SIZE(all));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		uint64_t pid = all[i].values.id.pid;

		assert_true(!i || pid > all[i - 1].values.id.pid);
		assert_int_equal(all[i].is_close, pid == 50 || pid == 60 || pid == 70 ||
							  pid == 80 || pid == 81 || pid == 100 ||
							  (pid >= 32 && pid <= 34));
	}
	assert_true(proc_selection_is_below(all, ARRAY_SIZE(all), 50, 70));
	/* The first process has no array to look in yet. */
	assert_null(proc_selection_parent(NULL, 0, &all[0]));
	assert_true(proc_selection_is_below(all, ARRAY_SIZE(all), 70, 70));
	assert_false(proc_selection_is_below(all, ARRAY_SIZE(all), 70, 50));
	assert_false(proc_selection_is_below(all, ARRAY_SIZE(all), 50, 40));
	assert_false(proc_selection_is_below(all, ARRAY_SIZE(all), 50, 4711));
}

/* Left by who started it: under the first process, or its group or session have lost their leader.
 */
static void test_left(void **state)
{
	struct proc_entry all[] = { entry(1, 0, 1), entry(10, 1, 10), entry(20, 10, 20),
		entry(30, 10, 30), entry(31, 10, 31) };
	size_t count = ARRAY_SIZE(all);

	(void)state;
	all[3].values.process_group = 29;
	all[4].values.session = 29;
	assert_true(proc_selection_is_left(all, count, &all[1]));
	assert_false(proc_selection_is_left(all, count, &all[2]));
	assert_true(proc_selection_is_left(all, count, &all[3]));
	assert_true(proc_selection_is_left(all, count, &all[4]));
}

/* --- batches --- */

struct item {
	int wait_at; /* -1: it does not */
	int answer;
};

static void do_item(void *item, int kept)
{
	struct item *i = item;
	char byte;

	if (i->wait_at >= 0 && read(kept, &byte, 1) < 0)
		return;
	i->answer = 42;
}

static void test_batch(void **state)
{
	struct timeout timeout = { 0 };
	struct timed_batch *b;
	int ends[2], status = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	b = timed_batch_new(10, sizeof(struct item), do_item, NULL, NULL);
	assert_non_null(b);
	for (int i = 0; i < 10; i++)
		((struct item *)timed_batch_item(b, (size_t)i))->wait_at = i == 7 ? 0 : -1;
	assert_int_equal(timed_batch_run(b, &timeout, ends[0], 200, &status), 7);
	assert_int_equal(status, -ETIMEDOUT);
	for (int i = 0; i < 7; i++)
		assert_int_equal(((struct item *)timed_batch_item(b, (size_t)i))->answer, 42);
	timed_batch_free(b);
	/* The next one is not held up by it. */
	b = timed_batch_new(3, sizeof(struct item), do_item, NULL, NULL);
	for (int i = 0; i < 3; i++)
		((struct item *)timed_batch_item(b, (size_t)i))->wait_at = -1;
	assert_int_equal(timed_batch_run(b, &timeout, ends[0], 2000, &status), 3);
	assert_int_equal(status, 0);
	timed_batch_free(b);
	assert_int_equal(write(ends[1], "x", 1), 1); /* let go of the first */
	timeout_fini(&timeout);
	close(ends[0]);
	close(ends[1]);
}

/* --- streams and trees, of this process --- */

static void test_streams(void **state)
{
	struct proc_stream_info answer = { 0 };
	_cleanup_close_ int process = procfs_open(getpid());
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	proc_stream_read(&answer, process, (unsigned)ends[0]);
	assert_int_equal(answer.state, SOOTH_STATE_VALUE);
	assert_int_equal(answer.stream, PROC_STREAM_PIPE);
	assert_int_equal(answer.device, 0);
	assert_int_equal(proc_stream_has_writer(&answer, process, (unsigned)ends[0]), 1);
	assert_int_equal(write(ends[1], "ab", 2), 2);
	assert_int_equal(proc_stream_has_writer(&answer, process, (unsigned)ends[0]), 1);
	/* The end for writing is none to ask. */
	proc_stream_read(&answer, process, (unsigned)ends[1]);
	assert_int_equal(proc_stream_has_writer(&answer, process, (unsigned)ends[1]), -ENODATA);
	close(ends[1]);
	proc_stream_read(&answer, process, (unsigned)ends[0]);
	assert_int_equal(proc_stream_has_writer(&answer, process, (unsigned)ends[0]), 0);
	close(ends[0]);
	proc_stream_read(&answer, process, (unsigned)ends[0]);
	assert_int_equal(answer.stream, PROC_STREAM_NONE);
	assert_int_equal(answer.state, SOOTH_STATE_VALUE);
	buffer_fini(&answer.path);
}

/* Without descriptors a process has not ended: it cannot be read. */
static void test_no_descriptors(void **state)
{
	struct process_id self = { .pid = (uint32_t)getpid() };
	struct backend_run run = { 0 };
	struct process_snapshot snapshot;
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 3, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(process_snapshot_open(&snapshot, &run, getpid(), &self), -EMFILE);
	assert_int_equal(process_snapshot_open(&snapshot, &run, getpid(), NULL), 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(process_snapshot_open(&snapshot, &run, getpid(), &self), -ESRCH);
	process_snapshot_close(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markers),
		cmocka_unit_test(test_terminals),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_interest),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
