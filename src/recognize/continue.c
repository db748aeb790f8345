/* SPDX-License-Identifier: BSD-2-Clause */
/* Continue CLI: one process, a script of its npm package. */
#include "recognize/agent_rules.h"

const struct agent agent_continue = {
	.name = "continue",
	.title = "Continue CLI",
	.tried = "1.5.47",
	/* One object each, which has no time. */
	.files = {
		.home_variable = "CONTINUE_GLOBAL_DIR",
		.home = ".continue",
		.session_key = "sessionId",
		.directory_key = "workspaceDirectory",
		.log = "sessions/{session}.json",
	},
	.headless = "-p --print",
	/* Its tools have no variable, and the streams of its MCP servers. */
	.children = { { AGENT_ROLE_TOOL, AGENT_PLACE_SAME, true, .has = "",
		.arguments = "*bash -l -c" } },
	.rules = { RULE_PACKAGE("@continuedev/cli") },
};
