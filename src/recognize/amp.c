/* SPDX-License-Identifier: BSD-2-Clause */
/* Amp: a script of its npm package. */
#include "recognize/agent_rules.h"

const struct agent agent_amp = {
	.name = "amp",
	.title = "Amp",
	.rules = {
		RULE_PACKAGE("@sourcegraph/amp"),
	},
};
