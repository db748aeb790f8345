/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth thaw: resumes frozen processes. */
#include "cli/command/command.h"
#include "cli/act/act.h"
#include "cli/act/freezing.h"

static int run_thaw(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	return freezing_run("thaw", config, arguments, false, err);
}

const struct command command_thaw = {
	.tables = act_tables,
	.main_options = "tree,dry-run,any,session,agent,json",
	.name = "thaw",
	.summary = "resume frozen processes",
	.usage = "[-t] PID|NAME... | --session ID | --agent NAME",
	.about = "Resumes processes that `sooth freeze` or a SIGSTOP stopped.",
	.examples = "  sooth thaw --session 4f1c\n",
	.groups = freezing_groups,
	.group_count = FREEZING_GROUP_COUNT,
	.rules = freezing_rules,
	.rule_count = FREEZING_RULE_COUNT,
	.config_size = sizeof(struct freezing_config),
	.run = run_thaw,
};
