/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth freeze: see cli/act/freezing.h. */
#include "cli/command/command.h"
#include "cli/act/freezing.h"

static int run_freeze(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	return freezing_run("freeze", config, arguments, true, err);
}

const struct command command_freeze = {
	.name = "freeze",
	.summary = "hold processes of agents still",
	.usage = "[-t] PID... | --session ID",
	.about = "Holds processes still, with all they have in memory, until `sooth thaw`; they "
		 "stay so when\n"
		 "sooth has ended. By the freezer of their control group where nobody else is in "
		 "it,\n"
		 "else by SIGSTOP, children first. A model that waits for an answer may give up\n"
		 "meanwhile.",
	.examples = "  sooth freeze --session 4f1c    a session with all its tools\n"
		    "  sooth freeze -t 4711           a process and what it started\n",
	.groups = freezing_groups,
	.group_count = FREEZING_GROUP_COUNT,
	.rules = freezing_rules,
	.rule_count = FREEZING_RULE_COUNT,
	.config_size = sizeof(struct freezing_config),
	.run = run_freeze,
};
