/* SPDX-License-Identifier: BSD-2-Clause */
/* A settings file: lines of NAME = VALUE, named and checked like the long options of a command;
 * flags take yes or no; # begins a comment. The command line overrides the file. */
#pragma once

#include "base/cursor.h"
#include "cli/command/options.h"

#define SETTINGS_MAX 64

/* Zeroed except for `help`. The config borrows its texts, so free the settings after the config. */
struct settings {
	const char *help; /* the command that lists the names, for errors */
	char *words[SETTINGS_MAX];
	size_t count;
};

/* Gets the error of each wrong line except the last. NULL: the first error ends the parsing. */
struct settings_errors {
	void (*take)(void *user, const struct sooth_error *err);
	void *user;
};

/* Fills the config from the text; error messages have `file` and the line. -EINVAL: err is about
 * the last wrong line. `errors` may be NULL. */
int settings_parse(struct settings *s, const char *file, struct span text,
	const struct option_group *groups, size_t group_count, void *config,
	const struct settings_errors *errors, struct sooth_error *err);
void settings_fini(struct settings *s);
/* Copies the members that the command line set from `typed` to `config`. */
void settings_override(const struct option_group *groups, size_t group_count, void *config,
	const void *typed, const struct arguments *arguments);
