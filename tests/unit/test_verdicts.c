/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that should not be there, each beside a twin in which nothing is wrong. */
#include "process_table_records.h"

#define MARKS_X		  "CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x\0CLAUDE_PID=200\0CLAUDE_CODE_EXECPATH"
#define MARKS_MCP_X	  "CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x\0CLAUDE_PROJECT_DIR"
#define MARKS_CODEX	  "CODEX_THREAD_ID=t\0CODEX_TOOL_CALL_ID=q"
#define TASKS		  "/tmp/claude-0/p/s/tasks/1.output"
#define VERSIONS_OF(home) home "/.local/share/claude/versions/"
#define REFUSED		  SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
#define MAIN_X                                                                                     \
	{                                                                                          \
		200, 1, .executable = CLAUDE, .name = "claude", .id = "sess-x"                     \
	}

/* --- orphaned --- */

/* Killed: the tool call's shell and what it started, below whoever reaps. */
static void test_orphaned(void **state)
{
	(void)state;
	HOST({ 50, 1, .name = "systemd" }, { 60, 1, .name = "reaper" },
		{ 300, 1, .name = "bash", .stream = AT_FILE, .output = TASKS,
			.markers = T(MARKS_X) },
		{ 310, 300, .session = 300, .stream = AT_FILE, .output = TASKS,
			.markers = T(MARKS_X) },
		{ 320, 50, .stream = AT_FILE, .output = TASKS, .markers = T(MARKS_X) },
		{ 330, 60, .stream = AT_FILE, .output = TASKS, .markers = T(MARKS_X) },
		{ 340, 60, .pid_namespace = 5, .inner_pid = 9, .stream = AT_SOCKETS,
			.markers = T("OPENCODE=1\0OPENCODE_PID=3") });
	assert_holds(300, VERDICT_ORPHANED,
		"session sess-x is gone: main process 200 is not running; now a child of systemd "
		"(1)");
	assert_holds(310, VERDICT_ORPHANED, "descends from bash (300), now a child of systemd (1)");
	assert_holds(320, VERDICT_ORPHANED, "now a child of systemd (50)");
	assert_holds(330, VERDICT_ORPHANED, "now a child of reaper (60)");
	assert_holds(340, VERDICT_ORPHANED, "its opencode session is gone: main process 3");
	assert_role(300, AGENT_ROLE_TOOL);
	assert_not(300, VERDICT_DAEMON);
	assert_string_equal(said(&the(310)->session_id), "sess-x");
}

static void test_not_orphaned(void **state)
{
	(void)state;
	HOST(MAIN_X, { 300, 200, .stream = AT_FILE, .output = TASKS, .markers = T(MARKS_X) },
		/* Its shell has ended, the session goes on. */
		{ 310, 1, .session = 305, .stream = AT_FILE, .output = TASKS,
			.markers = T(MARKS_X) },
		{ 320, 1, .stream = AT_PIPES });
	assert_not(300, VERDICT_ORPHANED);
	assert_not(310, VERDICT_ORPHANED);
	assert_not(310, VERDICT_DAEMON);
	assert_no_query(320, VERDICT_ORPHANED);
}

/* On a busy machine, or with its arguments on a dead mount: it may be the main process. */
static void test_somebody_was_not_read(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = NODE,
		     .arguments_state = SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED) },
		{ 150, 1, .stream = AT_FILE, .output = TASKS, .markers = T(MARKS_X) },
		{ 300, 200, .stream = AT_FILE, .output = TASKS,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-y") });
	assert_holds(150, VERDICT_ORPHANED, "reused");
	assert_doubted(300, VERDICT_ORPHANED, "older process could not be read");
}

static void test_pid_given_anew(void **state)
{
	(void)state;
	HOST({ 200, 1, .start = 70000, .executable = CLAUDE, .id = "other" },
		{ 300, 1, .stream = AT_FILE, .output = TASKS, .markers = T(MARKS_X) });
	assert_holds(300, VERDICT_ORPHANED, "its pid was reused");
}

