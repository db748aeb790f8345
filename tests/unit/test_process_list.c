/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of processes as people see it, of made-up hosts: which rows, in which order, as a
 * tree, whom thresholds flag; and records that no honest writer makes.
 */
#include "shown.h"

#include <errno.h>

#include "analyze/activity/activity.h"
#include "analyze/answer/first_answers.h"
#include "analyze/processes/process_list.h"
#include "analyze/processes/processes.h"
#include "base/units.h"
#include "probes/proc.h"

#define CLAUDE "/home/me/.local/share/claude/versions/2.1.50"

static void add_host(void)
{
	struct stream_segment s = { .record = { .time_ns = 1, .kind = STREAM_SEGMENT },
		.memory_bytes = 1000 << 20,
		.ticks_per_s = 100,
		.realtime_offset_ns = (int64_t)(1700000000 * NS_PER_S) };

	RECORD_APPEND(&records, &s, NULL, 0);
}

struct made {
	uint32_t pid, ppid, uid;
	uint64_t start_ticks; /* 0: by the pid */
	uint64_t rss_mb;
	char state;
	const char *name, *executable, *group;
	uint64_t cpu_ms; /* used between the readings */
	const char *command;
	size_t command_size;
	uint8_t descriptors_state;
};

static void add_at(struct made m, uint64_t time_ns, uint64_t cpu_ns)
{
	struct proc_process p = { .record = { .time_ns = time_ns,
					  .pid = m.pid,
					  .start_ticks = m.start_ticks ? m.start_ticks : m.pid,
					  .kind = PROC_PROCESS },
		.ppid = m.ppid,
		.uid = m.uid,
		.session = m.pid,
		.state = m.state ? m.state : 'S',
		.cpu_ns = cpu_ns,
		.rss_bytes = m.rss_mb << 20,
		.descriptors_state = m.descriptors_state,
		.threads = 1 };
	const char *name = m.name ? m.name : "sh";
	const char *executable = m.executable ? m.executable : "/bin/sh";
	const char *group = m.group ? m.group : "/";
	struct record_tail tail[] = { { &p.name, name, strlen(name) },
		{ &p.executable, executable, strlen(executable) },
		{ &p.arguments, m.command ? m.command : name,
			m.command ? m.command_size : strlen(name) + 1 },
		{ &p.directory, "/home/me/work", 13 }, { &p.control_group, group, strlen(group) },
		{ &p.user, "me", 2 } };

	RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
}

static void add(struct made m)
{
	add_at(m, 100 * NS_PER_S, 0);
	add_at(m, 101 * NS_PER_S, m.cpu_ms * NS_PER_MS);
}

/* A session with a tool call, and a bystander. */
static void add_session(void)
{
	add_host();
	add((struct made){ .pid = 1, .name = "init" });
	add((struct made){ .pid = 10,
		.ppid = 1,
		.name = "2.1.50",
		.executable = CLAUDE,
		.rss_mb = 300,
		.cpu_ms = 250 });
	add((struct made){ .pid = 12, .ppid = 10, .name = "bash", .rss_mb = 3 });
	add((struct made){ .pid = 14, .ppid = 12, .name = "make", .cpu_ms = 900, .rss_mb = 20 });
	add((struct made){ .pid = 13, .ppid = 12, .name = "tee" });
	add((struct made){ .pid = 20, .ppid = 1, .name = "cron", .uid = 7 });
}

static const char *show(const struct processes_options *options, const char *format)
{
	return show_view("ps", "processes", options, format);
}

static void test_agents(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS };

	(void)state;
	add_session();
	assert_string_equal(show(&o, "csv"),
		"pid,ppid,cpu_percent,mem_percent,rss_bytes,state,elapsed_time,role,agent,version,"
		"project,flags,activity_since_s,activity_text\r\n"
		"10,1,25.0,30.0,314572800,S,01:41,main,claude,2.1.50,work,,100,"
		"\"runs a tool: make (pid 14), 90 % CPU\"\r\n");
}

