/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Codex: npm's launcher, run by node, starts the program of @openai/codex-PLATFORM, which
 * on a terminal starts copies of itself from ~/.codex. All of them are Codex; the rule
 * says which it is.
 * Not it: what else lies in the package (codex-path/rg), other programs called codex: the
 * name alone says too little.
 */
#include "recognize/agent_rules.h"

const struct agent agent_codex = {
	.name = "codex",
	.title = "Codex",
	.tried = "0.169.0",
	.versions = ".codex/packages/app-server-daemon/releases",
	.markers = {
		{ "CODEX_CI", AGENT_MARKER_KIND },
		{ "CODEX_THREAD_ID", AGENT_MARKER_SESSION },
		{ "CODEX_SESSION_ID", AGENT_MARKER_SESSION },
		{ "CODEX_TOOL_CALL_ID", AGENT_MARKER_TOOL },
	},
	.files = {
		.home_variable = "CODEX_HOME",
		.home = ".codex",
		/* The lock exists from the start on; the log only from the first request on. */
		.open_file = "thread-writer-locks/{session}.lock",
		.log = "sessions/*/*/*/rollout-*-{session}.jsonl",
		.log_kind = AGENT_LOG_CODEX,
	},
	.one_session = "exec",
	.headless = "exec e",
	.rules = {
		RULE_BELOW(".codex/packages/app-server-daemon/releases", "codex",
			.role = AGENT_ROLE_DAEMON),
		RULE_EXECUTABLE("@openai/codex-linux-x64", "codex"),
		RULE_EXECUTABLE("@openai/codex-linux-arm64", "codex"),
		RULE_LAUNCHER("@openai/codex"),
		RULE_PROGRAM(".gnu_debuglink", "codex_cli_rs", .program.begins = "codex.debug"),
	},
};
