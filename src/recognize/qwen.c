/* SPDX-License-Identifier: BSD-2-Clause */
/* Qwen Code, a fork of Gemini CLI: a script of its npm package. */
#include "recognize/agent_rules.h"

const struct agent agent_qwen = {
	.name = "qwen",
	.title = "Qwen Code",
	/* From its documentation, for the commands it runs. */
	.markers = { { "QWEN_CODE", AGENT_MARKER_KIND } },
	.starts_itself = true,
	.rules = {
		RULE_PACKAGE("@qwen-code/qwen-code"),
	},
};
