/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cline: npm's launcher, run by node, starts a program made by Bun, which starts a hub that
 * outlives the session.
 */
#include "recognize/agent_rules.h"

const struct agent agent_cline = {
	.name = "cline",
	.title = "Cline",
	.tried = "3.0.65",
	/* Its helpers and the hub have it too. */
	.markers = { { "CLINE_CONNECTOR_CLI_LAUNCH", AGENT_MARKER_KIND } },
	.files = {
		.home_variable = "CLINE_DIR",
		.home = ".cline",
		.session_key = "session_id",
		.start_key = "started_at",
		.pid_key = "pid",
		.log = "data/sessions/{session}/{session}.json",
	},
	.parts = { PART(DAEMON, "--cline-hub-daemon") },
	.rules = {
		RULE_EXECUTABLE("cline", ".cline"),
		RULE_EXECUTABLE("@cline/cli-linux-x64", "cline"),
		RULE_EXECUTABLE("@cline/cli-linux-arm64", "cline"),
		RULE_LAUNCHER("cline", .called = "cline"),
		RULE_PACKAGE("@cline/cli"),
		RULE_PROGRAM(".bun", "(\"cline-cli\")"),
	},
};
