/* SPDX-License-Identifier: BSD-2-Clause */
/* GitHub Copilot CLI: npm's launcher, run by node, starts the program of
 * @github/copilot-PLATFORM. */
#include "recognize/agent_rules.h"

const struct agent agent_copilot = {
	.name = "copilot",
	.title = "GitHub Copilot CLI",
	.tried = "1.0.102",
	.markers = { { "COPILOT_AGENT_SESSION_ID", AGENT_MARKER_SESSION },
		{ "COPILOT_CLI", AGENT_MARKER_KIND } },
	.files = {
		.home_variable = "COPILOT_HOME",
		.home = ".copilot",
		.open_file = "session-state/{session}/inuse.*.hold",
		.log = "session-state/{session}/events.jsonl",
	},
	.session_options = { "--session-id" },
	.headless = "-p --prompt",
	.rules = {
		RULE_EXECUTABLE("@github/copilot-linux-x64", "copilot"),
		RULE_EXECUTABLE("@github/copilot-linux-arm64", "copilot"),
		RULE_LAUNCHER("@github/copilot"),
	},
};