static void test_tree(void **state)
{
	struct processes_options o = {
		.shown = PROCESSES_SESSIONS, .is_tree = true, .columns = "name,pid,role,cpu_percent"
	};

	(void)state;
	add_session();
	assert_true(has(show(&o, "text"), "NAME     PID ROLE CPU%\n"
					  "2.1.50    10 main 25.0\n"
					  "`-bash    12 tool  0.0\n"
					  "  |-make  14 tool 90.0\n"
					  "  `-tee   13 tool  0.0\n"));
	o.sort = sooth_schema_field(&process_row_schema, "name");
	o.is_descending = true;
	assert_true(has(show(&o, "text"), "  |-tee   13 tool  0.0\n"
					  "  `-make  14 tool 90.0\n"));
	o.shown = PROCESSES_ALL;
	assert_true(has(show(&o, "text"), "NAME       PID ROLE CPU%\n"
					  "init         1 -     0.0\n"
					  "|-cron      20 -     0.0\n"
					  "`-2.1.50    10 main 25.0\n"));
}

static void test_chosen(void **state)
{
	static const uint32_t pids[] = { 12 };
	struct processes_options o = { .pids = pids, .pid_count = 1, .columns = "pid" };

	(void)state;
	add_session();
	assert_string_equal(show(&o, "csv"), "pid\r\n12\r\n");
	o.is_tree = true;
	assert_string_equal(show(&o, "csv"), "pid\r\n12\r\n14\r\n13\r\n");
	o = (struct processes_options){ .has_uid = true, .uid = 7, .columns = "pid" };
	assert_string_equal(show(&o, "csv"), "pid\r\n20\r\n");
	o.agent = "codex";
	assert_string_equal(show(&o, "csv"), "pid\r\n");
}

/* The stream says whom of the host somebody meant. */
static void test_chosen_by_the_stream(void **state)
{
	struct stream_target t = { .record = { .time_ns = 1, .kind = STREAM_TARGET } };
	struct processes_options o = { .shown = PROCESSES_AGENTS, .columns = "pid" };
	uint32_t pid = 20;
	struct record_tail tail[] = { { &t.selector, "host", 4 }, { &t.pids, &pid, sizeof(pid) } };

	(void)state;
	add_session();
	RECORD_APPEND(&records, &t, tail, 2);
	assert_string_equal(show(&o, "csv"), "pid\r\n20\r\n");
}

static void test_unknown_pid(void **state)
{
	static const uint32_t pids[] = { 4711 };
	struct processes_options o = { .pids = pids, .pid_count = 1 };
	struct block block;
	struct sooth_report *r;
	struct sooth_error err;

	(void)state;
	add_session();
	block = block_of(&records, BLOCK_RECORDS, 0);
	r = report_into(&shown, "ps", "processes", &o, "json");
	assert_int_equal(report_block(r, &block, &err), 0);
	assert_int_equal(sooth_report_finish(r, &err), -ESRCH);
	assert_int_equal(err.fault, SOOTH_FAULT_NOT_FOUND);
	assert_true(has(err.tried, "4711"));
	sooth_report_free(r);
}

static void test_thresholds(void **state)
{
	struct processes_options o = { .cpu_over_percent = 50,
		.rss_over_bytes = 100 << 20,
		.columns = "pid,flags,is_over_threshold" };

	(void)state;
	add_session();
	assert_string_equal(show(&o, "csv"),
		"pid,flags,is_over_threshold\r\n14,CPU,true\r\n10,MEM,true\r\n"
		"12,,false\r\n1,,false\r\n13,,false\r\n20,,false\r\n");
	assert_true(has(show(&o, "json"), "\"over_threshold\": 2"));
	/* Exactly at it is not over it. */
	o.cpu_over_percent = 90;
	o.rss_over_bytes = 300 << 20;
	assert_true(has(show(&o, "json"), "\"over_threshold\": 0"));
}

