/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Goose. The name alone is no rule: another goose, in Go, migrates databases. The agent
 * takes its provider from the variable GOOSE_PROVIDER, so its program has that name in it.
 */
#include "recognize/agent_rules.h"

const struct agent agent_goose = {
	.name = "goose",
	.title = "Goose",
	/* From its source, for the commands it runs. AGENT_SESSION_ID is no marker: shells of the
	 * user have it too. */
	.markers = { { "GOOSE_TERMINAL", AGENT_MARKER_KIND } },
	.rules = {
		RULE_PROGRAM(".rodata", "GOOSE_PROVIDER", .called = "goose"),
	},
};
