/* SPDX-License-Identifier: BSD-2-Clause */
/* Amp: a script of its npm package. */
#include "recognize/agent.h"

const struct agent agent_amp = {
	.name = "amp",
	.title = "Amp",
	.rules = {
		{ .kind = AGENT_RULE_PACKAGE,
			.what = "@sourcegraph/amp",
			.why = "node runs a script of the package @sourcegraph/amp" },
	},
};
