/* SPDX-License-Identifier: BSD-2-Clause */
/* Letta Code: one process, a script of its npm package. Letta's server, in Python, is not it. */
#include "recognize/agent_rules.h"

const struct agent agent_letta = {
	.name = "letta",
	.title = "Letta Code",
	.tried = "0.25.9",
	/* LETTA_CONVERSATION_ID identifies no session: it may be "default". */
	.markers = { { "LETTA_AGENT_ID", AGENT_MARKER_TOOL } },
	.headless = "-p --prompt",
	.rules = { RULE_PACKAGE("@letta-ai/letta-code") },
};
