/* SPDX-License-Identifier: BSD-2-Clause */
/* What a command looks at: the target options that every such command shares. */
#ifndef SOOTH_CLI_TARGET_H
#define SOOTH_CLI_TARGET_H

#include <sooth/observer.h>
#include <sooth/report.h>
#include "cli/options.h"

struct target_options {
	struct option_list pids;
	const char *user;
};

#define TARGET_OPTION_COUNT 2
extern const struct option target_option_rows[TARGET_OPTION_COUNT];
#define TARGET_GROUP(config, member)                                                               \
	{                                                                                          \
		.title = "Target", .options = target_option_rows, .count = TARGET_OPTION_COUNT,    \
		.offset = offsetof(config, member)                                                 \
	}

enum target_allowed {
	TARGET_MAY_BE_HOST = 1,	   /* nothing said: every process */
	TARGET_MAY_BE_COMMAND = 2, /* behind "--" */
};

int target_options_apply(const struct target_options *t, const struct arguments *a,
	unsigned allowed, struct sooth_observer *o, struct sooth_error *err);
/* Which processes of a capture are meant. */
int target_options_select(
	const struct target_options *t, struct sooth_report *r, struct sooth_error *err);
/* The one argument that is not a number names a capture; NULL when there is none. */
const char *target_capture(const struct arguments *a);

#endif
