/* SPDX-License-Identifier: BSD-2-Clause */
/* Auggie of Augment Code: one process, a script of its npm package. */
#include "recognize/agent_rules.h"

const struct agent agent_auggie = {
	.name = "auggie",
	.title = "Auggie",
	.tried = "0.36.0",
	.markers = { { "AUGMENT_AGENT", AGENT_MARKER_TOOL } },
	.headless = "-p --print",
	.rules = { RULE_PACKAGE("@augmentcode/auggie") },
};
