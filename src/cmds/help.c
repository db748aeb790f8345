/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth help: prints the list of commands, or help on one of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command/command.h"
#include "cli/command/completion.h"
#include "cli/output/json_schema.h"
#include "cli/selected/target_words.h"

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
	{ "serve", "For agents" },
	{ "learn", "Find your way" },
};

static void print_group(const char *group)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strcmp(rows[i].group, group))
			printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
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
	printf("\n`sooth help COMMAND` or `sooth COMMAND --help` shows its options, --help-all "
	       "all;\n`sooth "
	       "--version`.\nExit status: 0 done, 2 usage, 3 missing privilege or unsupported, 4 "
	       "no such target,\n5 input or output failed; with -- COMMAND the command's own.\n");
}

struct help_config {
	struct {
		const char *json_schema, *completion, *targets;
	} help;
};

static const char *json_schema_choice(size_t i)
{
	static const char *const names[] = { "report", "lines", "monitor", "memtrack", NULL };

	return names[i];
}

static const struct option help_options[] = {
	VALUE_ROW(0, "json-schema", CHOICE, "WHAT", help_config, help.json_schema,
		"print the JSON Schema of what -j writes", .choice = json_schema_choice),
	VALUE_ROW(0, "completion", CHOICE, "SHELL", help_config, help.completion,
		"print the completion of a shell", .choice = completion_shell),
	VALUE_ROW(0, "targets", CHOICE, "KIND", help_config, help.targets,
		"print targets that begin with an argument, for completion",
		.choice = target_words_kind),
};

static const struct option_group option_groups[] = {
	OPTION_GROUP("For other programs", help_options, 0),
};

/* Returns the kind of schema; names and kinds have the same order. */
static enum json_schema_of json_schema_of(const char *name)
{
	size_t i = 0;

	while (strcmp(json_schema_choice(i), name))
		i++;
	return (enum json_schema_of)i;
}

static int run_help(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	const struct help_config *h = config;
	const struct command *c;

	if (h->help.json_schema)
		return json_schema_write(json_schema_of(h->help.json_schema), stdout, err);
	if (h->help.completion)
		return completion_print(h->help.completion);
	if (h->help.targets)
		return target_words_print(
			h->help.targets, arguments->count ? arguments->items[0] : "", err);
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
	.main_options = "json-schema,completion",
	.name = "help",
	.summary = "list the commands, or show the help of a command",
	.usage = "[COMMAND] | --json-schema report|lines|monitor|memtrack | --completion "
		 "bash|zsh|fish",
	COMMAND_GROUPS(option_groups),
	.config_size = sizeof(struct help_config),
	.run = run_help,
};
