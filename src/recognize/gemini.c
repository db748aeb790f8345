/* SPDX-License-Identifier: BSD-2-Clause */
/* Gemini CLI: a script of its npm package; the first process starts itself again. */
#include "recognize/agent_rules.h"

const struct agent agent_gemini = {
	.name = "gemini",
	.title = "Gemini CLI",
	.tried = "0.61.0",
	.markers = { { "GEMINI_CLI", AGENT_MARKER_KIND } },
	.files = {
		.home = ".gemini",
		.session_key = "sessionId",
		.start_key = "startTime",
		.log = "tmp/{project}/chats/session-*.jsonl",
		.project_file = ".project_root",
		.log_kind = AGENT_LOG_GEMINI,
	},
	.headless = "-p --prompt",
	.starts_itself = true,
	.tool_shell = "shopt -u promptvars nullglob extglob nocaseglob dotglob;*",
	.rules = {
		RULE_PACKAGE("@google/gemini-cli"),
	},
};
