/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of memtrack: track COMMAND [ARG...] [--output FILE]. */
#pragma once

#include <stdbool.h>
#include "base/error.h"

struct memtrack_arguments {
	bool wants_help, wants_version;
	const char *output;	/* NULL: none was given */
	const char *ipc_server; /* NULL: none was given */
	char **command;		/* NULL-terminated, in argv */
};

/* Parses the words. A final "--output FILE" belongs to memtrack, unless "--" stands before it: then
 * all words after the "--" belong to the command. May cut argv short. */
int memtrack_arguments_parse(
	struct memtrack_arguments *words, int argc, char **argv, struct sooth_error *err);
