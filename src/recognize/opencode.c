/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opencode: a program made by Bun. Its build gives Bun the option --user-agent=opencode/VERSION,
 * whatever its file is called.
 */
#include "recognize/agent_rules.h"

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
		RULE_EXECUTABLE("opencode-ai", "opencode.exe"),
		RULE_BELOW(".opencode/bin", "opencode"),
		RULE_PACKAGE("opencode-ai"),
		RULE_PROGRAM(".bun", "--user-agent=opencode/", .program.version_behind = ""),
		RULE_NAME("opencode"),
		RULE_NAME("opencode.exe"),
		RULE_COMMAND("opencode"),
	},
};
