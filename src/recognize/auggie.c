/* SPDX-License-Identifier: BSD-2-Clause */
/* Auggie of Augment Code: one process, a script of its npm package. */
#include "recognize/agent_rules.h"

const struct agent agent_auggie = {
	.name = "auggie",
	.title = "Auggie",
	.tried = "0.36.0",
	.markers = { { "AUGMENT_AGENT", AGENT_MARKER_TOOL } },
	/* One object each; the project is named in its first exchange. */
	.files = {
		.home = ".augment",
		.session_key = "sessionId",
		.start_key = "created",
		.directory_key = AGENT_ANY_KEY,
		.log = "sessions/{session}.json",
	},
	.headless = "-p --print",
	.rules = { RULE_PACKAGE("@augmentcode/auggie") },
};
