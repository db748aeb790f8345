/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Droid of Factory: a program made by Bun, which npm's launcher starts if its install script did
 * not run. On a terminal a second process of the program makes the requests and runs the tools.
 */
#include "recognize/agent_rules.h"

const struct agent agent_droid = {
	.name = "droid",
	.title = "Droid",
	.tried = "0.215.0",
	.markers = { { "FACTORY_EXEC_TARGET_AUTONOMY", AGENT_MARKER_TOOL } },
	.files = {
		.home = ".factory",
		.session_key = "id",
		.directory_key = "cwd",
		.log = "sessions/*/{session}.jsonl",
	},
	.session_options = { "--session-id", "-s" },
	.headless = "exec",
	/* The second process of a terminal works for the first. */
	.parts = { PART(DAEMON, "exec --input-format stream-jsonrpc"),
		PART(DAEMON, "daemon") },
	.rules = {
		RULE_EXECUTABLE("droid", "droid"),
		RULE_EXECUTABLE("@factory/cli", "droid"),
		RULE_EXECUTABLE("@factory/cli-linux-x64", "droid"),
		RULE_EXECUTABLE("@factory/cli-linux-arm64", "droid"),
		RULE_LAUNCHER("droid", .called = "droid"),
		RULE_LAUNCHER("@factory/cli"),
		RULE_PROGRAM(".bun", "{name:\"@factory/cli\",version:\"",
			.program.version_behind = ""),
	},
};
