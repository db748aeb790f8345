/* SPDX-License-Identifier: BSD-2-Clause */
/* GitHub Copilot CLI: a script of its npm package. */
#include "recognize/agent.h"

const struct agent agent_copilot = {
	.name = "copilot",
	.title = "GitHub Copilot CLI",
	.rules = {
		{ .kind = AGENT_RULE_PACKAGE,
			.what = "@github/copilot",
			.why = "node runs a script of the package @github/copilot" },
	},
};
