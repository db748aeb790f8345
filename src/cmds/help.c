/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth help: the list of commands, or help on one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command/command.h"

#define COMMAND(id, group) { #id, #group },
static const struct {
	const char *id, *group;
} rows[] = {
#include "cmds/commands.def"
};

static const struct {
	const char *group, *title;
} groups[] = {
	{ "look", "Look" },
	{ "act", "Act" },
	{ "keep", "Keep and explain" },
	{ "learn", "Find your way" },
};

static void print_group(const char *group)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strcmp(rows[i].group, group))
			printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	}
}

static void print_all(void)
{
	printf("sooth - find AI coding agents, watch them, say why one misbehaves\n\n"
	       "Usage: sooth [--log-level LEVEL] [COMMAND] [OPTION...]\n"
	       "       Without a command: sooth ps\n");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		printf("\n%s:\n", groups[i].title);
		print_group(groups[i].group);
	}
	printf("\n`sooth help COMMAND` or `sooth COMMAND --help` shows its options; `sooth "
	       "--version`.\nExit status: 0 done, 2 usage, 3 missing privilege or unsupported, 4 "
	       "no such target,\n5 input or output failed; with -- COMMAND the command's own.\n");
}

static int run_help(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	const struct command *c;

	(void)config;
	if (!arguments->count) {
		print_all();
		return 0;
	}
	c = command_find(arguments->items[0]);
	if (!c) {
		error_set(err, -ENOENT, SOOTH_FAULT_USAGE, "show help on \"%s\"",
			arguments->items[0]);
		error_why(err, "there is no such command");
		return error_remedy(err, "`sooth help` lists the commands");
	}
	command_print_help(c);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.summary = "list the commands, or show the help of a command",
	.usage = "[COMMAND]",
	.run = run_help,
};