/* One look has no CPU: nobody is said to be under its threshold; that of memory is known. */
static void test_thresholds_unmeasured(void **state)
{
	struct processes_options o = {
		.cpu_over_percent = 50, .shown = PROCESSES_ALL, .columns = "pid,is_over_threshold"
	};

	(void)state;
	add_host();
	add_at((struct made){ .pid = 1, .rss_mb = 2 }, 100 * NS_PER_S, 0);
	add_at((struct made){ .pid = 2, .rss_mb = 300 }, 100 * NS_PER_S, 0);
	assert_true(has(show(&o, "json"), "\"over_threshold\": null"));
	assert_true(has(show(&o, "json"), "processes above the CPU threshold"));
	assert_false(has(show(&o, "json"), "\"is_over_threshold\": false"));
	o.rss_over_bytes = 100 << 20;
	assert_true(has(show(&o, "json"), "\"over_threshold\": null"));
	assert_true(has(show(&o, "json"), "\"is_over_threshold\": true"));
	o.cpu_over_percent = 0;
	assert_true(has(show(&o, "json"), "\"over_threshold\": 1"));
	assert_true(has(show(&o, "json"), "\"is_over_threshold\": false"));
	assert_false(has(show(&o, "json"), "processes above the CPU threshold"));
}

/* Rows without a value come last, whichever way the others stand. */
static void test_order(void **state)
{
	struct processes_options o = { .columns = "pid" };

	(void)state;
	add_host();
	add((struct made){ .pid = 1, .rss_mb = 2 });
	add((struct made){ .pid = 2, .rss_mb = 1, .executable = CLAUDE });
	add((struct made){ .pid = 3, .rss_mb = 3 });
	o.sort = sooth_schema_field(&process_row_schema, "rss_bytes");
	assert_string_equal(show(&o, "csv"), "pid\r\n2\r\n1\r\n3\r\n");
	o.is_descending = true;
	assert_string_equal(show(&o, "csv"), "pid\r\n3\r\n1\r\n2\r\n");
	o.sort = sooth_schema_field(&process_row_schema, "version");
	assert_string_equal(show(&o, "csv"), "pid\r\n2\r\n1\r\n3\r\n");
	o.is_descending = false;
	assert_string_equal(show(&o, "csv"), "pid\r\n2\r\n1\r\n3\r\n");
}

static void test_session(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS };
	const char *json;

	(void)state;
	add_session();
	json = show(&o, "json");
	assert_true(has(json, "\"sessions\": [\n    {\n      \"pid\": 10,\n      \"agent\": "
			      "\"claude\",\n      \"project\": \"work\",\n"));
	assert_true(has(json, "\"processes\": 4,\n      \"tools\": 1,\n      \"mcp_servers\": 0,\n"
			      "      \"cpu_percent\": 115.0,"));
}

static void test_container(void **state)
{
	struct processes_options o = { .columns = "pid,container,user" };

	(void)state;
	add_host();
	add((struct made){ .pid = 1, .group = "/docker/0123456789abcdef0123456789abcdef" });
	add((struct made){ .pid = 2, .group = "/user.slice" });
	assert_string_equal(
		show(&o, "csv"), "pid,container,user\r\n1,docker 0123456789ab,me\r\n2,,me\r\n");
}

