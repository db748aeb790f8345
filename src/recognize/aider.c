/* SPDX-License-Identifier: BSD-2-Clause */
/* aider: Python runs the module, or the script that pip has written for it. */
#include "recognize/agent.h"

const struct agent agent_aider = {
	.name = "aider",
	.title = "aider",
	.distribution = "aider_chat",
	.rules = {
		{ .kind = AGENT_RULE_MODULE,
			.what = "aider",
			.why = "Python runs the module aider, or its script in a folder bin" },
	},
};
