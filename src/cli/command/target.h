/* SPDX-License-Identifier: BSD-2-Clause */
/* What a command looks at: the target options that every such command shares. */
#ifndef SOOTH_CLI_TARGET_H
#define SOOTH_CLI_TARGET_H

#include <sooth/observer.h>
#include <sooth/report.h>
#include "base/buffer.h"
#include "cli/command/options.h"

/* Of a capture only what is of a time, as it was typed. */
struct time_range_options {
	const char *from, *to; /* NULL: from the begin, to the end */
};

struct target_options {
	struct option_list pids;
	const char *user;
	struct time_range_options part;
};

#define TARGET_OPTION_COUNT 2
extern const struct option target_option_rows[TARGET_OPTION_COUNT];
/* Of a command that reads no captures. */
#define TARGET_LIVE_GROUP(config, member)                                                          \
	{                                                                                          \
		.title = "Target", .options = target_option_rows, .count = TARGET_OPTION_COUNT,    \
		.offset = offsetof(config, member)                                                 \
	}

#define TIME_RANGE_OPTION_COUNT 2
extern const struct option time_range_option_rows[TIME_RANGE_OPTION_COUNT];
#define PART_GROUP(config, member)                                                                 \
	{                                                                                          \
		.title = "Part", .options = time_range_option_rows,                                \
		.count = TIME_RANGE_OPTION_COUNT, .offset = offsetof(config, member)               \
	}

/* Two groups: whoever takes a target takes a capture, and so a part of one. */
#define TARGET_GROUP(config, member)                                                               \
	{ .title = "Target",                                                                       \
		.options = target_option_rows,                                                     \
		.count = TARGET_OPTION_COUNT,                                                      \
		.offset = offsetof(config, member) },                                              \
		PART_GROUP(config, member.part)

enum target_allowed {
	TARGET_MAY_BE_HOST = 1,	   /* nothing said: every process */
	TARGET_MAY_BE_COMMAND = 2, /* behind "--" */
	TARGET_IS_HOST = 4,	   /* always: pids say who is meant, a user says nothing */
};

int target_options_apply(const struct target_options *t, const struct arguments *a,
	unsigned allowed, struct sooth_observer *o, struct sooth_error *err);
/* Where a target chooses what is shown, and not what is looked at. */
struct target_rows {
	struct buffer pids; /* uint32_t */
	bool has_uid;
	uid_t uid;
};

/* A capture among the arguments is none. `rows` is zeroed before, and freed by buffer_fini() of its
 * pids. */
int target_options_rows(const struct target_options *t, const struct arguments *a,
	struct target_rows *rows, struct sooth_error *err);
/* Which processes of a capture are meant, and which part of it. */
int target_options_select(
	const struct target_options *t, struct sooth_report *r, struct sooth_error *err);
int time_range_options_select(
	const struct time_range_options *p, struct sooth_report *r, struct sooth_error *err);
/* The one argument that is not a number names a capture; NULL when there is none. */
const char *target_capture(const struct arguments *a);

#endif