/* A process that a session left behind. */
static void add_orphan(uint32_t pid)
{
	static const char command[] = "/usr/bin/tail\0-f\0/dev/null";
	static const char markers[] = "CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=4f1c\0CLAUDE_PID=11\0"
				      "CLAUDE_CODE_EXECPATH";
	struct proc_snapshot snapshot = { .record = { .time_ns = 102 * NS_PER_S,
						  .kind = PROC_SNAPSHOT },
		.from_ns = 101 * NS_PER_S,
		.is_of_host = 1 };
	struct proc_ties t = { .record = { .time_ns = 101 * NS_PER_S,
				       .pid = pid,
				       .start_ticks = pid,
				       .kind = PROC_LINKS },
		.pid_namespace = 1,
		.inner_pid = pid,
		.stream = { PROC_STREAM_NULL, PROC_STREAM_PIPE, PROC_STREAM_PIPE } };
	struct record_tail tail[] = { { &t.markers, markers, sizeof(markers) } };

	add((struct made){ .pid = pid,
		.ppid = 1,
		.name = "tail",
		.command = command,
		.command_size = sizeof(command) });
	RECORD_APPEND(&records, &t, tail, 1);
	RECORD_APPEND(&records, &snapshot, NULL, 0);
}

/* A process left of a session is listed although it is no agent, with the reason in words. */
static void test_orphan(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS,
		.columns = "pid,flags,session_reason" };
	const char *text;

	(void)state;
	add_session();
	add_orphan(30);
	text = show(&o, "text");
	assert_true(has(text, "\n 30 ORPHANED "));
	assert_true(has(text,
		"\n1 orphaned: left running by a session that ended; to end: sooth kill 30\n"));
	assert_false(has(text, "session 4f1c"));
	assert_false(has(text, "\n 20 "));
	assert_true(has(show(&o, "json"), "\"reason\": \"session 4f1c"));
	assert_true(has(show(&o, "json"), "\"orphaned_count\": 1,"));
	assert_true(has(shown.data, "\"is_orphaned\": true,"));
	assert_false(has(shown.data, "\"orphaned_reason\": \"\""));
}

/* In text a row says whose it is and what it runs; data has no such agent. */
static void test_owner(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS,
		.columns = "pid,agent,flags,activity_since_s,activity_text",
		.is_for_people = true };

	(void)state;
	add_session();
	add_orphan(30);
	assert_true(has(show(&o, "text"), "\n 30 (claude) ORPHANED 1m41s tail -f /dev/null\n"));
	o.is_for_people = false;
	assert_true(has(show(&o, "csv"), "\r\n30,,ORPHANED,,\r\n"));
}

/* The text of a terminal, with -v or without. */
static const char *show_wide(const struct processes_options *o, unsigned width, bool is_verbose)
{
	struct sooth_sink_options sink = {
		.size = sizeof(sink), .width = width, .is_verbose = is_verbose
	};
	struct sooth_report *r;
	struct sooth_error err;

	text_free(&shown);
	text_open(&shown);
	sink.stream = shown.stream;
	assert_int_equal(sooth_report_new(&r, "ps", &err), 0);
	assert_int_equal(sooth_report_add_view(r, "processes", o, &err), 0);
	assert_int_equal(sooth_report_add_sink(r, "text", &sink, &err), 0);
	return show_report(r, "text");
}

/* No line below the table is about a column that is not in it, or about a source that would
 * measure the same; with -v they are. */
static void test_footnotes(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS,
		.columns = "pid,executable,open_files,activity_text" };
	struct stream_source s = { .record = { .time_ns = 1, .kind = STREAM_SOURCE } };
	struct record_tail tail[] = { { &s.probe, "proc", 4 }, { &s.backend, "procfs", 6 },
		{ &s.fallback_reason, "bpf: no", 7 } };
	static const char reason[] = "? = unknown: permission denied";
	const char *text;

	(void)state;
	add_session();
	RECORD_APPEND(&records, &s, tail, ARRAY_SIZE(tail));
	for (int i = 0; i < 2; i++)
		add_at((struct made){ .pid = 60,
			       .ppid = 1,
			       .executable = CLAUDE,
			       .descriptors_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) },
			(100 + (uint64_t)i) * NS_PER_S, 0);
	text = show_wide(&o, 200, false);
	assert_true(has(text, "FILES") && has(text, reason));
	assert_false(has(text, "procfs"));
	text = show_wide(&o, 36, false);
	assert_false(has(text, "FILES") || has(text, reason) || has(text, "no room for"));
	text = show_wide(&o, 36, true);
	assert_true(has(text, "no room for: FILES") && has(text, "bpf: no"));
	assert_false(has(text, reason));
}

