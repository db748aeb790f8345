/* SPDX-License-Identifier: BSD-2-Clause */
/* Cursor's agent: brings its own node, in the folder of its version. */
#include "recognize/agent_rules.h"

const struct agent agent_cursor = {
	.name = "cursor",
	.title = "Cursor agent",
	.versions = ".local/share/cursor-agent/versions",
	.rules = {
		RULE_BELOW(".local/share/cursor-agent/versions", "node"),
		RULE_BELOW(".local/share/cursor-agent/versions", "cursor-agent"),
	},
};
