/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth freeze: stops processes until `sooth thaw`. */
#include "cli/command/command.h"
#include "cli/act/act.h"
#include "cli/act/freezing.h"

static int run_freeze(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	return freezing_run("freeze", config, arguments, true, err);
}

const struct command command_freeze = {
	.tables = act_tables,
	.main_options = "tree,dry-run,any,session,agent,json",
	.name = "freeze",
	.summary = "stop processes of agents",
	.usage = "[-t] PID|NAME... | --session ID | --agent NAME",
	.about = "Stops processes until `sooth thaw`. Stopped processes keep their memory, and "
		 "stay stopped\n"
		 "when sooth has exited. If a control group contains only these processes, sooth "
		 "freezes\n"
		 "the group; otherwise sooth sends SIGSTOP, children first. Connections to a "
		 "server may\n"
		 "time out meanwhile.",
	.examples = "  sooth freeze --session 4f1c    a session with all its tools\n  sooth freeze "
		    "-t 4711           a process and its descendants\n",
	.groups = freezing_groups,
	.group_count = FREEZING_GROUP_COUNT,
	.rules = freezing_rules,
	.rule_count = FREEZING_RULE_COUNT,
	.config_size = sizeof(struct freezing_config),
	.run = run_freeze,
};