/* Another user's, seen without privilege: it may be what an agent left, and its like is none. */
static void test_who_may_not_be_read(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = CLAUDE, .name = "claude",
		     .markers_state = REFUSED }, /* what started it? */
		{ 210, 1, .executable = CLAUDE, .name = "claude", .markers_state = REFUSED,
			.is_foreground = true },
		{ 220, 1, .executable = CLAUDE, .name = "claude" },
		{ 300, 1, .name = "bash", .executable_state = REFUSED, .without_inputs = true },
		{ 301, 1, .name = "bash", .executable_state = REFUSED, .without_inputs = true,
			.state = 'Z' },
		{ 302, 1, .name = "kworker", .executable_state = REFUSED, .without_inputs = true,
			.is_of_kernel = true },
		{ 303, 1, .name = "bash", .without_inputs = true,
			.executable_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED) },
		{ 304, 1, .name = "bash" });
	assert_doubted(300, VERDICT_ORPHANED, "sooth may not read");
	assert_doubted(300, VERDICT_DAEMON, "sooth may not read");
	assert_doubted(300, VERDICT_ABANDONED, "sooth may not read");
	assert_true(process_table_is_unknown(the(300)));
	for (uint32_t pid = 301; pid < 305; pid++) {
		assert_no_query(pid, VERDICT_ORPHANED);
		assert_false(process_table_is_unknown(the(pid)));
	}
	assert_no_query(1, VERDICT_ORPHANED);
	assert_doubted(200, VERDICT_ORPHANED, "sooth may not read the environment");
	assert_not(210, VERDICT_ORPHANED);
	assert_not(220, VERDICT_ORPHANED);
}

/* A process at sockets is a server, another one a helper, and an unreadable one neither. */
static void test_role_that_may_not_be_read(void **state)
{
	(void)state;
	HOST(MAIN_X,
		{ 300, 200, .session = 200, .stream_state = REFUSED, .markers_state = REFUSED },
		{ 301, 300, .session = 200, .stream_state = REFUSED, .markers_state = REFUSED },
		{ 310, 200, .session = 200, .stream = AT_SOCKETS },
		{ 320, 200, .session = 200, .stream = AT_NULL },
		/* A status line and a hook have sessions of their own as well. */
		{ 330, 200, .stream = AT_NULL, .markers_state = REFUSED });
	for (uint32_t pid = 300; pid <= 301; pid++) {
		assert_false(the(pid)->has_role);
		assert_int_equal(process_table_role_state(the(pid)), REFUSED);
		assert_not(pid, VERDICT_ORPHANED);
		assert_doubted(pid, VERDICT_ABANDONED, "MCP server");
	}
	assert_role(310, AGENT_ROLE_MCP);
	assert_role(320, AGENT_ROLE_HELPER);
	assert_int_equal(process_table_role_state(the(330)), REFUSED);
}

/* --- left on purpose --- */