/* More processes of one kind than a line names. */
static void test_problem_of_many(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS };

	(void)state;
	add_session();
	for (uint32_t pid = 31; pid <= 40; pid++)
		add((struct made){ .pid = pid, .ppid = 12, .state = 'T' });
	assert_true(has(show(&o, "text"), "\n10 frozen: stopped; to resume: sooth thaw --any "
					  "31 32 33 34 35 36 37 38\n"));
}

/* --- the order of the table --- */

static void add_status(uint32_t pid, const char *status, uint64_t for_s)
{
	uint64_t utc_ns = 1700000000 * NS_PER_S + 101 * NS_PER_S - for_s * NS_PER_S;
	struct proc_session s = { .record = { .time_ns = 101 * NS_PER_S,
					  .start_ticks = pid,
					  .pid = pid,
					  .kind = PROC_SESSION },
		.changed_utc_ns = utc_ns,
		.turn_state = SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT),
		.call_state = SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT) };
	struct record_tail tail[] = { { &s.status, status, strlen(status) } };

	RECORD_APPEND(&records, &s, tail, 1);
}

static void add_agent(struct made m, const char *status, uint64_t for_s)
{
	m.ppid = 1;
	m.executable = CLAUDE;
	add(m);
	add_status(m.pid, status, for_s);
}

static void test_urgent_first(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS,
		.columns = "pid,urgency,flags",
		.sort = sooth_schema_field(&process_row_schema, "urgency") };

	(void)state;
	add_host();
	add((struct made){ .pid = 1, .name = "init" });
	add_agent((struct made){ .pid = 40, .cpu_ms = 40 }, "idle", 20);
	add_agent((struct made){ .pid = 41, .cpu_ms = 10 }, "waiting", 5);
	add_agent((struct made){ .pid = 42 }, "waiting", 50);
	add_agent((struct made){ .pid = 43, .state = 'T' }, "idle", 20);
	add_agent((struct made){ .pid = 44, .cpu_ms = 450 }, "idle", 20);
	add_orphan(30);
	assert_string_equal(show(&o, "csv"),
		"pid,urgency,flags\r\n42,needs_you,NEEDS-YOU\r\n41,needs_you,NEEDS-YOU\r\n"
		"43,sick,FROZEN\r\n44,idle,\r\n40,idle,\r\n30,left_over,ORPHANED\r\n");
	assert_true(has(show(&o, "json"), "\"flags\": \"NEEDS-YOU\""));
	/* By CPU use, where nobody chose an order. */
	o.sort = NULL;
	assert_true(has(show(&o, "csv"), "flags\r\n44,idle,\r\n40,idle,\r\n41,"));
}

static struct sooth_field *by_urgency(void)
{
	return (struct sooth_field *)sooth_schema_field(&process_row_schema, "urgency");
}

/* What a diagnosis says first stands below the row of a session, which comes first with it: of its
 * own process or of a tool. */
