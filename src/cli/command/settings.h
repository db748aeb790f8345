/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file of settings: lines of NAME = VALUE, named and checked as the long options of a command;
 * yes or no for those without a value, # begins a comment. The command line overrides the file.
 */
#ifndef SOOTH_CLI_SETTINGS_H
#define SOOTH_CLI_SETTINGS_H

#include "base/cursor.h"
#include "cli/command/options.h"

#define SETTINGS_MAX 64

/* Zeroed but for the help. The texts of a config are in here: it is freed after that. */
struct settings {
	const char *help; /* the command that lists the names, for errors */
	char *words[SETTINGS_MAX];
	size_t count;
};

/* Takes the error of each wrong line but the last; NULL: the first one ends the parsing. */
struct settings_errors {
	void (*take)(void *user, const struct sooth_error *err);
	void *user;
};

/* Fills the config from the text; `file` names it in errors, with the line. -EINVAL: of the last
 * wrong line. `errors` may be NULL. */
int settings_parse(struct settings *s, const char *file, struct span text,
	const struct option_group *groups, size_t group_count, void *config,
	const struct settings_errors *errors, struct sooth_error *err);
void settings_fini(struct settings *s);
/* The members that the command line set, of the same groups. */
void settings_override(const struct option_group *groups, size_t group_count, void *config,
	const void *typed, const struct arguments *arguments);

#endif
