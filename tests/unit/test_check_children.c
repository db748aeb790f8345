/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about the children of a process: who among them lives, and who only stands in the table.
 */
#include "check_records.h"

#include "probes/host.h"
#include "probes/short_lived.h"

#define FIRST_CHILD   200
#define LATE_CHILDREN 20000

static void children_at(double s, int from, int to, char state)
{
	for (int i = from; i < to; i++)
		process_at(s,
			(struct proc_process){ .record.pid = FIRST_CHILD + (uint32_t)i,
				.ppid = PID,
				.state = state },
			"child");
}

/* Ten at first, and so many more at each look, which have ended before they are met. */
static void zombies_gather(double more)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		children_at(i, 0, 10 + i * (int)more, 'Z');
		all_reported(i);
	}
}

/* As above, but each has a time of its own, as where /proc is read one by one. */
static void zombies_are_read_slowly(double more)
{
	struct proc_snapshot snapshot = { .is_of_host = true };

	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		children_at(i + 0.05, 0, 10 + i * (int)more, 'Z');
		snapshot.record = head_of(i + 0.06, 0, PROC_SNAPSHOT);
		snapshot.from_ns = at(i);
		RECORD_APPEND(&records, &snapshot, NULL, 0);
	}
}

static void children_end_while_watched(double how_many)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		children_at(i, 0, (int)how_many, i ? 'Z' : 'S');
		all_reported(i);
	}
}

/* `inner_pid` is that of the parent in its own PID namespace. */
static void zombies_of_a_container(double inner_pid)
{
	struct proc_ties t = { .record = head_of(0, PID, PROC_LINKS),
		.pid_namespace = 1,
		.inner_pid = (uint32_t)inner_pid };

	zombies_gather(0);
	RECORD_APPEND(&records, &t, NULL, 0);
}

static void test_zombies(void **state)
{
	static const struct check_case cases[] = {
		{ "zombie-children", zombies_of_a_container, 1, NULL,
			"medium/high: |, PID 1 of its namespace, which inherits orphans, does "
			"not|docker run --init (PID 1 ends only by SIGKILL" },
		{ "zombie-children", zombies_of_a_container, 2, NULL,
			"medium/high: |(99) does not reap|only the parent can reap" },
		{ "zombie-children", zombies_gather, 0, NULL,
			"medium/high: |: 10 zombies |[zombies: 10] [zombies that appeared during "
			"the observation: 0 over" },
		/* The zombies of the last two samples have not stayed for long enough. */
		{ "zombie-children", zombies_gather, 4, NULL,
			"medium/high: |[zombies: 30] [zombies that appeared during the "
			"observation: 20 over" },
		{ "zombie-children", zombies_are_read_slowly, 4, NULL,
			"medium/high: |[zombies: 30] [zombies that appeared during the "
			"observation: 20 over" },
		{ "zombie-children", children_end_while_watched, 7, NULL,
			"medium/high: |[zombies: 7] [zombies that appeared during the observation: "
			"7 over" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void children_live(double more)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		children_at(i, 0, 10 + i * (int)more, 'S');
		all_reported(i);
	}
}

static void an_agents_children_live(double more)
{
	runs = CLAUDE;
	children_live(more);
}

/* One more each second, by one that started so many seconds ago; none of them ends. The pids are
 * those of processes that started after it (start_of). */
static void children_pile_up(double age)
{
	struct short_lived_watch watch = { .record = head_of(0, 0, SHORT_LIVED_WATCH) };

	started_s = FROM_S + LOOKS - 1 - age;
	add_source("short_lived");
	RECORD_APPEND(&records, &watch, NULL, 0);
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		children_at(i, LATE_CHILDREN, LATE_CHILDREN + 10 + i, 'S');
		all_reported(i);
	}
}

