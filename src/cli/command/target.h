/* SPDX-License-Identifier: BSD-2-Clause */
/* The target options that every command shares, and the kinds of words without an option.
 * cli/selected finds the processes that they select. */
#pragma once

#include <sooth/report.h>
#include "cli/command/options.h"
#include "model/process_id.h"

/* A time range of a capture, as typed. */
struct time_range_options {
	const char *from, *to; /* NULL: start, end of the capture */
};

struct target_options {
	struct option_list pids, sessions, agents, containers, ports, files;
	const char *control_group;
	const char *user;
	bool all;
	struct time_range_options part;
};

#define TARGET_OPTION_COUNT 9
extern const struct option target_option_rows[TARGET_OPTION_COUNT];
/* Target options of a command that reads no captures. */
#define TARGET_LIVE_GROUP(config, member)                                                          \
	{                                                                                          \
		.title = "Target", .options = target_option_rows, .count = TARGET_OPTION_COUNT,    \
		.offset = offsetof(config, member)                                                 \
	}

#define TIME_RANGE_OPTION_COUNT 2
extern const struct option time_range_option_rows[TIME_RANGE_OPTION_COUNT];
#define PART_GROUP(config, member)                                                                 \
	{                                                                                          \
		.title = "Range", .options = time_range_option_rows,                               \
		.count = TIME_RANGE_OPTION_COUNT, .offset = offsetof(config, member)               \
	}

/* Target options in two groups, for a command that also takes a capture, and a time range of it. */
#define TARGET_GROUP(config, member)                                                               \
	{ .title = "Target",                                                                       \
		.options = target_option_rows,                                                     \
		.count = TARGET_OPTION_COUNT,                                                      \
		.offset = offsetof(config, member) },                                              \
		PART_GROUP(config, member.part)

/* The same groups without -a, --all (the last row), for commands with an option of that name. */
#define TARGET_SOME_GROUP(config, member)                                                          \
	{ .title = "Target",                                                                       \
		.options = target_option_rows,                                                     \
		.count = TARGET_OPTION_COUNT - 1,                                                  \
		.offset = offsetof(config, member) },                                              \
		PART_GROUP(config, member.part)

/* The kind of a word that is not an option. */
enum target_word {
	TARGET_WORD_PID,     /* 4711, or 4711@START with the start in clock ticks after boot */
	TARGET_WORD_CAPTURE, /* -, a path, a name that ends in .sooth, or a file that is one */
	TARGET_WORD_NAME,    /* a session id, a process, an agent */
};

/* Returns the kind of a word; fills `process` for a PID, with start_ticks 0 if not given. */
enum target_word target_word(const char *word, struct process_id *process);
/* Returns the first word that is a capture; NULL: none is. */
const char *target_capture(const struct arguments *a);
/* Checks that a command has the capture that it reads: 0, or an error. */
int target_needs_capture(const char *command, const struct arguments *a, struct sooth_error *err);
/* Returns whether a target option or word is given; a capture does not count. */
bool target_is_given(const struct target_options *t, const struct arguments *a);
/* Returns -EINVAL, with an error that `text` is no PID. */
int target_bad_pid(const char *text, struct sooth_error *err);
/* The same for a PID that another process has now. */
int target_reused_pid(const struct process_id *id, struct sooth_error *err);
/* Returns whether an option is given that selects by descriptors: a port, a file. */
bool target_has_holders(const struct target_options *t);
/* Returns whether an option is given that selects all processes of something. */
bool target_has_groups(const struct target_options *t);
/* Parses a user name or id. */
int target_parse_user(const char *text, uid_t *uid, struct sooth_error *err);
