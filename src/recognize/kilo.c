/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kilo Code, a fork of opencode: npm's launcher, run by node, starts a program made by Bun. Its
 * tools have opencode's marker OPENCODE too.
 */
#include "recognize/agent_rules.h"

const struct agent agent_kilo = {
	.name = "kilo",
	.title = "Kilo Code",
	.tried = "7.7.7",
	.markers = { { "KILO", AGENT_MARKER_KIND }, { "KILO_PID", AGENT_MARKER_PID } },
	.fork_of = "opencode",
	.session_options = { "--session", "-s" },
	.headless = "run",
	.parts = { PART(DAEMON, "daemon"), PART(DAEMON, "serve") },
	.rules = {
		RULE_EXECUTABLE("@kilocode/cli", ".kilo"),
		RULE_EXECUTABLE("@kilocode/cli-linux-x64", "kilo"),
		RULE_EXECUTABLE("@kilocode/cli-linux-arm64", "kilo"),
		RULE_LAUNCHER("@kilocode/cli"),
		RULE_PROGRAM(".bun", "--user-agent=kilo/", .program.version_behind = ""),
	},
};
