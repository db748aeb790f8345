/* SPDX-License-Identifier: BSD-2-Clause */
/* The target options of commands that act on processes. */
#pragma once

#include "cli/act/act.h"
#include "cli/command/command.h"
#include "cli/command/target.h"

/* The rule of these commands that refuses --all. */
#define ACT_NEVER_ALL(verb)                                                                        \
	{                                                                                          \
		OPTION_NEVER, "all", NULL, "it would " verb " the whole host, sooth included",     \
			"choose: a PID, --session ID, --agent NAME, --container ID, --cgroup "     \
			"PATH or -u USER"                                                          \
	}

/* Returns whether the target has more processes than were typed: then the user must confirm a list.
 */
bool act_targets_are_broad(const struct target_options *t);
/* Checks the options. -EINVAL: no target, several kinds, a capture, or a command to launch. */
int act_targets_check(const char *verb, const struct target_options *t, const struct arguments *a,
	struct sooth_error *err);
/* Selects the processes of the last scan, and widens the reach of the act to sessions. A name of
 * several processes is -E2BIG. An agent, a user or a control group selects only processes of agents
 * unless --any is given. */
int act_targets_select(struct act *act, const char *verb, const struct target_options *t,
	const struct arguments *a, struct sooth_error *err);
