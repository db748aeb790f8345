/* SPDX-License-Identifier: BSD-2-Clause */
/* Running an older tool: the options and errors that all of them share. */
#include "cli/command/compat.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/command/command.h"

int compat_main(const struct compat *compat, const char *name, int argc, char **argv)
{
	struct sooth_error err = { 0 };

	return command_end(compat->run(name, argc, argv, &err), &err);
}

const struct option compat_requested_options[COMPAT_REQUESTED_OPTIONS] = {
	FLAG_ROW('h', "help", compat_requested, help, "this help"),
	FLAG_ROW('V', "version", compat_requested, version, "print the version of sooth"),
};

struct compat_requested compat_requested_by(const char *word)
{
	return (struct compat_requested){
		.help = !strcmp(word, "-h") || !strcmp(word, "--help"),
		.version = !strcmp(word, "-V") || !strcmp(word, "--version"),
	};
}

bool compat_answer(
	struct compat_requested asked, const char *name, void (*print_help)(const char *name))
{
	if (asked.help)
		print_help(name);
	else if (asked.version)
		printf("%s (sooth) %s\n", name, SOOTH_VERSION);
	return asked.help || asked.version;
}
