/* SPDX-License-Identifier: BSD-2-Clause */
/* Amp: a program made by Bun; earlier a script of its npm package. The threads are on its
 * service. */
#include "recognize/agent_rules.h"

const struct agent agent_amp = {
	.name = "amp",
	.title = "Amp",
	.tried = "0.0.1790142911-g7618fb",
	.rules = {
		RULE_EXECUTABLE("@ampcode/cli", "amp.exe"),
		RULE_EXECUTABLE("@ampcode/cli-linux-x64", "amp"),
		RULE_EXECUTABLE("@ampcode/cli-linux-arm64", "amp"),
		RULE_PACKAGE("@ampcode/cli"),
		RULE_PACKAGE("@sourcegraph/amp"),
	},
};