static void test_left_on_purpose(void **state)
{
	(void)state;
	HOST(/* setsid -f server >log 2>&1 </dev/null */
		{ 300, 1, .stream = AT_FILE, .output = "/x/server.log", .markers = T(MARKS_X) },
		/* daemon(3), and a worker that talks to it by pipes */
		{ 310, 1, .stream = AT_NULL, .markers = T(MARKS_X) },
		{ 311, 310, .session = 310, .stream = AT_PIPES, .markers = T(MARKS_X) },
		/* tmux, and a shell in a terminal of its own */
		{ 320, 1, .name = "tmux", .stream = AT_NULL, .markers = T(MARKS_X) },
		{ 321, 320, .stream = AT_TERMINAL, .terminal = 34817, .markers = T(MARKS_X) },
		/* nohup x >log & in the session of a tool call */
		{ 330, 1, .name = "bash", .stream = AT_FILE, .output = TASKS,
			.markers = T(MARKS_X) },
		{ 331, 1, .session = 330, .is_hangup_ignored = true, .stream = AT_FILE,
			.output = "/x/nohup.out", .markers = T(MARKS_X) },
		/* forked twice, at home in "/" */
		{ 340, 1, .session = 339, .stream = AT_NULL, .directory = "/",
			.markers = T(MARKS_X) },
		/* cut off from its parent, in the session of one that left */
		{ 350, 1, .session = 310, .stream = AT_PIPES, .markers = T(MARKS_X) });
	assert_holds(300, VERDICT_DAEMON,
		"left running on purpose: the process has its own process session, output to "
		"/x/server.log");
	assert_not(300, VERDICT_ORPHANED);
	assert_holds(310, VERDICT_DAEMON, "the process has its own process session, no output");
	assert_holds(311, VERDICT_DAEMON, "");
	assert_holds(320, VERDICT_DAEMON, "");
	assert_holds(321, VERDICT_DAEMON, "");
	assert_holds(331, VERDICT_DAEMON, "the process ignores SIGHUP, output to /x/nohup.out");
	assert_holds(330, VERDICT_ORPHANED, "");
	assert_holds(340, VERDICT_DAEMON, "");
	assert_holds(350, VERDICT_DAEMON, "");
	assert_not(350, VERDICT_ORPHANED);
}

static void test_left_by_accident(void **state)
{
	(void)state;
	HOST({ 300, 1, .name = "bash", .stream = AT_FILE, .output = TASKS, .markers = T(MARKS_X) },
		/* server >log & in a tool call */
		{ 301, 300, .session = 300, .stream = AT_FILE, .output = "/x/log",
			.markers = T(MARKS_X) },
		/* nohup x &: what it says still goes to the tool call's file */
		{ 302, 300, .session = 300, .is_hangup_ignored = true, .stream = AT_FILE,
			.output = TASKS, .markers = T(MARKS_X) },
		/* Codex and opencode make sessions of their own for tools. */
		{ 310, 1, .stream = { PROC_STREAM_NULL, PROC_STREAM_PIPE, PROC_STREAM_PIPE },
			.markers = T(MARKS_CODEX) },
		{ 320, 1, .stream = { PROC_STREAM_NULL, PROC_STREAM_SOCKET, PROC_STREAM_SOCKET },
			.markers = T("OPENCODE=1\0OPENCODE_PID=33") },
		/* setsid, but talking to the terminal */
		{ 330, 1, .stream = AT_TERMINAL, .markers = T(MARKS_X) });
	assert_holds(300, VERDICT_ORPHANED, "");
	assert_holds(301, VERDICT_ORPHANED, "");
	assert_holds(302, VERDICT_ORPHANED, "");
	assert_holds(310, VERDICT_ORPHANED, "session t is gone: no main process is here, and no");
	assert_holds(320, VERDICT_ORPHANED, "");
	assert_holds(330, VERDICT_ORPHANED, "");
}

/* The shell of the call has ended: a job of it, or a daemon that forked twice. */
static void test_left_nobody_knows_how(void **state)
{
	(void)state;
	HOST({ 300, 1, .session = 299, .stream = AT_FILE, .output = "/x/log",
		     .markers = T(MARKS_X) },
		{ 310, 1, .stream_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION),
			.markers = T(MARKS_X) },
		{ 320, 1, .session = 319, .stream = AT_FILE, .output = TASKS,
			.markers = T(MARKS_X) });
	assert_doubted(300, VERDICT_ORPHANED, "on purpose");
	assert_doubted(300, VERDICT_DAEMON, "on purpose");
	assert_doubted(310, VERDICT_ORPHANED, "could not be read");
	assert_holds(320, VERDICT_ORPHANED, "");
}

/* --- abandoned --- */

