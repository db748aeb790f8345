/* SPDX-License-Identifier: BSD-2-Clause */
/* Gemini CLI: a script of its npm package; the first process starts itself again. */
#include "core/agent.h"

const struct agent agent_gemini = {
	.name = "gemini",
	.title = "Gemini CLI",
	.tried = "0.61.0",
	.rules = {
		{ .kind = AGENT_RULE_PACKAGE,
			.what = "@google/gemini-cli",
			.why = "node runs a script of the package @google/gemini-cli" },
	},
};