static void test_answer(void **state)
{
	static const char *const lines[] = { "PID AGENT", " 41 claude",
		"  ! sleep 42 (tool of claude 41, work): stopped by ", " 42 -", " 43 claude",
		"  ! claude 43 (work): stopped by SIGSTOP", " 40 claude", "2 frozen" };
	struct processes_options o = { .shown = PROCESSES_AGENTS,
		.columns = "pid,agent",
		.sort = by_urgency(),
		.answers = first_answers_new(NULL) };
	struct stream_source source = { .record = { .time_ns = 1, .kind = STREAM_SOURCE } };
	struct record_tail probe = { &source.probe, "proc", 4 };
	struct cursor c;

	(void)state;
	add_host();
	RECORD_APPEND(&records, &source, &probe, 1);
	add((struct made){ .pid = 1, .name = "init" });
	add_agent((struct made){ .pid = 40, .cpu_ms = 40 }, "idle", 20);
	add_agent((struct made){ .pid = 41, .cpu_ms = 20 }, "idle", 20);
	add((struct made){ .pid = 42, .ppid = 41, .name = "sleep", .state = 'T' });
	add_agent((struct made){ .pid = 43, .state = 'T' }, "idle", 20);
	show(&o, "text");
	c = cursor_over(shown.data, strlen(shown.data));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct span line = cursor_line(&c);

		if (!span_contains(line, lines[i]))
			fail_msg("no \"%s\" in \"%.*s\"", lines[i], (int)line.size, line.data);
	}
	first_answers_free(o.answers);
	o.answers = first_answers_new(NULL);
	show(&o, "json");
	assert_true(has(shown.data, "\"finding\": \"claude 43 (work): stopped by SIGSTOP"));
	assert_true(has(shown.data, "\"finding\": null"));
	first_answers_free(o.answers);
}

/* Text has columns for branch and task where a session has one; a shared report has neither. */
static void test_task(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS, .is_for_people = true };
	struct proc_session s = { .record = { .time_ns = 101 * NS_PER_S,
					  .start_ticks = 40,
					  .pid = 40,
					  .kind = PROC_SESSION } };
	struct record_tail tail[] = { { &s.branch, "topic", 5 }, { &s.task, "mend it", 7 } };

	(void)state;
	add_host();
	add((struct made){ .pid = 40, .executable = CLAUDE });
	assert_false(has(show(&o, "text"), "TASK"));
	RECORD_APPEND(&records, &s, tail, 2);
	assert_true(has(show(&o, "text"), "BRANCH TASK"));
	assert_true(has(shown.data, "topic  mend it"));
	o.is_for_people = false;
	assert_false(has(show(&o, "csv"), "mend it"));
	assert_true(has(show(&o, "json"), "\"task\": \"mend it\""));
	assert_true(has(show(&o, "redacted"), "\"task\": \"task-1\""));
	assert_false(has(shown.data, "topic"));
}

static enum urgency urgent(struct activity a)
{
	const char *flag;
	enum urgency urgency = urgency_of_activity(&a, &flag);

	assert_int_equal(!strcmp(flag, "SILENT"), urgency == URGENCY_SILENT);
	return urgency;
}

/* Silence counts only where it was measured, and once it lasts. */
static void test_silence(void **state)
{
	struct activity model = { .state = ACTIVITY_WAITS_FOR_MODEL,
		.has_since = true,
		.since_ns = 900 * NS_PER_S,
		.silence_ns = 29 * NS_PER_S };
	struct activity tool = { .state = ACTIVITY_RUNS_TOOL,
		.is_silent_cpu = true,
		.has_output = true,
		.output_ns = 60 * NS_PER_S };

	(void)state;
	assert_int_equal(urgent(model), URGENCY_MODEL);
	model.has_silence = true;
	model.answer = ACTIVITY_ANSWER_SILENT;
	assert_int_equal(urgent(model), URGENCY_MODEL);
	model.silence_ns += NS_PER_S;
	assert_int_equal(urgent(model), URGENCY_SILENT);
	model.answer = ACTIVITY_ANSWER_AWAITED;
	assert_int_equal(urgent(model), URGENCY_MODEL);
	assert_int_equal(urgent(tool), URGENCY_SILENT);
	tool.output_ns--;
	assert_int_equal(urgent(tool), URGENCY_TOOL);
	tool.output_ns++;
	tool.output_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	assert_int_equal(urgent(tool), URGENCY_TOOL);
	tool.output_state = 0;
	tool.is_silent_cpu = false;
	assert_int_equal(urgent(tool), URGENCY_TOOL);
}