static void test_abandoned(void **state)
{
	(void)state;
	HOST({ 300, 1, .session = 200, .stream = AT_SOCKETS, .is_input_closed = true,
		     .markers = T(MARKS_MCP_X) },
		{ 310, 1, .session = 200, .stream = AT_SOCKETS, .writers = { 310, 311 },
			.markers = T(MARKS_MCP_X) },
		{ 311, 310, .session = 200, .stream = AT_PIPES, .markers = T(MARKS_MCP_X) },
		/* held by another leftover */
		{ 320, 1, .session = 200, .stream = AT_SOCKETS, .writers = { 300 },
			.markers = T(MARKS_MCP_X) },
		/* no markers at all; a name, and an input that has ended */
		{ 330, 1, .executable = "/usr/bin/python3", .stream = AT_PIPES,
			.is_input_closed = true, .arguments = T("python3\0-m\0mcp_server_git") },
		{ 340, 1, .session = 200, .stream = AT_PIPES, .writers_state = SOOTH_STATE_ABSENT,
			.writer_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION),
			.markers = T(MARKS_MCP_X) });
	assert_role(300, AGENT_ROLE_MCP);
	assert_holds(300, VERDICT_ABANDONED, "no process has the other end");
	assert_holds(310, VERDICT_ABANDONED, "only the server itself");
	/* The process that it started has an input of its own. */
	assert_role(311, AGENT_ROLE_MCP);
	assert_no_query(311, VERDICT_ABANDONED);
	assert_holds(320, VERDICT_ABANDONED, "leftovers");
	assert_holds(330, VERDICT_ABANDONED, "");
	assert_string_equal(said(&the(330)->role_name), "mcp_server_git");
	assert_null(the(330)->owner_agent);
	assert_doubted(340, VERDICT_ABANDONED, "standard input is unknown");
}

static void test_not_abandoned(void **state)
{
	(void)state;
	HOST(MAIN_X,
		{ 300, 200, .session = 200, .stream = AT_SOCKETS, .writers = { 200 },
			.markers = T(MARKS_MCP_X) },
		/* reparented, for its runner has ended, and well all the same */
		{ 310, 1, .session = 200, .stream = AT_SOCKETS, .writers = { 200, 310 },
			.markers = T(MARKS_MCP_X) },
		/* of a session, below another's: whoever looked did not look for writers */
		{ 320, 200, .session = 200, .stream = AT_SOCKETS,
			.writers_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED),
			.markers = T(MARKS_MCP_X) },
		{ 330, 1, .executable = "/usr/bin/python3", .stream = AT_PIPES, .writers = { 50 },
			.arguments = T("python3\0-m\0mcp_server_git") },
		{ 50, 1, .name = "editor" },
		{ 340, 1, .executable = "/usr/bin/python3", .stream = AT_PIPES,
			.is_input_closed = true, .arguments = T("python3\0-m\0http.server") },
		/* only its own child has a copy of the other end */
		{ 360, 200, .session = 200, .stream = AT_SOCKETS, .writers = { 361 },
			.markers = T(MARKS_MCP_X) },
		{ 361, 360, .session = 200, .markers = T(MARKS_MCP_X) },
		/* the main process has let go of it */
		{ 350, 200, .session = 200, .stream = AT_SOCKETS, .is_input_closed = true,
			.markers = T(MARKS_MCP_X) });
	assert_not(300, VERDICT_ABANDONED);
	assert_not(310, VERDICT_ABANDONED);
	assert_in(310, 200, PROCESS_LINK_SESSION);
	assert_role(310, AGENT_ROLE_MCP);
	assert_not(320, VERDICT_ABANDONED);
	assert_not(330, VERDICT_ABANDONED);
	assert_no_query(340, VERDICT_ABANDONED);
	assert_holds(350, VERDICT_ABANDONED, "");
	assert_not(350, VERDICT_ORPHANED);
	assert_holds(360, VERDICT_ABANDONED, "only the server itself");
}

/* --- generations --- */

#define SERVER(pid_, parent_, session_, ...)                                                       \
	{                                                                                          \
		pid_, parent_, .session = session_, .stream = AT_SOCKETS,                          \
			       .executable = "/x/files", .root = "/home/me/p",                     \
			       .arguments = T("files\0a"), __VA_ARGS__                             \
	}

