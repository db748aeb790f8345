/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grok CLI of superagent: one process, a script of its npm package, run by node or bun. It keeps
 * no session in files. xAI's own programs of that name are not it.
 */
#include "recognize/agent_rules.h"

const struct agent agent_grok = {
	.name = "grok",
	.title = "Grok CLI",
	.tried = "0.0.34",
	.headless = "-p --prompt",
	/* Its tools have no variable. Its MCP servers share its standard error. */
	.children = { { AGENT_ROLE_TOOL, AGENT_PLACE_SAME, true, .is_heard = true, .has = "",
		.arguments = "*sh -c" } },
	.rules = { RULE_PACKAGE("@vibe-kit/grok-cli") },
};
