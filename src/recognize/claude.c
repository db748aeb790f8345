/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Claude Code: a program made by Bun, installed below .local/share/claude/versions/VERSION
 * or by npm as .../@anthropic-ai/claude-code/bin/claude.exe; until 2.1.112 a script of that
 * package, run by node, which may write "claude" over its command line.
 * Not it: what else lies in the package (ripgrep), tools such as claude-trace or
 * claude-monitor, whatever only mentions claude in its arguments or directory.
 */
#include "recognize/agent_rules.h"

const struct agent agent_claude = {
	.name = "claude",
	.title = "Claude Code",
	.tried = "2.1.328, 2.1.112, 1.0.128",
	.versions = ".local/share/claude/versions",
	.markers = {
		{ "CLAUDECODE", AGENT_MARKER_KIND },
		{ "CLAUDE_CODE_ENTRYPOINT", AGENT_MARKER_KIND },
		{ "CLAUDE_CODE_SESSION_ID", AGENT_MARKER_SESSION },
		{ "CLAUDE_PID", AGENT_MARKER_PID },
		{ "CLAUDE_CODE_EXECPATH", AGENT_MARKER_TOOL },
		/* Not only tool calls have it: hooks and the status line have it too. */
		{ "CLAUDE_CODE_CHILD_SESSION", AGENT_MARKER_KIND },
		/* No tool call has these; together they show which helper it is. */
		{ "CLAUDE_PROJECT_DIR", AGENT_MARKER_KIND },
		{ "CLAUDE_CODE_CHILD_NOTES_DIR", AGENT_MARKER_KIND },
		{ "CLAUDE_PLUGIN_ROOT", AGENT_MARKER_KIND },
	},
	.files = {
		.home_variable = "CLAUDE_CONFIG_DIR",
		.home = ".claude",
		.session_file = "sessions/{pid}.json",
		.session_key = "sessionId",
		.status_key = "status",
		.start_key = "procStart",
		.version_key = "version",
		.changed_key = "statusUpdatedAt",
		.waiting_key = "waitingFor",
		.spare_key = "spare",
		.job_file = "jobs/{session}/state.json",
		.job_key = "jobId",
		.job_status_key = "state",
		.log = "projects/{directory}/{session}.jsonl",
		.log_kind = AGENT_LOG_CLAUDE,
		.server_logs = "../.cache/claude-cli-nodejs/{directory}/mcp-logs-*/*.jsonl",
	},
	/* --resume may get a name, or continue under another id. */
	.session_options = { "--session-id" },
	.children = {
		{ AGENT_ROLE_TOOL, .has = "CLAUDE_CODE_EXECPATH" },
		/* Hooks, then the status line. */
		{ AGENT_ROLE_HELPER, AGENT_PLACE_OWN,
			.has = "CLAUDE_PID CLAUDE_PROJECT_DIR CLAUDE_CODE_CHILD_NOTES_DIR" },
		{ AGENT_ROLE_STATUS_LINE, AGENT_PLACE_OWN, .has = "CLAUDE_PID CLAUDE_PROJECT_DIR" },
		{ AGENT_ROLE_LANGUAGE_SERVER, AGENT_PLACE_SAME, true, "CLAUDE_PLUGIN_ROOT",
			.lacks = "CLAUDECODE" },
		{ AGENT_ROLE_MCP, AGENT_PLACE_SAME, true, "CLAUDE_CODE_SESSION_ID",
			.lacks = "CLAUDE_PID" },
		/* Before 2.1.113 hooks and the status line look the same. */
		{ AGENT_ROLE_HELPER, AGENT_PLACE_SAME, .has = "CLAUDE_PROJECT_DIR",
			.lacks = "CLAUDECODE" },
		/* This helper takes a snapshot of the shell's settings. */
		{ AGENT_ROLE_HELPER, AGENT_PLACE_OWN, .has = "", .lacks = "CLAUDECODE" },
	},
	/* Its daemon holds each background session by a process with a terminal, one of which is
	 * always ready. */
	.parts = {
		PART(DAEMON, "daemon run"),
		PART(HELPER, "--bg-pty-host", .outlives = true),
		PART(SPARE, "--bg-spare"),
		PART(HELPER, "agents"),
		PART(HELPER, "attach"),
		PART(HELPER, "logs"),
	},
	.questions = "AskUserQuestion ExitPlanMode",
	.other_names = "rg ugrep bfs",
	.headless = "-p --print",
	.deadline_s = 300,
	.deadline_since = "2.1.299",
	.first_deadline_s = 360,
	.first_deadline_since = "2.1.328",
	.tool_outputs = "tasks",
	.output_file = "{directory}/{session}/tasks/*.output",
	.tool_shell = "source */shell-snapshots/snapshot-*",
	.rules = {
		{ .kind = AGENT_RULE_BELOW,
			.what = ".local/share/claude",
			.why = "the executable is below .local/share/claude" },
		RULE_EXECUTABLE("@anthropic-ai/claude-code", "claude.exe"),
		RULE_PACKAGE("@anthropic-ai/claude-code"),
		RULE_PROGRAM(".bun", "PACKAGE_URL:\"@anthropic-ai/claude-code\"",
			.program.version_behind = "VERSION:\""),
		RULE_NAME("claude"),
		RULE_NAME("claude.exe"),
		{ .kind = AGENT_RULE_SOMEWHERE,
			.what = "anthropic",
			.why = "the executable is below a directory anthropic" },
		RULE_TITLE("claude"),
		RULE_COMMAND("claude"),
	},
};
