/* SPDX-License-Identifier: BSD-2-Clause */
/* Cursor's agent: brings its own node, in the folder of its version. */
#include "recognize/agent.h"

const struct agent agent_cursor = {
	.name = "cursor",
	.title = "Cursor agent",
	.versions = ".local/share/cursor-agent/versions",
	.rules = {
		{ .kind = AGENT_RULE_BELOW,
			.what = ".local/share/cursor-agent/versions",
			.called = "node",
			.why = "the executable is node below .local/share/cursor-agent/versions" },
		{ .kind = AGENT_RULE_BELOW,
			.what = ".local/share/cursor-agent/versions",
			.called = "cursor-agent",
			.why = "the executable is cursor-agent below "
			       ".local/share/cursor-agent/versions" },
	},
};