/* Noise of the CPU use moves no row; the length of work neither. */
static void test_loudest_first(void **state)
{
	struct urgency_rank a = { URGENCY_COMPUTES, 10, 61 }, b = { URGENCY_COMPUTES, 99, 64 };

	(void)state;
	assert_int_equal(urgency_compare(a, b), 0);
	b.cpu_percent = 65;
	assert_true(urgency_compare(a, b) > 0);
	a.urgency = b.urgency = URGENCY_SILENT;
	assert_true(urgency_compare(a, b) > 0);
	a.since_s = 100;
	assert_true(urgency_compare(a, b) < 0);
	b.urgency = URGENCY_SICK;
	assert_true(urgency_compare(a, b) > 0);
}

/* Another user's, that may not be read: no agents is not said without them. */
static void add_unknown(uint32_t pid, uint32_t uid)
{
	struct proc_process p = { .record = { .time_ns = 100 * NS_PER_S,
					  .pid = pid,
					  .start_ticks = pid,
					  .kind = PROC_PROCESS },
		.ppid = 1,
		.uid = uid,
		.session = pid,
		.state = 'S',
		.vsz_bytes = 1 << 20,
		.threads = 1,
		.is_brief = 1,
		.executable_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) };
	struct record_tail tail[] = { { &p.name, "lost", 4 } };

	RECORD_APPEND(&records, &p, tail, 1);
}

static void test_unknown(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS };
	const char *out;

	(void)state;
	add_session();
	add_unknown(40, 7);
	add_unknown(41, 8);
	out = show(&o, "json");
	assert_true(has(out, "\"what\": \"2 unreadable processes\""));
	assert_false(has(out, "\"name\": \"lost\""));
	o.has_uid = true;
	o.uid = 8;
	assert_true(has(show(&o, "json"), "\"what\": \"1 unreadable process\""));
	o.uid = 9;
	assert_false(has(show(&o, "json"), "unreadable process"));
	assert_true(has(shown.data, "\"orphaned_count\": 0,"));
	o.has_uid = false;
	o.shown = PROCESSES_ALL;
	assert_true(has(show(&o, "json"), "\"name\": \"lost\""));
	assert_true(has(shown.data, "\"flags\": \"permission denied\""));
}

/* Parents in a ring, of the same moment, themselves, and chains without end: every process is
 * listed once. */
static void test_hostile_parents(void **state)
{
	struct processes_options o = { .is_tree = true, .columns = "pid" };
	const char *csv;
	size_t lines = 0;

	(void)state;
	add_host();
	add((struct made){ .pid = 1, .ppid = 2, .start_ticks = 5 });
	add((struct made){ .pid = 2, .ppid = 3, .start_ticks = 5 });
	add((struct made){ .pid = 3, .ppid = 1, .start_ticks = 5, .executable = CLAUDE });
	add((struct made){ .pid = 4, .ppid = 4 });
	for (uint32_t pid = 5; pid < 3000; pid++)
		add((struct made){ .pid = pid, .ppid = pid - 1 });
	csv = show(&o, "csv");
	for (const char *at = csv; (at = strstr(at, "\r\n")); at++)
		lines++;
	assert_int_equal(lines, 3000);
	assert_true(has(show(&o, "text"), "total of 2999: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unknown),
		TEST(test_agents),
		TEST(test_tree),
		TEST(test_chosen),
		TEST(test_chosen_by_the_stream),
		TEST(test_unknown_pid),
		TEST(test_thresholds),
		TEST(test_thresholds_unmeasured),
		TEST(test_order),
		TEST(test_session),
		TEST(test_container),
		TEST(test_orphan),
		TEST(test_owner),
		TEST(test_footnotes),
		TEST(test_problem_of_many),
		TEST(test_urgent_first),
		TEST(test_answer),
		TEST(test_task),
		TEST(test_silence),
		TEST(test_loudest_first),
		TEST(test_hostile_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