static void test_flood(void **state)
{
	static const struct check_case cases[] = {
		{ "process-flood", children_live, 0, NULL,
			"fine: started processes alive: 10, then 10" },
		{ "process-flood", children_live, 20, NULL,
			"medium/medium: |10 alive, then 110|sooth freeze --any --tree 99 " },
		{ "process-flood", an_agents_children_live, 20, NULL,
			"medium/medium: |sooth freeze --tree 99 " },
		{ "process-flood", children_pile_up, 30, NULL,
			"low/medium: |faster than they end: 10 alive, then 15" },
		{ "process-flood", children_pile_up, 31, NULL, "fine: |alive: 10, then 15" },
		{ "process-flood", children_pile_up, 7.5, NULL, "low/medium: " },
		{ "process-flood", children_pile_up, 7, NULL, "fine: |alive: 10, then 15" },
		/* Zombies do not live, not even at the look that meets them. */
		{ "process-flood", zombies_gather, 20, NULL,
			"fine: started processes alive: 0, then 0" },
		{ "process-flood", children_end_while_watched, 7, NULL,
			"fine: started processes alive: 7, then 0" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- the same programs over and over --- */

static const char *const only_true[] = { "true" };
static uint32_t ended_with, every_other; /* status, as wait(2) has it */
static bool are_pairs;			 /* each second one is a child of the one before */
static struct span own_words;		 /* arguments of the children; empty: their name */
static const char *const configure[] = { "sed", "grep", "expr", "cat", "rm", "mkdir" };

/* `arguments`: of the children; "": each its own. NULL: they are not known. */
/* The children write `last_line`, or each another line, before they end; the first ones may write a
 * line that the others do not. */
static const char *last_line;
static bool has_other_lines;
static int first_lines;

static void says_last(const struct sooth_record *end, int i)
{
	struct syscalls_message m = { .record = *end,
		.kind = SYSCALLS_MESSAGE_LAST,
		.form = has_other_lines	  ? (uint64_t)i
			: i < first_lines ? 1
					  : 7 };
	struct record_tail tail[] = { put_text(
		&m.text, i < first_lines ? "is starting" : last_line) };

	m.record.kind = SYSCALLS_MESSAGE;
	RECORD_APPEND(&records, &m, tail, 1);
}

static void starts_of_programs(double each_s, const char *const *names, size_t count,
	const char *starter, const char *arguments, bool stops)
{
	struct short_lived_watch watch = { .record = head_of(0, 0, SHORT_LIVED_WATCH) };
	int all = (int)(each_s * (LOOKS - 1));

	add_source("short_lived");
	RECORD_APPEND(&records, &watch, NULL, 0);
	for (int i = 0; i < all; i++) {
		struct short_lived_exit e = {
			.record = head_of(((double)i + 0.5) / each_s * (stops ? 0.5 : 1),
				1000 + (uint32_t)i, SHORT_LIVED_PROCESS),
			.parent_pid = PID,
			.parent_start_ticks = start_of(PID),
			.cpu_ns = 2 * NS_PER_MS,
			.life_ns = 3 * NS_PER_MS,
			.status = i % 2 && every_other ? every_other : ended_with,
		};
		const char *name = names[(size_t)i % count];

		if (are_pairs && i % 2) {
			e.parent_pid = 1000 + (uint32_t)i - 1;
			e.parent_start_ticks = start_of(e.parent_pid);
		}
		struct process_exec exec = { .record = head_of(
						     ((double)i + 0.4) / each_s * (stops ? 0.5 : 1),
						     1000 + (uint32_t)i, PROCESS_EXEC) };
		char other[16];

		snprintf(other, sizeof(other), "%d", i);
		struct record_tail words[] = { put_text(
			&exec.arguments, arguments && *arguments ? name : other) };

		if (own_words.size)
			words[0] = (struct record_tail){ &exec.arguments, own_words.data,
				own_words.size };

		memcpy(exec.name, name, strlen(name));
		if (arguments)
			RECORD_APPEND(&records, &exec, words, ARRAY_SIZE(words));
		memcpy(e.name, name, strlen(name));
		if (last_line)
			says_last(&e.record, i);
		RECORD_APPEND(&records, &e, NULL, 0);
	}
	for (int i = 0; i < LOOKS; i++) {
		struct proc_process child = { .record =
						      head_of(i, 5000 + (uint32_t)i, PROC_PROCESS),
			.ppid = PID,
			.state = 'R',
			.threads = 1 };
		char own[16];

		process_at(i, (struct proc_process){ .descriptors = 10 }, starter);
		snprintf(own, sizeof(own), "%d", i);
		struct record_tail tail[] = { put_text(&child.name, names[0]),
			put_text(&child.arguments, arguments && *arguments ? arguments : own) };

		if (arguments)
			RECORD_APPEND(&records, &child, tail, ARRAY_SIZE(tail));
		all_reported(i);
	}
}

static void spawns(double each_s)
{
	starts_of_programs(each_s, only_true, 1, "thing", "true", false);
}

static void spawns_that_fail(double status)
{
	ended_with = (uint32_t)status;
	spawns(60);
	ended_with = 0;
}

static void spawns_seldom_that_fail(double each_s)
{
	ended_with = 256;
	spawns(each_s);
	ended_with = 0;
}

static void spawns_pairs_that_fail(double each_s)
{
	ended_with = 256;
	are_pairs = true;
	spawns(each_s);
	are_pairs = false;
	ended_with = 0;
}

static void spawns_that_fail_differently(double status)
{
	every_other = (uint32_t)status;
	spawns_that_fail(256);
	every_other = 0;
}

/* One of two ends well. */
static void spawns_that_fail_at_times(double status)
{
	every_other = (uint32_t)status;
	spawns(60);
	every_other = 0;
}

static void spawns_unknown(double each_s)
{
	starts_of_programs(each_s, only_true, 1, "thing", NULL, false);
}

static void spawns_for_files(double each_s)
{
	starts_of_programs(each_s, only_true, 1, "thing", "", false);
}

static void spawns_at_first(double each_s)
{
	starts_of_programs(each_s, only_true, 1, "thing", "true", true);
}

static void spawns_by_make(double each_s)
{
	starts_of_programs(each_s, only_true, 1, "make", "true", false);
}

static void spawns_several(double kinds)
{
	starts_of_programs(60, configure, (size_t)kinds, "thing", "same", false);
}

static void spawns_by_shell(double each_s)
{
	starts_of_programs(each_s, configure, 4, "bash", "same", false);
}

static void copies_itself(double each_s)
{
	static const char *const self[] = { "thing" };

	starts_of_programs(each_s, self, 1, "thing", NULL, false);
}

static void spawns_in_a_crowd(double running)
{
	struct host_load load = {
		.record = head_of(0, 0, HOST_LOAD), .running = (uint32_t)running, .cpus = 2
	};

	RECORD_APPEND(&records, &load, NULL, 0);
	spawns(10);
}

/* The same with a pause of so many milliseconds now and then. */
static void pauses_in_a_crowd(double ms)
{
	struct short_lived_exit e = { .record = head_of(2.5, 4000, SHORT_LIVED_PROCESS),
		.parent_pid = PID,
		.parent_start_ticks = start_of(PID),
		.life_ns = (uint64_t)(ms * (double)NS_PER_MS) };

	memcpy(e.name, "sleep", sizeof("sleep"));
	spawns_in_a_crowd(10);
	RECORD_APPEND(&records, &e, NULL, 0);
}

static void test_starts(void **state)
{
	static const struct check_case cases[] = {
		{ "process-flood", spawns, 101, NULL,
			"medium/high: starts 10|processes a second: true, which use 20 % CPU |"
			"[arguments: 1 different in |sooth ps -t 99 shows" },
		{ "process-flood", spawns, 60, NULL, "low/high: " },
		{ "process-flood", spawns, 60, "process-flood.percent=11", "medium/high: " },
		{ "process-flood", spawns, 60, "process-flood.many-starts=60", "medium/high: " },
		{ "process-flood", spawns_unknown, 21, NULL,
			"blind: the arguments of the short-lived programs are not known" },
		{ "process-flood", spawns, 21, NULL, "low/high: " },
		{ "process-flood", spawns, 19, NULL, "fine: started processes alive: " },
		{ "process-flood", spawns, 19, "process-flood.min-starts=18", "low/high: " },
		/* A list of files, a build, and what stops in the middle. */
		{ "process-flood", spawns_for_files, 200, NULL, "fine: |not the same ones" },
		{ "process-flood", spawns_by_make, 200, NULL, "fine: |for a list of jobs" },
		{ "process-flood", spawns_at_first, 200, NULL, "fine: |not the same ones" },
		{ "process-flood", spawns_that_fail, 256, NULL,
			"|processes a second: true, which use 12 % CPU and fail (exit status 1) "
			"|" },
		{ "process-flood", spawns_that_fail, 11, NULL,
			"|, which use 12 % CPU and are killed by signal 11 |" },
		{ "process-flood", spawns_that_fail, 0, NULL, "|, which use 12 % CPU |" },
		{ "process-flood", spawns_seldom_that_fail, 6, NULL,
			"low/high: |true, which use 1 % CPU and fail (exit status 1) |" },
		{ "process-flood", spawns_seldom_that_fail, 3, NULL, "fine: " },
		{ "process-flood", spawns_pairs_that_fail, 8, NULL, "low/high: " },
		{ "process-flood", spawns_pairs_that_fail, 6, NULL, "fine: " },
		{ "process-flood", spawns_that_fail_differently, 512, NULL,
			"|, which use 12 % CPU and fail |" },
		{ "process-flood", spawns_that_fail_at_times, 256, NULL,
			"|, which use 12 % CPU |" },
		{ "process-flood", spawns_several, 4, NULL, "low/high: |, which use 12 % CPU" },
		{ "process-flood", spawns_several, 5, NULL, "fine: |not the same ones" },
		/* Few of each are a loop over lines; many of each, a loop that asks again. */
		{ "process-flood", spawns_by_shell, 2.4, "process-flood.min-starts=2",
			"low/high: |<bash (99) starts programs for each line or item" },
		{ "process-flood", spawns_by_shell, 60, NULL,
			"low/high: |<find the loop in bash (99)" },
		{ "process-flood", copies_itself, 200, NULL, "fine: |not the same ones" },
		/* Ten others are ready to run, and two processors. */
		{ "process-flood", spawns_in_a_crowd, 2, NULL, "fine: " },
		{ "process-flood", spawns_in_a_crowd, 10, NULL, "low/high: |4 threads share" },
		{ "process-flood", pauses_in_a_crowd, 49, NULL, "low/high: |4 threads share" },
		{ "process-flood", pauses_in_a_crowd, 50, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* The same command, or another for each file. */
static void fails(double each_s, const char *name, const char *starter, const char *arguments)
{
	ended_with = 256;
	starts_of_programs(each_s, &name, 1, starter, arguments, false);
	ended_with = 0;
}

/* Copies of the process, or children of a shell: before they become another program. */
static void copies_fail(double in_shell)
{
	ended_with = 127 << 8;
	runs = in_shell > 0 ? "/bin/bash" : runs;
	starts_of_programs(1, &(const char *){ "thing" }, 1, "thing", NULL, false);
	ended_with = 0;
}

static void curl_fails(double code)
{
	static const char *const curl[] = { "curl" };

	ended_with = (uint32_t)code << 8;
	starts_of_programs(1, curl, 1, "thing", "curl", false);
	ended_with = 0;
}

static void git_fails(double is_query)
{
	static const char query[] = "git\0-C\0/tmp\0rev-parse\0--show-toplevel",
			  fetch[] = "git\0-C\0/tmp\0fetch";
	static const char *const git[] = { "git" };

	ended_with = 128 << 8;
	own_words = is_query ? span_of(query, sizeof(query)) : span_of(fetch, sizeof(fetch));
	starts_of_programs(1, git, 1, "thing", "git", false);
	own_words.size = 0;
	ended_with = 0;
}

static void true_fails(double each_s)
{
	fails(each_s, "true", "thing", "true");
}

static void true_fails_unknown(double each_s)
{
	fails(each_s, "true", "thing", NULL);
}

/* The last line of each, or of some other words. */
static void fails_with_words(double are_other)
{
	last_line = "server is already running (pid 7)";
	has_other_lines = are_other > 0;
	fails(2, "true", "thing", "true");
	last_line = NULL;
}

static void fails_with_first_words(double first)
{
	first_lines = (int)first;
	fails_with_words(0);
	first_lines = 0;
}

static void grep_finds_nothing(double each_s)
{
	fails(each_s, "grep", "thing", "grep");
}

static void fails_for_files(double each_s)
{
	fails(each_s, "true", "thing", "");
}

static void fails_for_make(double each_s)
{
	fails(each_s, "true", "make", "true");
}

static void dies_by(double signal)
{
	ended_with = (uint32_t)signal;
	spawns(2);
	ended_with = 0;
}

static void fails_every_other(double status)
{
	every_other = (uint32_t)status;
	ended_with = 256;
	spawns(2);
	every_other = ended_with = 0;
}

/* The archiver of PostgreSQL says by its title that its command failed, or which segment was last.
 */
static void archives(double fails)
{
	struct proc_process p = {
		.record = head_of(0, PID, PROC_PROCESS), .ppid = 1, .state = 'S', .threads = 1
	};

	struct short_lived_watch watch = { .record = head_of(0, 0, SHORT_LIVED_WATCH) };

	add_source("short_lived");
	RECORD_APPEND(&records, &watch, NULL, 0);
	for (int i = 0; i < LOOKS; i++) {
		struct record_tail tail[] = { put_text(&p.name, "postgres"),
			put_text(&p.arguments, fails ? "postgres: archiver failed on 0001A7   "
						     : "postgres: archiver last was 0001A7") };

		p.record = head_of(i, PID, PROC_PROCESS);
		RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
		all_reported(i);
	}
}

static void test_failing(void **state)
{
	static const struct check_case cases[] = {
		{ "children-failing", curl_fails, 52, NULL,
			"low/high: its children (curl) keep failing, 5 of 5: exit status 52: the "
			"server answered nothing |[command: curl]" },
		{ "children-failing", curl_fails, 56, NULL,
			"low/high: |: exit status 56: the proxy refused the tunnel, or the " },
		{ "children-failing", curl_fails, 0, NULL, "fine: no command fails" },
		{ "children-failing", git_fails, 0, NULL, "|exit status 128: fatal error" },
		{ "children-failing", git_fails, 1, NULL, "fine: no command fails" },
		{ "children-failing", archives, 1, NULL,
			"medium/high: its archive_command keeps failing: 0001A7 is not archived, "
			"|" },
		{ "children-failing", archives, 0, NULL, "fine: no command fails" },
		{ "children-failing", true_fails, 2, NULL,
			"medium/high: its children (true) keep failing, 10 of 10: exit status 1 " },
		{ "children-failing", true_fails, 2, "children-failing.many=11", "low/high: " },
		{ "children-failing", fails_with_words, 0, NULL,
			"|exit status 1; last line of each: \"server is already running (pid 7)\"|"
			"with the same last line: 10|<mend what it says" },
		{ "children-failing", fails_with_first_words, 3, NULL,
			"|; last line of most: \"server is|with the same last line: 7|" },
		{ "children-failing", fails_with_first_words, 5, NULL,
			"|; last line of the latest: \"server is|with the same last line: 5|" },
		{ "children-failing", fails_with_words, 1, NULL,
			"|exit status 1; last line of the latest: \"server |same last line: 1|" },
		{ "children-failing", true_fails, 0.6, NULL, "low/medium: |3 of 3" },
		{ "children-failing", true_fails, 0.6, "children-failing.min-failures=4",
			"fine: " },
		/* Different commands may each have a reason; an answer is no failure. */
		{ "children-failing", fails_for_files, 2, NULL, "fine: no command fails" },
		{ "children-failing", fails_for_make, 2, NULL, "fine: no command fails" },
		{ "children-failing", grep_finds_nothing, 2, NULL, "fine: no command fails" },
		{ "children-failing", true_fails_unknown, 0.8, NULL, "low/medium: |4 of 4" },
		{ "children-failing", true_fails_unknown, 0.6, NULL, "fine: no command fails" },
		/* SIGSEGV is its own doing, SIGTERM is not. */
		{ "children-failing", copies_fail, 0, NULL,
			"|5 of 5: exit status 127: it could not start its command [" },
		{ "children-failing", copies_fail, 1, NULL,
			"|5 of 5: exit status 127: command not found [" },
		{ "children-failing", dies_by, 11, NULL, "|keep failing, 10 of 10: SIGSEGV " },
		{ "children-failing", dies_by, 15, NULL, "fine: no command fails" },
		{ "children-failing", fails_every_other, 512, NULL,
			"|10 of 10: exit status 1 |[other exit statuses: 5 of 10]" },
		{ "children-failing", spawns_that_fail, 256, NULL,
			"fine: children fail: reported as process-flood" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zombies),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_starts),
		cmocka_unit_test(test_failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