static void test_generations(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = OPENCODE, .root = "/home/me/p", .id = "x" },
		SERVER(310, 1, 9, .is_input_closed = true,
			.markers = T("OPENCODE=1\0OPENCODE_PID=190")),
		SERVER(320, 200, 200, .markers = T("OPENCODE=1\0OPENCODE_PID=200")),
		SERVER(330, 200, 200, .markers = T("OPENCODE=1\0OPENCODE_PID=200")));
	assert_string_equal(said(&the(310)->role_name), "files");
	assert_holds(310, VERDICT_GENERATION, "process 1 of 3 that run the server files");
	assert_holds(320, VERDICT_GENERATION,
		"process 2 of 3 that run the server files for this project; process 330");
	assert_not(330, VERDICT_GENERATION);
	assert_int_equal(verdict_generation(&process_table, the(330)).number, 3);
	assert_int_equal(verdict_generation(&process_table, the(330)).count, 3);
	assert_no_query(200, VERDICT_GENERATION);
}

static void test_no_generations(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = OPENCODE, .root = "/home/me/p", .id = "x" },
		{ 201, 1, .executable = OPENCODE, .root = "/home/me/p", .id = "y" },
		{ 202, 1, .executable = OPENCODE, .root = "/home/me/q", .id = "z" },
		{ 203, 1, .executable = OPENCODE, .root = "/home/me/p", .id = "u", .uid = 1001 },
		/* two sessions, one each */
		SERVER(310, 200, 200, .writers = { 200 }),
		SERVER(320, 201, 201, .writers = { 201 }),
		/* another project, another user */
		SERVER(330, 202, 202, .is_input_closed = true),
		SERVER(340, 203, 203, .uid = 1001, .is_input_closed = true),
		/* one session, two settings of one server */
		{ 350, 200, .session = 200, .stream = AT_SOCKETS, .executable = "/x/files",
			.writers = { 200 }, .arguments = T("files\0b") },
		/* the oldest, in a checkout of the same name elsewhere */
		{ 204, 1, .start = 5, .executable = OPENCODE, .root = "/home/me/else/p",
			.id = "w" },
		SERVER(360, 204, 204, .start = 6, .is_input_closed = true));
	assert_string_equal(said(&the(360)->project), said(&the(310)->project));
	for (uint32_t i = 310; i <= 360; i += 10)
		assert_not(i, VERDICT_GENERATION);
	assert_int_equal(verdict_generation(&process_table, the(320)).count, 1);
	assert_int_equal(verdict_generation(&process_table, the(350)).count, 1);
}

/* --- zombies, versions, files --- */

static void test_zombies(void **state)
{
	static const struct made before[] = { { 1, 0, .start = 1 }, MAIN_X,
		{ 300, 200, .state = 'Z', .time_ns = NS_PER_S } };
	static const struct made after[] = { { 1, 0, .start = 1, .time_ns = 8 * NS_PER_S },
		{ 200, 1, .executable = CLAUDE, .name = "claude", .time_ns = 8 * NS_PER_S },
		{ 300, 200, .state = 'Z', .time_ns = 8 * NS_PER_S },
		{ 310, 200, .state = 'Z', .time_ns = 8 * NS_PER_S } };
	static const struct made later[] = { { 310, 200, .state = 'Z',
		.time_ns = 8 * NS_PER_S + NS_PER_S / 5 } };

	(void)state;
	make(before, ARRAY_SIZE(before));
	make(after, ARRAY_SIZE(after));
	make(later, ARRAY_SIZE(later)); /* "for at least 0 s" would say nothing */
	take_all();
	assert_holds(300, VERDICT_ZOMBIE, "not reaped by its parent claude (200) for at least 7 s");
	assert_holds(310, VERDICT_ZOMBIE, "not reaped by its parent claude (200)");
	assert_false(has(judged(310, VERDICT_ZOMBIE).why, "at least"));
	assert_not(200, VERDICT_ZOMBIE);
	assert_no_query(300, VERDICT_ORPHANED);
	assert_no_query(300, VERDICT_DELETED);
}

