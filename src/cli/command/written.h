/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command is to write, before it begins: never over what it reads, and no two into one
 * file. Every option that names a file to be written is OPTION_FILE, so that none is overlooked.
 */
#ifndef SOOTH_CLI_WRITTEN_H
#define SOOTH_CLI_WRITTEN_H

#include "cli/command/options.h"

/* Of all that the options name. `reads_numbers`: an argument that is a number is a file as well,
 * not a process. */
int written_check(const struct option_group *groups, size_t group_count, const void *config,
	const struct arguments *arguments, bool reads_numbers, struct sooth_error *err);
/* Of a file whose name follows from another's. */
int written_check_one(const char *path, const struct arguments *arguments, bool reads_numbers,
	struct sooth_error *err);
int written_refuse_pair(const char *path, struct sooth_error *err);

#endif
