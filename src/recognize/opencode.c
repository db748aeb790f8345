/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opencode: a program made by Bun. Its build gives Bun the option --user-agent=opencode/VERSION,
 * whatever its file is called.
 */
#include "recognize/agent.h"

const struct agent agent_opencode = {
	.name = "opencode",
	.title = "opencode",
	.tried = "1.18.33",
	.markers = {
		{ "OPENCODE", AGENT_MARKER_KIND },
		{ "OPENCODE_PID", AGENT_MARKER_PID },
	},
	.files = {
		.home = ".local/share/opencode",
		.log = "log/opencode.log",
		.log_kind = AGENT_LOG_OPENCODE,
		.database = "opencode.db",
	},
	/* Its sessions are rows of one database, whose files change for all of them. */
	.session_options = { "--session", "-s" },
	.headless = "run",
	.rules = {
		{ .kind = AGENT_RULE_BELOW,
			.what = "node_modules/opencode-ai",
			.called = "opencode.exe",
			.why = "the executable is opencode.exe of the package opencode-ai" },
		{ .kind = AGENT_RULE_BELOW,
			.what = ".opencode/bin",
			.called = "opencode",
			.why = "the executable is .opencode/bin/opencode" },
		{ .kind = AGENT_RULE_PACKAGE,
			.what = "opencode-ai",
			.why = "node runs a script of the package opencode-ai" },
		{ .kind = AGENT_RULE_PROGRAM,
			.program = { .section = ".bun",
				.holds = "--user-agent=opencode/",
				.version_behind = "" },
			.why = "the executable was made by Bun with --user-agent=opencode" },
		{ .kind = AGENT_RULE_NAME,
			.what = "opencode",
			.why = "the executable is called opencode" },
		{ .kind = AGENT_RULE_NAME,
			.what = "opencode.exe",
			.why = "the executable is called opencode.exe" },
		{ .kind = AGENT_RULE_COMMAND,
			.what = "opencode",
			.why = "the command and the process are both called opencode" },
	},
};
