/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checking output files before a command starts: never over its input, and no two into one file.
 * Every option that names an output file is OPTION_FILE, so that none is overlooked.
 */
#ifndef SOOTH_CLI_WRITTEN_H
#define SOOTH_CLI_WRITTEN_H

#include "cli/command/options.h"

/* All files of the options. `reads_numbers`: a number is a file as well, not a PID. */
int written_check(const struct option_group *groups, size_t group_count, const void *config,
	const struct arguments *arguments, bool reads_numbers, struct sooth_error *err);
/* For a file name that is derived from another one. */
int written_check_one(const char *path, const struct arguments *arguments, bool reads_numbers,
	struct sooth_error *err);
int written_refuse_pair(const char *path, struct sooth_error *err);

#endif
