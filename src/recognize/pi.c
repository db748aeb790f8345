/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pi: one process, a script of its npm package. After 0.3 s it writes "pi" over its command line,
 * which hides the script and the version.
 * Not it: programs built on pi, which write their own names; npx, whose title is longer.
 */
#include "recognize/agent_rules.h"

const struct agent agent_pi = {
	.name = "pi",
	.title = "pi",
	.tried = "0.73.1",
	.markers = { { "PI_CODING_AGENT", AGENT_MARKER_TOOL } },
	.files = {
		.home_variable = "PI_CODING_AGENT_DIR",
		.home = ".pi/agent",
		.session_key = "id",
		.start_key = "timestamp",
		.directory_key = "cwd",
		.log = "sessions/*/*_{session}.jsonl",
	},
	.headless = "-p --print",
	.rules = { RULE_PACKAGE("@mariozechner/pi-coding-agent"), RULE_TITLE("pi") },
};
