/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose session a process is in, what it does there, and what is known of the session. */
#include "process_table_records.h"

#include "analyze/process_table/server_name.h"

#define MARKS_X	    "CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x\0CLAUDE_PID=200\0CLAUDE_CODE_EXECPATH"
#define MARKS_MCP_X "CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x\0CLAUDE_PROJECT_DIR"
#define SHELL                                                                                      \
	{                                                                                          \
		100, 1, .name = "bash", .session = 100, .terminal = 34816                          \
	}
#define MAIN_X                                                                                     \
	{                                                                                          \
		200, 100, .name = "claude", .executable = CLAUDE, .session = 100,                  \
			  .terminal = 34816, .id = "sess-x", .root = "/home/me/sooth",             \
			  .arguments = T("claude")                                                 \
	}
#define TOOL_X                                                                                     \
	{                                                                                          \
		300, 200, .name = "bash", .stream = AT_FILE,                                       \
			  .output = "/tmp/claude-0/p/s/tasks/1.output", .markers = T(MARKS_X)      \
	}

/* --- trees --- */

static void test_ancestors(void **state)
{
	(void)state;
	HOST(SHELL, MAIN_X, TOOL_X, { 310, 300, .session = 300, .markers = T(MARKS_X) },
		{ 400, 100, .session = 100 });
	assert_in(200, 200, PROCESS_LINK_SELF);
	assert_role(200, AGENT_ROLE_MAIN);
	assert_in(300, 200, PROCESS_LINK_ANCESTOR);
	assert_role(300, AGENT_ROLE_TOOL);
	assert_in(310, 200, PROCESS_LINK_ANCESTOR);
	assert_role(310, AGENT_ROLE_TOOL);
	assert_ptr_equal(the(310)->player, the(300));
	assert_string_equal(said(&the(310)->session_id), "sess-x");
	assert_string_equal(said(&the(310)->project), "sooth");
	/* Beside the agent, not of it. */
	assert_null(the(400)->owner_agent);
	assert_null(the(100)->owner_agent);
	assert_false(the(400)->has_role);
	assert_int_equal(the(400)->session_state, SOOTH_STATE_ABSENT);
	assert_no_query(400, VERDICT_ORPHANED);
	assert_not(310, VERDICT_ORPHANED);
}

static void test_parent_that_is_younger(void **state)
{
	(void)state;
	HOST(SHELL, MAIN_X, { 300, 200, .start = 50 });
	assert_null(the(300)->parent);
	assert_null(the(300)->owner_agent);
}

static void test_cycles(void **state)
{
	(void)state;
	HOST({ 10, 11, .start = 7 }, { 11, 12, .start = 7 }, { 12, 10, .start = 7 },
		{ 13, 13, .start = 7 }, { 14, 12, .start = 8, .executable = CLAUDE });
	assert_in(14, 14, PROCESS_LINK_SELF);
	assert_true(!the(10)->parent || !the(11)->parent || !the(12)->parent);
	assert_null(the(13)->parent);
}

static void test_deep(void **state)
{
	enum { DEPTH = 60000 };

	(void)state;
	for (uint32_t i = 1; i <= DEPTH; i++) {
		struct made m = { i, i - 1, .start = i, .without_inputs = true };

		m.executable = i == 2 ? CLAUDE : NULL;
		make(&m, 1);
	}
	make_snapshot(1, true, false);
	take_all();
	assert_in(DEPTH, 2, PROCESS_LINK_ANCESTOR);
}

static void test_two_of_one_pid(void **state)
{
	(void)state;
	HOST({ 20, 1, .start = 5, .executable = CLAUDE }, { 20, 1, .start = 9 },
		{ 30, 20, .start = 10 });
	assert_null(the(30)->owner_agent);
}

/* --- markers --- */