/* Its main process was seen, and is a zombie now: the server is one still. */
static void test_server_of_a_zombie(void **state)
{
	static const char markers[] = "CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=4f1c\0CLAUDE_CODE_"
				      "ENTRYPOINT=cli\0CLAUDE_PROJECT_DIR";
	struct made host[] = { { 1, 0, .start = 1, .name = "systemd" },
		{ 200, 1, .executable = CLAUDE, .name = "claude", .id = "4f1c", .time_ns = 1 },
		{ 210, 200, .name = "server", .session = 200, .stream = AT_SOCKETS, .time_ns = 1,
			.markers = { markers, sizeof(markers) } } };

	(void)state;
	make(host, ARRAY_SIZE(host));
	make_snapshot(1, true, false);
	take_all();
	assert_role(210, AGENT_ROLE_MCP);
	for (size_t i = 0; i < ARRAY_SIZE(host); i++)
		host[i].time_ns = 5 * NS_PER_S;
	host[1].state = 'Z';
	host[2].ppid = 1;
	host[2].is_input_closed = true;
	make(host, ARRAY_SIZE(host));
	make_snapshot(4 * NS_PER_S, true, false);
	take_all();
	assert_role(210, AGENT_ROLE_MCP);
	assert_holds(210, VERDICT_ABANDONED, "no process has the other end");
}

static void test_frozen(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = CLAUDE, .name = "claude", .state = 'T' },
		{ 210, 200, .name = "bash" }, { 220, 200, .name = "gone", .state = 'Z' });
	assert_holds(200, VERDICT_FROZEN, "stopped by a signal; resume with: sooth thaw");
	assert_no_query(220, VERDICT_FROZEN);
	/* Where it was not told nothing is claimed. */
	assert_int_equal(judged(210, VERDICT_FROZEN).state & 15, SOOTH_STATE_NOT_MEASURED);
	the(210)->process->frozen = PROC_FROZEN_NO;
	assert_not(210, VERDICT_FROZEN);
	the(210)->process->frozen = PROC_FROZEN_YES;
	assert_holds(210, VERDICT_FROZEN, "the control group of the process is frozen");
}

