/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Crush: npm's launcher, run by node, downloads and starts a program in Go. Known from its source
 * only: the program was never run for a test. Its shell is built in, so a tool call is the command
 * itself. The name alone is no rule: other programs are called crush. Only its own module can have
 * functions of the internal package; the second section is that of position-independent programs.
 */
#include "recognize/agent_rules.h"

const struct agent agent_crush = {
	.name = "crush",
	.title = "Crush",
	.session_options = { "--session", "-s" },
	.headless = "run",
	.parts = { PART(DAEMON, "server") },
	.rules = {
		RULE_EXECUTABLE("@charmland/crush/bin", "crush"),
		RULE_LAUNCHER("@charmland/crush"),
		RULE_PROGRAM(".gopclntab", "github.com/charmbracelet/crush/internal/cmd"),
		RULE_PROGRAM(".data.rel.ro.gopclntab",
			"github.com/charmbracelet/crush/internal/cmd"),
	},
};