static void test_markers_of_living(void **state)
{
	(void)state;
	HOST(SHELL, MAIN_X, { 300, 1, .markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x") },
		{ 310, 300, .session = 300 },
		{ 320, 1, .markers = T("CLAUDECODE=1\0CLAUDE_PID=200") },
		{ 330, 1, .markers = T("OPENCODE=1\0OPENCODE_PID=335") });
	assert_in(300, 200, PROCESS_LINK_SESSION);
	assert_in(310, 200, PROCESS_LINK_SESSION);
	assert_in(320, 200, PROCESS_LINK_PID);
	assert_not(300, VERDICT_ORPHANED);
	assert_not(310, VERDICT_ORPHANED);
	assert_not(320, VERDICT_ORPHANED);
}

/* Anybody can write another user's session into a variable or a file; root may have any. */
static void test_session_of_another_user(void **state)
{
	(void)state;
	HOST(SHELL, MAIN_X,
		{ 300, 1, .uid = 1234,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x") },
		{ 310, 1, .uid = UINT32_MAX,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x") });
	assert_null(the(300)->main);
	assert_in(310, 200, PROCESS_LINK_SESSION);
}

/* Who has ended is gone, also while nobody has asked for it. */
static void test_main_that_is_a_zombie(void **state)
{
	(void)state;
	HOST({ 200, 1, .state = 'Z', .executable = "" },
		{ 201, 1, .state = 'Z', .executable = CLAUDE, .id = "sess-y" },
		{ 300, 1, .markers = T("CLAUDECODE=1\0CLAUDE_PID=200") },
		{ 310, 1, .markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-y") },
		{ 320, 1, .stream = AT_PIPES, .writers = { 201 } });
	assert_true(the(300)->is_main_gone);
	assert_true(has(said(&the(300)->gone), "main process 200 has ended"));
	assert_true(the(310)->is_main_gone);
	assert_true(has(said(&the(310)->gone), "seen to end"));
	assert_null(the(320)->owner_agent);
}

/* The session goes on in another process, which started later: it has not started this one. */
static void test_resumed(void **state)
{
	(void)state;
	HOST(SHELL, { 300, 1, .markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x") },
		{ 500, 100, .executable = CLAUDE, .id = "sess-x" });
	assert_true(the(300)->is_main_gone);
	assert_null(the(300)->main);
}

static void test_pid_markers(void **state)
{
	(void)state;
	HOST({ 200, 1, .start = 90000, .name = "other" }, { 201, 1, .start = 5, .name = "old" },
		{ 300, 1, .markers = T("CLAUDECODE=1\0CLAUDE_PID=200") },
		{ 310, 1, .markers = T("CLAUDECODE=1\0CLAUDE_PID=201") },
		{ 320, 1, .markers = T("CLAUDECODE=1\0CLAUDE_PID=202") },
		{ 330, 1, .markers = T("CLAUDECODE=1\0CLAUDE_PID=99999999999999999999") });
	assert_true(the(300)->is_main_gone);
	assert_true(
		has(said(&the(300)->gone), "main process 200 has ended and its pid was reused"));
	/* It may be an agent that no rule knows. */
	assert_false(the(310)->is_main_gone);
	assert_true(has(said(&the(310)->doubt), "not recognized as Claude Code"));
	assert_true(the(320)->is_main_gone);
	/* Not a pid: only that it is Claude Code's is known. */
	assert_int_equal(the(330)->link, PROCESS_LINK_KIND);
}

static void test_pid_namespaces(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = CLAUDE, .id = "a", .pid_namespace = 7, .inner_pid = 8 },
		{ 8, 1, .start = 4, .executable = CLAUDE, .id = "b" },
		{ 300, 1, .pid_namespace = 7, .inner_pid = 30,
			.markers = T("CLAUDECODE=1\0CLAUDE_PID=8") },
		{ 310, 1, .markers = T("CLAUDECODE=1\0CLAUDE_PID=8") },
		{ 320, 1, .pid_namespace = 9, .inner_pid = 3,
			.markers = T("CLAUDECODE=1\0CLAUDE_PID=7777") },
		{ 330, 1, .pid_namespace = 9, .inner_pid = 4,
			.markers = T("CLAUDECODE=1\0CLAUDE_PID=8") },
		{ 340, 1, .namespace_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION),
			.markers = T("CLAUDECODE=1\0CLAUDE_PID=7777") });
	assert_in(300, 200, PROCESS_LINK_PID);
	assert_in(310, 8, PROCESS_LINK_PID);
	assert_true(the(320)->is_main_gone);
	/* In a sandbox with pids of its own the marker is of the namespace outside. */
	assert_false(the(330)->is_main_gone);
	assert_doubted(330, VERDICT_ORPHANED, "another pid namespace");
	assert_doubted(340, VERDICT_ORPHANED, "unknown pid namespace");
}

/* Nothing in the environment but whose it is. */
static void test_kind_and_more(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = CLAUDE, .id = "sess-a" },
		{ 210, 1, .executable = CLAUDE, .id = "sess-b" },
		{ 220, 1, .executable = NODE, .package = "@google/gemini-cli",
			.arguments = T("node\0/r/gemini") },
		{ 221, 220, .executable = NODE, .session = 220, .group = 220,
			.package = "@google/gemini-cli", .arguments = T("node\0x\0/r/gemini") },
		/* The file that takes its output has the id in its path. */
		{ 300, 1, .stream = AT_FILE, .markers = T("CLAUDECODE=1"),
			.output = "/tmp/claude-0/-w/sess-b/tasks/b1.output" },
		{ 310, 1, .stream = AT_FILE, .markers = T("CLAUDECODE=1"),
			.output = "/tmp/claude-0/-home-me-work/sess-c/tasks/b1.output" },
		{ 320, 1, .stream = AT_FILE, .markers = T("CLAUDECODE=1"),
			.output = "/tmp/sess-b/other/b1.output" },
		/* Its environment goes before the path of its output. */
		{ 330, 1, .stream = AT_FILE, .output = "/t/-w/sess-b/tasks/b1.output",
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-a") },
		/* A server in the group of the launcher; one in a group that nobody leads. */
		{ 340, 1, .session = 220, .group = 220, .markers = T("GEMINI_CLI=1") },
		{ 350, 1, .session = 219, .group = 219, .markers = T("GEMINI_CLI=1") },
		/* The leader is an agent, and another one. */
		{ 360, 1, .group = 200, .markers = T("GEMINI_CLI=1") },
		/* It is older than who has that number now. */
		{ 370, 1, .start = 90, .group = 220, .markers = T("GEMINI_CLI=1") });
	assert_in(300, 210, PROCESS_LINK_SESSION);
	assert_string_equal(said(&the(300)->session_id), "sess-b");
	assert_doubted(310, VERDICT_ORPHANED, "no agent has session sess-c");
	assert_string_equal(said(&the(310)->session_id), "sess-c");
	assert_int_equal(the(320)->link, PROCESS_LINK_KIND);
	assert_in(330, 200, PROCESS_LINK_SESSION);
	assert_in(340, 221, PROCESS_LINK_GROUP);
	assert_not(340, VERDICT_ORPHANED);
	assert_doubted(350, VERDICT_ORPHANED, "agent 221 could have started the process");
	assert_int_equal(the(360)->link, PROCESS_LINK_KIND);
	assert_true(the(370)->is_main_gone);
}

/* A sandbox: its first process has the marker too, so the pid in it is one of outside. */
static void test_marker_from_outside(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = OPENCODE },
		{ 250, 1, .executable = NODE, .package = "@google/gemini-cli",
			.arguments = T("node\0/x/gemini.js") },
		{ 300, 1, .pid_namespace = 7, .inner_pid = 1,
			.markers = T("OPENCODE=1\0OPENCODE_PID=12") },
		{ 301, 1, .pid_namespace = 7, .inner_pid = 2,
			.markers = T("OPENCODE=1\0OPENCODE_PID=12") },
		/* Here it is the marker of somebody inside, who is gone. */
		{ 310, 1, .pid_namespace = 8, .inner_pid = 1 },
		{ 311, 310, .pid_namespace = 8, .inner_pid = 5,
			.markers = T("OPENCODE=1\0OPENCODE_PID=12") },
		/* Who could have had it is younger. */
		{ 320, 1, .start = 10, .pid_namespace = 9, .inner_pid = 1,
			.markers = T("OPENCODE=1\0OPENCODE_PID=12") },
		{ 321, 1, .start = 11, .pid_namespace = 9, .inner_pid = 2,
			.markers = T("OPENCODE=1\0OPENCODE_PID=12") },
		/* The first one cannot be read. */
		{ 330, 1, .pid_namespace = 10, .inner_pid = 1,
			.markers_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) },
		{ 331, 330, .pid_namespace = 10, .inner_pid = 2,
			.markers = T("OPENCODE=1\0OPENCODE_PID=12") },
		/* Only whose it is: the main process may be outside as well. */
		{ 340, 1, .pid_namespace = 11, .inner_pid = 1, .markers = T("GEMINI_CLI=1") },
		{ 341, 1, .pid_namespace = 11, .inner_pid = 2, .markers = T("GEMINI_CLI=1") },
		{ 350, 1, .pid_namespace = 12, .inner_pid = 1 },
		{ 351, 350, .pid_namespace = 12, .inner_pid = 2, .markers = T("GEMINI_CLI=1") });
	assert_doubted(300, VERDICT_ORPHANED, "main process 12 is in an outer pid namespace");
	assert_doubted(301, VERDICT_ORPHANED, "main process 12 is in an outer pid namespace");
	assert_true(the(311)->is_main_gone);
	assert_true(the(321)->is_main_gone);
	assert_true(has(said(&the(321)->gone), "no opencode is old enough"));
	assert_doubted(331, VERDICT_ORPHANED, "in an outer pid namespace");
	assert_doubted(341, VERDICT_ORPHANED, "agent 250 could have started");
	assert_true(the(351)->is_main_gone);
}

