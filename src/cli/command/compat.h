/* SPDX-License-Identifier: BSD-2-Clause */
/* An older tool that sooth replaces: called by that name, the program takes the tool's options. */
#pragma once

#include <stdbool.h>

#include "cli/command/options.h"

struct compat {
	/* Runs the tool; `name`: as the program was called; argv[0] stays. Returns the exit status,
	 * or a negative errno with err filled. */
	int (*run)(const char *name, int argc, char **argv, struct sooth_error *err);
};

/* The options that every older tool has in common: -h and -V. */
struct compat_requested {
	bool help, version;
};

#define COMPAT_REQUESTED_OPTIONS 2
extern const struct option compat_requested_options[COMPAT_REQUESTED_OPTIONS];

/* The option group for a tool with a table of options; `asked`: that member of its config. */
#define COMPAT_REQUESTED_GROUP(struct_, asked)                                                     \
	OPTION_GROUP("", compat_requested_options, offsetof(struct_, asked))

/* Returns the request made by one word, for a tool without a table. */
struct compat_requested compat_requested_by(const char *word);
/* Prints help or version; false: neither was requested. */
bool compat_answer(
	struct compat_requested asked, const char *name, void (*print_help)(const char *name));

/* Finds a tool by the name that the program was called by, with or without folders; NULL: the
 * program was called as itself. *name points into it. */
const struct compat *compat_find(const char *called, const char **name);
