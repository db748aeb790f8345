/* SPDX-License-Identifier: BSD-2-Clause */
/* GitHub Copilot CLI: a script of its npm package. */
#include "recognize/agent_rules.h"

const struct agent agent_copilot = {
	.name = "copilot",
	.title = "GitHub Copilot CLI",
	.rules = {
		RULE_PACKAGE("@github/copilot"),
	},
};
