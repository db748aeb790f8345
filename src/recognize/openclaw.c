/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenClaw: a gateway that lives for long, and commands that talk to it. All write the title
 * "openclaw-COMMAND" over their command lines.
 */
#include "recognize/agent_rules.h"

const struct agent agent_openclaw = {
	.name = "openclaw",
	.title = "OpenClaw",
	.tried = "2026.9.6",
	.markers = { { "OPENCLAW_CLI", AGENT_MARKER_KIND },
		{ "OPENCLAW_SHELL", AGENT_MARKER_TOOL } },
	.starts_itself = true,
	.rules = {
		/* The parents of every tool call. */
		RULE_PACKAGE("openclaw", .called = "worker.js", .role = AGENT_ROLE_DAEMON),
		RULE_PACKAGE("openclaw", .called = "service-child-*", .role = AGENT_ROLE_DAEMON),
		RULE_PACKAGE("openclaw", .called = "*.worker.js", .role = AGENT_ROLE_HELPER),
		RULE_PACKAGE("openclaw", .called = "openclaw*"),
		RULE_PACKAGE("openclaw", .called = "entry.js"),
		RULE_TITLE("openclaw"),
		RULE_TITLE("openclaw-gateway", .role = AGENT_ROLE_DAEMON),
		RULE_TITLE("openclaw-agent"),
		RULE_TITLE("openclaw-chat"),
		RULE_TITLE("openclaw-tui"),
	},
};