static void test_versions(void **state)
{
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = { { "2.1.328", "2.1.50", 1 }, { "2.1.50", "2.1.50", 0 }, { "2.1", "2.1.0", 0 },
		{ "10.0", "9.9", 1 }, { "9.9.9-rc.1", "9.9.9", -1 },
		{ "1.0.0-rc.2", "1.0.0-rc.10", -1 }, { "2026.01.02-abc", "2026.01.03-aaa", -1 },
		{ "1.2+build", "1.2", 0 },
		{ "99999999999999999999999", "99999999999999999999998", 1 }, { "1.02", "1.2", 0 },
		{ "", "", 0 }, { "1", "", 1 }, { "1.2-x.3", "1.2.3", -1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span a = span_of(cases[i].a, strlen(cases[i].a));
		struct span b = span_of(cases[i].b, strlen(cases[i].b));

		if (version_compare(a, b) != cases[i].order ||
			version_compare(b, a) != -cases[i].order)
			fail_msg("%s and %s: %d", cases[i].a, cases[i].b, version_compare(a, b));
	}
}

static void test_outdated(void **state)
{
	struct span newest;

	(void)state;
	make_installed_at(ME, "claude", "2.1.328", VERSIONS_OF("/home/me") "2.1.328");
	make_installed(ME, "claude", "2.1.9");
	make_installed(1001, "claude", "9.9.9");
	make_installed(UINT32_MAX, "opencode", "1.18.33");
	make_installed_at(1002, "claude", "1.0.128", VERSIONS_OF("/z") "1.0.128");
	make_installed(ME, "nobody-knows", "1");
	make_unread(1003, true);
	make_unread(1004, true);
	make_unread(1004, false);
	make_installed(1003, "claude", "2.1.60");
	make_installed(1004, "claude", "2.1.60");
	HOST({ 200, 1, .executable = CLAUDE },
		{ 210, 1, .executable = "/home/me/.local/share/claude/versions/2.1.328" },
		{ 220, 1, .executable = "/usr/local/bin/claude" },
		{ 230, 1, .executable = "/usr/local/bin/claude", .id_version = "2.1.1" },
		{ 240, 1, .executable = CODEX, .package = "@openai/codex",
			.package_version = "0.169.0" },
		{ 250, 1, .executable = OPENCODE, .package = "opencode-ai",
			.package_version = "1.18.40" },
		{ 260, 1, .executable = OPENCODE, .package = "opencode-ai",
			.package_version = "1.18.4" },
		{ .pid = 270, .ppid = 200 },
		/* Where versions are installed one counts that only runs; elsewhere, or once its
		 * file is gone, it does not. */
		{ 280, 1, .uid = 1002, .executable = "/x/.local/share/claude/versions/2.0.1" },
		{ 281, 1, .uid = 1002, .executable = "/x/.local/share/claude/versions/2.0.2" },
		{ 282, 1, .uid = 1002, .executable = "/x/.local/share/claude/versions/2.0.3",
			.is_deleted = true },
		{ 283, 1, .uid = 1002, .executable = "/y/.local/share/claude/versions/1.0.9" },
		{ 284, 1, .uid = 1002, .executable = "/z/.local/share/claude/versions/1.0.128" },
		/* A container has its own. */
		{ 290, 1, .uid = 1001, .pid_namespace = 7, .inner_pid = 3,
			.executable = "/x/.local/share/claude/versions/3.0.1" },
		{ 291, 1, .uid = 1001, .pid_namespace = 7, .inner_pid = 4,
			.executable = "/x/.local/share/claude/versions/3.0.0" },
		{ 292, 1, .uid = 1001, .pid_namespace = 8, .inner_pid = 3,
			.executable = "/usr/bin/claude", .id_version = "3.0.0" },
		{ 300, 1, .uid = 1003, .executable = "/usr/bin/claude", .id_version = "2.1.60" },
		{ 301, 1, .uid = 1003, .executable = "/usr/bin/claude", .id_version = "2.1.9" },
		{ 302, 1, .uid = 1004, .executable = "/usr/bin/claude", .id_version = "2.1.60" });
	/* A home that could not be read may have a newer one; an older one is older all the same.
	 */
	assert_doubted(300, VERDICT_OUTDATED, "reading the installed versions timed out");
	assert_holds(301, VERDICT_OUTDATED, "newer 2.1.60 is installed");
	assert_not(302, VERDICT_OUTDATED);
	assert_holds(200, VERDICT_OUTDATED, "runs 2.1.50; newer 2.1.328");
	assert_not(210, VERDICT_OUTDATED);
	assert_doubted(220, VERDICT_OUTDATED, "the version of the running agent is not known");
	assert_holds(230, VERDICT_OUTDATED, "runs 2.1.1;");
	/* Nothing newer is known, but nothing is known at all. */
	assert_doubted(240, VERDICT_OUTDATED, "no installed version of Codex");
	assert_not(250, VERDICT_OUTDATED);
	assert_holds(260, VERDICT_OUTDATED, "newer 1.18.33 is installed");
	assert_holds(280, VERDICT_OUTDATED, "runs 2.0.1; newer 2.0.2");
	/* Other files of that folder were not searched. */
	assert_doubted(281, VERDICT_OUTDATED, "did not search the folder of this installation");
	assert_doubted(282, VERDICT_OUTDATED, "did not search the folder");
	/* Only versions that are reported as installed count in other folders. */
	assert_holds(283, VERDICT_OUTDATED, "runs 1.0.9; newer 1.0.128");
	assert_not(284, VERDICT_OUTDATED);
	assert_doubted(290, VERDICT_OUTDATED, "did not search the folder of this installation");
	assert_holds(291, VERDICT_OUTDATED, "runs 3.0.0; newer 3.0.1");
	assert_doubted(292, VERDICT_OUTDATED, "no installed version of Claude Code");
	assert_no_query(270, VERDICT_OUTDATED);
	newest = verdict_newest(&process_table, the(200)->agent, ME);
	assert_true(span_equal(newest, "2.1.328"));
	newest = verdict_newest(&process_table, the(200)->agent, 1001);
	assert_true(span_equal(newest, "9.9.9"));
	newest = verdict_newest(&process_table, the(250)->agent, 1001);
	assert_true(span_equal(newest, "1.18.33"));
	assert_int_equal(process_table.installed.size / sizeof(struct process_table_installed), 7);
}

/* Where versions were looked for nothing newer is there; elsewhere nobody knows. */
static void test_looked_for(void **state)
{
	(void)state;
	make_installed_at(ME, "claude", "2.1.50", CLAUDE);
	make_installed_at(1002, "claude", "2.1.10", VERSIONS_OF("/home/you") "2.1.10");
	make_installed_at(UINT32_MAX, "opencode", "1.18.33", "/usr/lib/node_modules/opencode-ai");
	HOST({ 200, 1, .executable = CLAUDE },
		/* Started with another home: by its user, and by another one (sudo). */
		{ 210, 1, .executable = VERSIONS_OF("/tmp/home") "2.1.60" },
		{ 211, 1, .executable = VERSIONS_OF("/tmp/home") "2.1.40" },
		{ 220, 1, .uid = 1001, .executable = CLAUDE },
		{ 221, 1, .uid = 1001, .executable = VERSIONS_OF("/home/me") "2.1.40",
			.is_deleted = true },
		/* Its folder has that path as well, behind another mount. */
		{ 230, 1, .uid = 1002, .executable = VERSIONS_OF("/home/you") "2.1.60" },
		/* An update took its file away since. */
		{ 240, 1, .executable = CLAUDE, .is_deleted = true },
		/* In a container it has the same path, and another file. */
		{ 250, 1, .pid_namespace = 7, .inner_pid = 3, .executable = CLAUDE },
		/* For everybody. */
		{ 260, 1, .uid = 1001, .executable = OPENCODE, .package = "opencode-ai",
			.package_version = "1.18.33" });
	assert_not(200, VERDICT_OUTDATED);
	assert_doubted(210, VERDICT_OUTDATED, "did not search the folder of this installation");
	assert_holds(211, VERDICT_OUTDATED, "runs 2.1.40; newer 2.1.60");
	assert_not(220, VERDICT_OUTDATED);
	assert_doubted(230, VERDICT_OUTDATED, "did not search the folder of this installation");
	assert_not(240, VERDICT_OUTDATED);
	assert_doubted(250, VERDICT_OUTDATED, "did not search the folder of this installation");
	assert_not(260, VERDICT_OUTDATED);
}

static void test_deleted(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = CLAUDE, .is_deleted = true }, { 210, 1, .executable = CLAUDE },
		{ 220, 1, .executable = "/memfd:program", .is_deleted = true });
	assert_holds(200, VERDICT_DELETED, "removed or replaced");
	assert_no_query(220, VERDICT_DELETED);
	assert_not(210, VERDICT_DELETED);
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VERDICTS; i++)
		assert_true(strlen(verdict_name(i)) > 3);
	assert_string_equal(verdict_name(VERDICT_ORPHANED), "orphaned");
	assert_string_equal(verdict_name(VERDICTS), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_orphaned),
		TEST(test_not_orphaned),
		TEST(test_somebody_was_not_read),
		TEST(test_pid_given_anew),
		TEST(test_who_may_not_be_read),
		TEST(test_role_that_may_not_be_read),
		TEST(test_left_on_purpose),
		TEST(test_left_by_accident),
		TEST(test_left_nobody_knows_how),
		TEST(test_abandoned),
		TEST(test_not_abandoned),
		TEST(test_generations),
		TEST(test_no_generations),
		TEST(test_zombies),
		TEST(test_server_of_a_zombie),
		TEST(test_frozen),
		TEST(test_versions),
		TEST(test_outdated),
		TEST(test_looked_for),
		TEST(test_deleted),
		TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