static void test_not_everybody_seen(void **state)
{
	static const struct made all[] = { { 1, 0, .start = 1 },
		{ 300, 1, .markers = T("CLAUDECODE=1\0CLAUDE_PID=200") },
		{ 310, 1, .markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=x") },
		{ 320, 1, .markers = T("GEMINI_CLI=1") } };

	static const char *const why[] = { "outside this pid namespace",
		"some processes could not be read" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		make(all, ARRAY_SIZE(all));
		make_snapshot(1, i == 0, i == 0);
		take_all();
		assert_doubted(300, VERDICT_ORPHANED, "not seen");
		assert_doubted(310, VERDICT_ORPHANED, why[i]);
		assert_doubted(320, VERDICT_ORPHANED, why[i]);
	}
}

/* /clear gives the session another id in the same process. */
static void test_cleared(void **state)
{
	(void)state;
	HOST(SHELL, { 200, 100, .executable = CLAUDE, .id = "sess-new", .session = 100 },
		{ 300, 1, .markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-old") },
		{ 310, 1, .stream = AT_SOCKETS, .is_input_closed = true,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-old") },
		{ 320, 1, .stream = AT_SOCKETS, .is_input_closed = true,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-old\0"
				     "CLAUDE_CODE_EXECPATH") },
		{ 150, 1, .markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-old") },
		{ 330, 1, .uid = 1001,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-old") },
		{ 340, 1, .uid = UINT32_MAX,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-old") },
		{ 350, 200, .session = 100, .stream = AT_SOCKETS,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-old") });
	assert_doubted(300, VERDICT_ORPHANED, "but agent 200 could have started");
	/* A server that lives by its input has lost it. */
	assert_true(the(310)->is_main_gone);
	/* A tool call need not. */
	assert_false(the(320)->is_main_gone);
	/* It was there before any Claude Code that is here. */
	assert_true(the(150)->is_main_gone);
	assert_true(the(330)->is_main_gone);
	/* sudo in a tool call. */
	assert_false(the(340)->is_main_gone);
	assert_in(350, 200, PROCESS_LINK_ANCESTOR);
}

static void test_kind_alone(void **state)
{
	(void)state;
	HOST({ 300, 1, .markers = T("GEMINI_CLI=1") }, { 310, 1, .markers = T("CLAUDECODE=1") },
		{ 250, 1, .executable = CLAUDE, .id = "a" },
		/* root becomes anybody */
		{ 260, 1, .executable = OPENCODE, .uid = UINT32_MAX },
		{ 320, 1, .markers = T("OPENCODE=1") });
	assert_true(the(300)->is_main_gone);
	assert_int_equal(the(300)->link, PROCESS_LINK_KIND);
	assert_doubted(310, VERDICT_ORPHANED, "agent 250 could");
	assert_doubted(320, VERDICT_ORPHANED, "agent 260 could");
}

static void test_unreadable_environment(void **state)
{
	(void)state;
	HOST({ 300, 1, .markers_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION),
		.markers = T("GEMINI_CLI=1") });
	assert_null(the(300)->owner_agent);
	assert_no_query(300, VERDICT_ORPHANED);
}

static void test_main_that_was_seen_to_end(void **state)
{
	static const struct made before[] = { { 1, 0, .start = 1 },
		{ 200, 1, .executable = CLAUDE, .id = "sess-x" },
		{ 150, 1, .executable = CLAUDE, .id = "sess-y" } };
	static const struct made after[] = { { 1, 0, .start = 1, .time_ns = 9 * NS_PER_S },
		{ 150, 1, .executable = CLAUDE, .id = "sess-y", .time_ns = 9 * NS_PER_S },
		{ 300, 1, .time_ns = 9 * NS_PER_S,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x") } };

	(void)state;
	make(before, ARRAY_SIZE(before));
	make_snapshot(1, true, false);
	make(after, ARRAY_SIZE(after));
	make_snapshot(8 * NS_PER_S, true, false);
	take_all();
	assert_true(has(said(&the(300)->gone), "main process 200 was seen to end"));
	assert_true(the(300)->is_main_gone);
}

static void test_inputs(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = CODEX, .id = "a" },
		{ 300, 1, .stream = AT_PIPES, .writers = { 300, 200 } },
		{ 310, 1, .stream = AT_PIPES, .writers = { 300 } },
		{ 320, 1, .stream = AT_PIPES, .writers = { 200 },
			.writers_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) });
	assert_in(300, 200, PROCESS_LINK_INPUT);
	assert_null(the(310)->owner_agent);
	assert_null(the(320)->owner_agent);
}

/* --- agents below agents --- */

/* Below another agent's tool call a leftover may be taken over by a process of that session. */
static void test_subreaper_below_an_agent(void **state)
{
	(void)state;
	HOST(SHELL, MAIN_X, TOOL_X, { 310, 300, .session = 300, .markers = T(MARKS_X) },
		{ 400, 310, .session = 400,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=b\0CLAUDE_PID=399") },
		{ 410, 310, .session = 410, .markers = T(MARKS_X "\0CODEX_THREAD_ID=c") },
		{ 420, 310, .markers = T(MARKS_X) });
	assert_true(the(400)->is_main_gone);
	assert_in(410, 200, PROCESS_LINK_ANCESTOR);
	assert_in(420, 200, PROCESS_LINK_ANCESTOR);
}

static void test_agent_run_by_a_tool_call(void **state)
{
	(void)state;
	HOST(SHELL, MAIN_X, TOOL_X,
		{ 400, 300, .session = 300, .executable = OPENCODE, .markers = T(MARKS_X) },
		{ 500, 400, .markers = T(MARKS_X "\0OPENCODE=1\0OPENCODE_PID=400") });
	assert_in(400, 400, PROCESS_LINK_SELF);
	assert_role(400, AGENT_ROLE_MAIN);
	assert_ptr_equal(the(400)->above, the(200));
	assert_in(500, 400, PROCESS_LINK_ANCESTOR);
	assert_role(500, AGENT_ROLE_TOOL);
	assert_not(400, VERDICT_ORPHANED);
}

static void test_main_that_was_left(void **state)
{
	(void)state;
	HOST(SHELL,
		{ 400, 1, .executable = CLAUDE, .session = 399, .stream = AT_PIPES,
			.markers = T(MARKS_X) },
		{ 410, 100, .executable = CLAUDE, .session = 100, .terminal = 34816,
			.is_foreground = true, .markers = T(MARKS_X) },
		/* An SDK says that it is the entrypoint, and is no session. */
		{ 420, 100, .executable = CLAUDE, .session = 100,
			.markers = T("CLAUDE_CODE_ENTRYPOINT=sdk-py") },
		{ 500, 400, .markers = T("CLAUDECODE=1\0CLAUDE_PID=400") });
	assert_holds(400, VERDICT_ORPHANED,
		"main process 200 is not running; now a child of systemd (1)");
	assert_in(400, 400, PROCESS_LINK_SELF);
	assert_not(410, VERDICT_ORPHANED);
	assert_not(420, VERDICT_ORPHANED);
	assert_in(500, 400, PROCESS_LINK_ANCESTOR);
	assert_not(500, VERDICT_ORPHANED);
}

/* --- launchers, daemons, helpers --- */

static void test_codex_launcher(void **state)
{
	(void)state;
	HOST(SHELL,
		{ 200, 100, .executable = NODE, .session = 100, .package = "@openai/codex",
			.arguments = T("node\0/r/codex.js\0exec") },
		{ 210, 200, .executable = CODEX, .session = 100, .id = "t" },
		{ 300, 210, .stream = { PROC_STREAM_NULL, PROC_STREAM_PIPE, PROC_STREAM_PIPE },
			.markers = T("CODEX_THREAD_ID=t\0CODEX_TOOL_CALL_ID=q") },
		{ 310, 210, .session = 100, .stream = AT_PIPES, .executable = "/usr/bin/python3",
			.arguments = T("python3\0/x/mcp_server.py\0files") });
	assert_role(200, AGENT_ROLE_LAUNCHER);
	assert_in(200, 210, PROCESS_LINK_LAUNCHED);
	assert_role(210, AGENT_ROLE_MAIN);
	assert_in(210, 210, PROCESS_LINK_SELF);
	assert_null(the(210)->above);
	assert_string_equal(said(&the(200)->session_id), "t");
	assert_role(300, AGENT_ROLE_TOOL);
	assert_role(310, AGENT_ROLE_MCP);
	assert_string_equal(said(&the(310)->role_name), "mcp_server");
}

/* While the agent is there its daemon is of its session; then it stands for itself. */
static void test_codex_daemon(void **state)
{
	(void)state;
	HOST({ 210, 1, .executable = CODEX },
		{ 220, 210, .executable = CODEX_DAEMON, .stream = AT_NULL },
		{ 230, 220, .markers = T("CODEX_THREAD_ID=t\0CODEX_TOOL_CALL_ID=q") },
		{ 240, 220, .session = 220, .stream = AT_PIPES, .name = "server" },
		{ 620, 1, .executable = "/h2" CODEX_DAEMON, .stream = AT_NULL },
		{ 625, 1, .executable = "/h2" CODEX_DAEMON, .stream = AT_NULL },
		{ 630, 620, .markers = T("CODEX_THREAD_ID=u\0CODEX_TOOL_CALL_ID=q") },
		{ 640, 620, .session = 620, .stream = AT_PIPES, .name = "server" });
	assert_role(220, AGENT_ROLE_DAEMON);
	assert_string_equal(said(&the(210)->session_id), "t");
	assert_in(220, 210, PROCESS_LINK_ANCESTOR);
	assert_in(230, 210, PROCESS_LINK_ANCESTOR);
	assert_role(230, AGENT_ROLE_TOOL);
	assert_role(240, AGENT_ROLE_MCP);
	assert_in(620, 620, PROCESS_LINK_SELF);
	assert_in(625, 620, PROCESS_LINK_KIND);
	assert_role(625, AGENT_ROLE_DAEMON);
	assert_in(630, 620, PROCESS_LINK_ANCESTOR);
	assert_role(630, AGENT_ROLE_TOOL);
	assert_role(640, AGENT_ROLE_MCP);
	assert_string_equal(said(&the(620)->session_id), "u");
	assert_not(620, VERDICT_ORPHANED);
	assert_not(630, VERDICT_ORPHANED);
}

static void test_gemini_launcher(void **state)
{
	(void)state;
	HOST(SHELL,
		{ 200, 100, .executable = NODE, .session = 100, .package = "@google/gemini-cli",
			.arguments = T("node\0/r/gemini\0-p") },
		{ 210, 200, .executable = NODE, .session = 100, .package = "@google/gemini-cli",
			.arguments = T("/usr/bin/node\0--max-old-space-size=9\0/r/gemini\0-p") },
		{ 220, 210, .executable = NODE, .session = 100, .package = "@google/gemini-cli",
			.arguments = T("/usr/bin/node\0--max-old-space-size=9\0/r/gemini\0-p") },
		{ 300, 210, .markers = T("GEMINI_CLI=1"),
			.stream = { PROC_STREAM_NULL, PROC_STREAM_SOCKET, PROC_STREAM_SOCKET } },
		{ 310, 210, .session = 100, .stream = AT_SOCKETS, .markers = T("GEMINI_CLI=1"),
			.name = "srv" });
	assert_role(200, AGENT_ROLE_LAUNCHER);
	assert_in(200, 210, PROCESS_LINK_LAUNCHED);
	assert_role(210, AGENT_ROLE_MAIN);
	/* Forked, about to be something else. */
	assert_role(220, AGENT_ROLE_HELPER);
	assert_in(220, 210, PROCESS_LINK_ANCESTOR);
	assert_role(300, AGENT_ROLE_TOOL);
	assert_role(310, AGENT_ROLE_MCP);
}

/* It starts itself once more with the same arguments, as on node 20: a fork has one thread. */
static void test_qwen_launchers(void **state)
{
	(void)state;
	HOST(SHELL,
		{ 200, 100, .executable = NODE, .session = 100, .package = "@qwen-code/qwen-code",
			.arguments = T("node\0/r/qwen\0-p") },
		{ 210, 200, .executable = NODE, .session = 100, .package = "@qwen-code/qwen-code",
			.arguments = T("/usr/bin/node\0--expose-gc\0/r/cli.js\0-p") },
		{ 220, 210, .executable = NODE, .session = 100, .package = "@qwen-code/qwen-code",
			.threads = 11,
			.arguments = T("/usr/bin/node\0--expose-gc\0/r/cli.js\0-p") },
		{ 300, 220, .markers = T("QWEN_CODE=1"),
			.stream = { PROC_STREAM_NULL, PROC_STREAM_SOCKET, PROC_STREAM_SOCKET } });
	assert_role(210, AGENT_ROLE_LAUNCHER);
	assert_role(220, AGENT_ROLE_MAIN);
	assert_in(200, 220, PROCESS_LINK_LAUNCHED);
	assert_in(300, 220, PROCESS_LINK_ANCESTOR);
	assert_role(300, AGENT_ROLE_TOOL);
}

static void test_helpers(void **state)
{
	(void)state;
	HOST(SHELL, MAIN_X,
		{ 210, 200, .executable = CLAUDE, .session = 100, .arguments = T("rg\0--files") },
		{ 220, 200, .executable = CLAUDE, .session = 100, .arguments = T("claude") },
		{ 230, 200, .executable = CLAUDE, .session = 100, .stream = AT_SOCKETS,
			.arguments = T("claude\0mcp\0serve"), .markers = T(MARKS_MCP_X) },
		{ 240, 200, .executable = CLAUDE, .session = 240, .arguments = T("claude\0-p\0x") },
		{ 250, 200, .executable = CODEX, .session = 100, .stream = AT_SOCKETS,
			.arguments = T("codex\0mcp-server"), .markers = T(MARKS_MCP_X) },
		{ 900, 1, .executable = CLAUDE, .arguments = T("rg\0x") });
	assert_role(210, AGENT_ROLE_HELPER);
	assert_role(220, AGENT_ROLE_HELPER);
	assert_in(220, 200, PROCESS_LINK_ANCESTOR);
	assert_role(230, AGENT_ROLE_MCP);
	assert_in(230, 200, PROCESS_LINK_ANCESTOR);
	assert_role(240, AGENT_ROLE_MAIN);
	assert_ptr_equal(the(240)->above, the(200));
	assert_role(250, AGENT_ROLE_MCP);
	assert_in(250, 200, PROCESS_LINK_ANCESTOR);
	assert_null(the(900)->main);
	assert_doubted(900, VERDICT_ORPHANED, "the agent session of this process is unknown");
}

/* --- roles --- */

static void test_roles_of_claude(void **state)
{
	(void)state;
	HOST(SHELL, MAIN_X,
		{ 301, 200, .stream = AT_SOCKETS,
			.markers = T("CLAUDECODE=1\0CLAUDE_PID=200\0CLAUDE_PROJECT_DIR\0"
				     "CLAUDE_CODE_CHILD_NOTES_DIR") },
		{ 302, 200, .stream = AT_SOCKETS,
			.markers = T("CLAUDECODE=1\0CLAUDE_PID=200\0CLAUDE_PROJECT_DIR") },
		{ 303, 200, .session = 100, .stream = AT_SOCKETS, .name = "rust-analyzer",
			.executable = "/usr/bin/my-lsp",
			.markers = T("CLAUDE_CODE_ENTRYPOINT=cli\0CLAUDE_PLUGIN_ROOT\0"
				     "CLAUDE_PROJECT_DIR") },
		{ 304, 200, .session = 100, .stream = AT_SOCKETS, .markers = T(MARKS_MCP_X) },
		{ 305, 200, .session = 100, .stream = { PROC_STREAM_NULL, PROC_STREAM_SOCKET },
			.executable = "/usr/bin/git", .markers = T("CLAUDE_CODE_ENTRYPOINT=cli") },
		/* The node line: an MCP server, and what only looks like one. */
		{ 306, 200, .session = 100, .stream = AT_SOCKETS, .executable = "/x/files",
			.markers = T("CLAUDE_CODE_ENTRYPOINT=cli") },
		{ 307, 200, .session = 100, .stream = AT_SOCKETS, .executable = NODE,
			.arguments = T("npm view @anthropic-ai/claude-code@latest version"),
			.markers = T("CLAUDE_CODE_ENTRYPOINT=cli") },
		{ 308, 200, .session = 100, .stream = AT_SOCKETS, .executable = "/bin/sh",
			.arguments = T("/bin/sh\0-c\0npm config get prefix"),
			.markers = T("CLAUDE_CODE_ENTRYPOINT=cli") },
		{ 309, 200, .session = 100, .stream = AT_SOCKETS, .executable = "/bin/sh",
			.arguments = T("/bin/sh\0-c\0my-hook"),
			.markers = T("CLAUDE_CODE_ENTRYPOINT=cli\0CLAUDE_PROJECT_DIR") },
		{ 310, 200, .session = 100, .stream = AT_SOCKETS, .executable = "/usr/bin/gopls",
			.markers = T("CLAUDE_CODE_ENTRYPOINT=cli") },
		{ 311, 200, .stream = AT_SOCKETS, .markers = T("SHELL=1") },
		{ 312, 200, .stream = AT_SOCKETS, .markers = T("CLAUDECODE=1") });
	assert_role(301, AGENT_ROLE_HELPER);
	assert_role(302, AGENT_ROLE_STATUS_LINE);
	assert_role(303, AGENT_ROLE_LANGUAGE_SERVER);
	assert_string_equal(said(&the(303)->role_name), "my-lsp");
	assert_role(304, AGENT_ROLE_MCP);
	assert_role(305, AGENT_ROLE_HELPER);
	assert_role(306, AGENT_ROLE_MCP);
	assert_string_equal(said(&the(306)->role_name), "files");
	assert_role(307, AGENT_ROLE_HELPER);
	assert_role(308, AGENT_ROLE_HELPER);
	assert_role(309, AGENT_ROLE_HELPER);
	assert_role(310, AGENT_ROLE_LANGUAGE_SERVER);
	assert_role(311, AGENT_ROLE_HELPER);
	assert_role(312, AGENT_ROLE_TOOL);
}

/* An agent in another one's tool call has that one's variables, and so has all it starts. */
static void test_inherited_markers(void **state)
{
	(void)state;
	HOST(SHELL, MAIN_X, TOOL_X,
		{ 400, 300, .session = 300, .executable = CLAUDE, .id = "inner",
			.markers = T(MARKS_X) },
		{ 410, 400, .session = 300, .stream = AT_SOCKETS,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=inner\0CLAUDE_PID=200\0"
				     "CLAUDE_CODE_EXECPATH") });
	assert_role(410, AGENT_ROLE_MCP);
	assert_in(410, 400, PROCESS_LINK_ANCESTOR);
}

static void test_npx_chain(void **state)
{
	(void)state;
	HOST(SHELL, MAIN_X,
		{ 300, 200, .session = 100, .stream = AT_SOCKETS, .executable = NODE, .inode = 5,
			.arguments = T("npm exec @modelcontextprotocol/server-filesystem /tmp"),
			.markers = T(MARKS_MCP_X) },
		{ 310, 300, .session = 100, .stream = AT_SOCKETS, .executable = "/bin/sh",
			.inode = 5, .arguments = T("sh\0-c\0mcp-server-filesystem /tmp"),
			.markers = T(MARKS_MCP_X) },
		{ 320, 310, .session = 100, .stream = AT_SOCKETS, .executable = NODE, .inode = 5,
			.arguments = T("node\0/n/.bin/mcp-server-filesystem\0/tmp"),
			.package = "@modelcontextprotocol/server-filesystem",
			.markers = T(MARKS_MCP_X) });
	assert_role(300, AGENT_ROLE_MCP);
	assert_role(320, AGENT_ROLE_MCP);
	assert_ptr_equal(the(320)->player, the(300));
	assert_string_equal(said(&the(320)->role_name), "server-filesystem");
	assert_not(320, VERDICT_ABANDONED);
	assert_int_equal(verdict_generation(&process_table, the(300)).count, 1);
	assert_int_equal(verdict_generation(&process_table, the(320)).count, 0);
}

/* Tools without a variable of the agent, beside servers with the same pipes. */
static void test_tools_by_arguments(void **state)
{
	(void)state;
	HOST(SHELL,
		{ 200, 100, .executable = NODE, .session = 100, .package = "@continuedev/cli",
			.arguments = T("node\0/r/cn") },
		{ 210, 200, .executable = "/bin/bash", .session = 100, .stream = AT_SOCKETS,
			.arguments = T("/bin/bash\0-l\0-c\0make") },
		{ 211, 210, .session = 100, .stream = AT_SOCKETS, .arguments = T("make") },
		{ 220, 200, .executable = NODE, .session = 100, .stream = AT_SOCKETS,
			.arguments = T("node\0/x/mcp_server.js") },
		{ 300, 100, .executable = NODE, .session = 100, .package = "@vibe-kit/grok-cli",
			.arguments = T("node\0/r/grok") },
		{ 310, 300, .executable = "/bin/sh", .session = 100, .stream = AT_SOCKETS,
			.arguments = T("/bin/sh\0-c\0make") },
		{ 320, 300, .executable = "/bin/sh", .session = 100,
			.stream = { PROC_STREAM_SOCKET, PROC_STREAM_SOCKET, PROC_STREAM_TERMINAL },
			.arguments = T("sh\0-c\0mcp-server") });
	assert_role(210, AGENT_ROLE_TOOL);
	assert_role(211, AGENT_ROLE_TOOL);
	assert_role(220, AGENT_ROLE_MCP);
	assert_role(310, AGENT_ROLE_TOOL);
	assert_role(320, AGENT_ROLE_MCP);
}

/* A tool of Kilo Code, whose agent ended, has opencode's marker too. */
static void test_fork_of_another(void **state)
{
	(void)state;
	HOST(SHELL,
		{ 200, 100, .executable = OPENCODE, .session = 100, .arguments = T("opencode") },
		{ 300, 1, .markers = T("OPENCODE=1\0KILO=1\0KILO_PID=250") },
		{ 310, 1, .markers = T("OPENCODE=1") });
	assert_string_equal(the(300)->owner_agent->name, "kilo");
	assert_null(the(300)->main);
	assert_string_equal(the(310)->owner_agent->name, "opencode");
}

#define HOST_ARGUMENTS "claude bg-pty-host\0--bg-pty-host\0/t/x.sock\0200\00050\0--\0"
#define SPARE	       "claude bg-spare\0--bg-spare\0/t/x.claim.sock"

/* Claude Code's background sessions: one of a spare process that has a session by now, one started
 * with its own arguments; a spare process without a session, and one that says so. */
static void test_background_sessions(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = CLAUDE, .arguments = T("claude\0daemon\0run") },
		{ 210, 200, .executable = CLAUDE,
			.arguments = T(HOST_ARGUMENTS "claude\0--bg-spare\0x") },
		{ 211, 210, .executable = CLAUDE, .session = 210, .arguments = T(SPARE) },
		{ 220, 200, .executable = CLAUDE,
			.arguments = T(HOST_ARGUMENTS "claude\0--bg-spare\0y") },
		{ 221, 220, .executable = CLAUDE, .arguments = T(SPARE), .id = "sess-y" },
		{ 230, 200, .executable = CLAUDE,
			.arguments = T(HOST_ARGUMENTS "claude\0--session-id\0sess-z") },
		{ 231, 230, .executable = CLAUDE, .arguments = T("claude\0--session-id\0sess-z"),
			.id = "sess-z" },
		{ 232, 231, .executable = "/bin/bash", .markers = T(MARKS_X) });
	assert_role(200, AGENT_ROLE_DAEMON);
	assert_role(210, AGENT_ROLE_HELPER);
	assert_in(210, 200, PROCESS_LINK_ANCESTOR);
	assert_role(211, AGENT_ROLE_SPARE);
	assert_in(211, 200, PROCESS_LINK_ANCESTOR);
	assert_role(221, AGENT_ROLE_MAIN);
	assert_in(221, 221, PROCESS_LINK_SELF);
	assert_role(230, AGENT_ROLE_HELPER);
	assert_role(231, AGENT_ROLE_MAIN);
	assert_role(232, AGENT_ROLE_TOOL);
	assert_string_equal(said(&the(231)->session_id), "sess-z");
	assert_int_equal(the(230)->session_id.size, 0);
	/* The daemon ends, and the next one adopts them without becoming their parent. */
	HOST({ 210, 1, .executable = CLAUDE, .markers = T("CLAUDE_CODE_SESSION_ID=sess-y"),
		     .arguments = T(HOST_ARGUMENTS "claude\0--bg-spare\0x") },
		{ 211, 210, .executable = CLAUDE, .session = 210, .arguments = T(SPARE) },
		{ 300, 1, .executable = CLAUDE, .arguments = T("claude\0daemon\0run") });
	assert_role(211, AGENT_ROLE_SPARE);
	assert_not(210, VERDICT_ORPHANED);
	assert_not(211, VERDICT_ORPHANED);
}

/* A capture of an older sooth has no ties and shorter records. */
static void test_older_records(void **state)
{
	static const struct made all[] = { { 1, 0, .start = 1 },
		{ 200, 1, .executable = CLAUDE, .arguments = T("claude\0-c") },
		{ .pid = 300, .ppid = 200 }, { 310, 200, .session = 200 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		make_process(&all[i], PROC_PROCESS_LEAST);
	take_all();
	assert_role(200, AGENT_ROLE_MAIN);
	assert_true(span_equal(
		process_table_field(&the(200)->process->record, &the(200)->process->executable),
		CLAUDE));
	assert_int_equal(
		process_table_field(&the(200)->process->record, &the(200)->process->user).size, 0);
	assert_int_equal(
		the(200)->process->package_state, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED));
	assert_role(300, AGENT_ROLE_TOOL);
	/* Where its streams lead is not told: anything but a tool call. */
	assert_false(the(310)->has_role);
	assert_int_equal(the(200)->session_state, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED));
	assert_not(300, VERDICT_ORPHANED);
}

/* --- sessions and projects --- */

static void test_session_by_children(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = CLAUDE }, { 210, 1, .executable = CLAUDE, .id = "" },
		{ 220, 1, .executable = CLAUDE,
			.markers = T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=outer") },
		{ 300, 200, .markers = T("CLAUDE_CODE_SESSION_ID=s1") },
		{ 301, 200, .markers = T("CLAUDE_CODE_SESSION_ID=s1") },
		{ 310, 210, .markers = T("CLAUDE_CODE_SESSION_ID=s2") },
		{ 311, 210, .markers = T("CLAUDE_CODE_SESSION_ID=s3") },
		{ 320, 220, .markers = T("CLAUDE_CODE_SESSION_ID=outer") },
		{ 400, 1, .markers = T("CLAUDE_CODE_SESSION_ID=s1") });
	assert_string_equal(said(&the(200)->session_id), "s1");
	assert_int_equal(the(200)->session_state, SOOTH_STATE_VALUE);
	assert_string_equal(said(&the(210)->session_id), "");
	assert_int_equal(the(210)->session_state, SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT));
	assert_string_equal(said(&the(220)->session_id), "");
	assert_in(400, 200, PROCESS_LINK_SESSION);
}

static void test_projects(void **state)
{
	(void)state;
	HOST({ 200, 1, .executable = CLAUDE, .root = "/home/me/top",
		     .directory = "/home/me/top/sub" },
		{ 210, 1, .executable = CLAUDE, .directory = "/home/me/dir" },
		{ 220, 1, .executable = CLAUDE, .root = "/home/me/top",
			.arguments =
				T("claude\0--append-system-prompt\0Working in: named @pts/3\0-c") },
		{ 230, 1, .executable = CLAUDE, .directory = "/" },
		{ 240, 1, .executable = CLAUDE, .root = "/home/me/top",
			.arguments = T("claude\0--append-system-prompt\0be kind") },
		{ 300, 200, .directory = "/elsewhere" },
		{ 310, 1, .directory = "/home/me/own", .markers = T("GEMINI_CLI=1") });
	assert_string_equal(said(&the(200)->project), "top");
	assert_string_equal(said(&the(210)->project), "dir");
	assert_string_equal(said(&the(220)->project), "named");
	assert_string_equal(said(&the(230)->project), "/");
	assert_string_equal(said(&the(240)->project), "top");
	assert_string_equal(said(&the(300)->project), "top");
	assert_string_equal(said(&the(310)->project), "own");
}

/* --- names of servers --- */

static void test_server_names(void **state)
{
	static const struct {
		const char *executable;
		struct span arguments;
		const char *package, *name;
		bool is_mcp;
	} cases[] = {
		{ NODE, T("npm exec @modelcontextprotocol/server-filesystem@1.2 /tmp"), "",
			"server-filesystem", true },
		{ NODE, T("node\0/usr/bin/npx\0-y\0@scope/my-mcp@latest"), "npm", "my-mcp", true },
		{ NODE, T("npx\0-p\0some-mcp\0run-it"), "", "some-mcp", true },
		{ NODE, T("node\0/n/node_modules/@scope/weather/dist/index.js"), "", "weather",
			false },
		{ NODE,
			T("node\0/x/my-mcp/dist/index.js\0--port\0"
			  "3"),
			"", "my-mcp", true },
		{ NODE, T("node\0/x/index.js"), "@modelcontextprotocol/server-git", "server-git",
			true },
		{ NODE, T("npm view left-pad version"), "", "npm", false },
		{ "/usr/bin/python3.11", T("python3\0-m\0mcp_server_fetch"), "", "mcp_server_fetch",
			true },
		{ "/usr/bin/python3", T("python3\0/x/mcp_server.py\0files"), "", "mcp_server",
			true },
		{ "/usr/bin/python3", T("python3\0/x/tools/server.py"), "", "tools", false },
		{ "/usr/bin/uv", T("uv\0tool\0run\0--from\0git-mcp==2\0x"), "", "git-mcp", true },
		{ "/usr/bin/uvx", T("uvx\0mcp-server-time"), "", "mcp-server-time", true },
		{ "/bin/sh", T("sh\0-c\0exec A=1 npx -y @x/y-mcp /tmp"), "", "y-mcp", true },
		{ "/bin/bash", T("bash\0-lc\0/opt/tools/weather --stdio"), "", "weather", false },
		{ "/bin/sh", T("sh\0-c\0node /x/notes.js"), "", "notes", false },
		{ "/opt/github-mcp-server", T("github-mcp-server\0stdio"), "", "github-mcp-server",
			true },
		/* "mcp" has to be a word. */
		{ "/opt/tcmcpx", T("tcmcpx"), "", "tcmcpx", false },
		/* Nothing follows from the folders above. */
		{ NODE, T("node\0/home/mcp/work/tool.js"), "", "tool", false },
		{ "/usr/bin/claude-thing", T(""), "", "claude-thing", false },
		{ "", T(""), "", "", false },
		{ "", T("/opt/x/weather\0-v"), "", "weather", false },
		{ "/bin/sh", T("sh\0-c\0"), "", "sh", false },
		{ "/bin/sh", T("sh\0-c\0sh -c sh -c sh -c sh -c x"), "", "sh", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct server_command command = { span_of(cases[i].executable,
								strlen(cases[i].executable)),
			cases[i].arguments, span_of(cases[i].package, strlen(cases[i].package)) };
		struct server_name name = server_name(&command);

		if (!span_equal(name.name, cases[i].name) ||
			server_name_is_mcp(&name) != cases[i].is_mcp)
			fail_msg("case %zu: \"%.*s\" from \"%.*s\"", i, (int)name.name.size,
				name.name.data, (int)name.from.size, name.from.data);
	}
}

/* --- taking --- */

static void test_zombies_and_cpu(void **state)
{
	static const struct made first[] = { { 200, 1, .executable = CLAUDE,
		.arguments = T("claude") } };
	static const struct made then[] = { { 200, 1, .executable = "", .state = 'Z',
		.time_ns = 5 * NS_PER_S } };

	(void)state;
	make(first, 1);
	take_all();
	assert_true(process_table_cpu_percent(the(200)) < 0);
	make(then, 1);
	take_all();
	assert_int_equal(the(200)->process->state, 'Z');
	assert_role(200, AGENT_ROLE_MAIN);
	assert_int_equal(the(200)->zombie_ns, 5 * NS_PER_S);
	assert_true(process_table_cpu_percent(the(200)) == 0);
}

static void test_bound(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 65600; i++)
		make_process(&(struct made){ i, 0, .start = i }, PROC_PROCESS_LEAST);
	take_all();
	assert_int_equal(process_table.processes.count, 65536);
	assert_int_equal(process_table.refused, 64);
	/* Once they have ended there is room again. */
	make_snapshot(8 * NS_PER_S, true, false);
	make_process(&(struct made){ 7, 0, .start = 99999, .time_ns = 9 * NS_PER_S },
		PROC_PROCESS_LEAST);
	take_all();
	assert_int_equal(process_table.processes.count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_ancestors),
		TEST(test_parent_that_is_younger),
		TEST(test_cycles),
		TEST(test_deep),
		TEST(test_two_of_one_pid),
		TEST(test_markers_of_living),
		TEST(test_session_of_another_user),
		TEST(test_main_that_is_a_zombie),
		TEST(test_resumed),
		TEST(test_pid_markers),
		TEST(test_pid_namespaces),
		TEST(test_marker_from_outside),
		TEST(test_kind_and_more),
		TEST(test_not_everybody_seen),
		TEST(test_cleared),
		TEST(test_kind_alone),
		TEST(test_unreadable_environment),
		TEST(test_main_that_was_seen_to_end),
		TEST(test_inputs),
		TEST(test_subreaper_below_an_agent),
		TEST(test_agent_run_by_a_tool_call),
		TEST(test_main_that_was_left),
		TEST(test_codex_launcher),
		TEST(test_codex_daemon),
		TEST(test_gemini_launcher),
		TEST(test_qwen_launchers),
		TEST(test_helpers),
		TEST(test_roles_of_claude),
		TEST(test_inherited_markers),
		TEST(test_npx_chain),
		TEST(test_tools_by_arguments),
		TEST(test_background_sessions),
		TEST(test_fork_of_another),
		TEST(test_older_records),
		TEST(test_session_by_children),
		TEST(test_projects),
		TEST(test_server_names),
		TEST(test_zombies_and_cpu),
		TEST(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
