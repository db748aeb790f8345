/* SPDX-License-Identifier: BSD-2-Clause */
/* Qwen Code, a fork of Gemini CLI: a script of its npm package. */
#include "recognize/agent_rules.h"

const struct agent agent_qwen = {
	.name = "qwen",
	.title = "Qwen Code",
	.tried = "0.24.4",
	/* Its helpers have the id too. */
	.markers = { { "QWEN_CODE", AGENT_MARKER_TOOL },
		{ "QWEN_CODE_SESSION_ID", AGENT_MARKER_SESSION } },
	.files = {
		.home = ".qwen",
		.open_file = "projects/{directory}/chats/{session}.jsonl",
		.log = "projects/{directory}/chats/{session}.jsonl",
	},
	.session_options = { "--session-id" },
	.headless = "-p --prompt",
	.starts_itself = true,
	.rules = {
		RULE_PACKAGE("@qwen-code/qwen-code"),
	},
};
