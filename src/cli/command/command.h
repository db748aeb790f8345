/* SPDX-License-Identifier: BSD-2-Clause */
/* A command of the program: a row in src/cmds/commands.def and a file. */
#pragma once

#include <sooth/field.h>

#include "cli/command/options.h"

/* Rules about which options exclude or need others. An option that would be ignored is refused,
 * with a reason. */

enum option_rule_kind {
	OPTION_NEVER = 1,   /* refused in this command, although its group has the option */
	OPTION_PER_PROCESS, /* refused together with any option of the rule */
	OPTION_NEEDS,	    /* accepted only together with at least one option of the rule */
	OPTION_ALONE, /* accepted only together with options of the rule, and with no others */
};

/* A rule. `others` may have PID and FILE (a capture that is read) beside names of options. */
struct option_rule {
	enum option_rule_kind kind;
	const char *option; /* name of the option, or its letter if it has no name */
	const char *others; /* comma-separated; NULL for OPTION_NEVER */
	const char *why;
	const char *remedy; /* NULL: the default of the kind */
};

/* Rule for options that set how to observe: they exclude a capture, which is already made. */
#define OPTION_OVER(name)                                                                          \
	{                                                                                          \
		OPTION_PER_PROCESS, name, "FILE",                                                  \
			"it sets how to observe, and a capture is already made",                   \
			"leave it out; --from and --to select a time range of a capture"           \
	}

#define OPTION_RULES(table) .rules = (table), .rule_count = sizeof(table) / sizeof((table)[0])

/* A table of a command's own report, in addition to tables of views; an empty name ends the list.
 */
struct command_table {
	const char *name;		   /* JSON key */
	const struct sooth_schema *schema; /* NULL: the fields of its rows vary */
};

struct command {
	const char *name;
	const char *summary;  /* one line for the list of commands */
	const char *usage;    /* arguments, without the name */
	const char *about;    /* a paragraph for its help */
	const char *examples; /* a line each */
	/* Options in the short help, by name or letter, comma-separated; NULL: all. */
	const char *main_options;
	const struct option_group *groups;
	size_t group_count;
	const struct option_rule *rules; /* NULL: none */
	size_t rule_count;
	const struct command_table *tables; /* NULL: none */
	/* Tables of the command's own JSON lines, apart from those of line_views; NULL: none. */
	const struct command_table *lines;
	const char *const *line_views; /* views that emit lines; NULL at the end */
	bool reads_numbers;	       /* a number is a file here, not a PID */
	bool parses_nothing;	       /* it needs no process that parses files of others */
	/* Exit status of every error but that a command to launch cannot run; 0: by the error. */
	int own_error;
	size_t config_size;
	const void *defaults; /* initial config; NULL: all zero */
	/* config begins as the defaults and is filled from the options; returns the exit status,
	 * negative errno with err filled on failure. */
	int (*run)(void *config, const struct arguments *arguments, struct sooth_error *err);
	/* Returns whether the user's settings run this command if no command is typed on a
	 * terminal; NULL: no. */
	bool (*is_default)(void);
};

#define COMMAND_GROUPS(table) .groups = (table), .group_count = sizeof(table) / sizeof((table)[0])

extern const struct command *const commands[]; /* NULL at the end */
const struct command *command_find(const char *name);
/* Parses the options, runs the command, prints its error; returns the exit status. */
int command_main(const struct command *command, int argc, char **argv);
/* Runs a command in a child process and returns its exit status: `words` with the command's name
 * first, and NULL at the end. -1: the child was killed. */
int command_per_process(char *const *words);
/* Prints help for a screen of 80 columns and 24 lines: the main options. */
void command_print_help(const struct command *command);
/* Prints every option. */
void command_print_help_all(const struct command *command);
/* Returns whether the command refuses an option of a group that it shares with others. */
bool command_refuses(const struct command *command, const struct option *option);
/* Prints the options of a group, a line each. */
void command_print_options(const struct option_group *group);
/* Prints an error in three short lines: what failed, why, what to do. */
void command_print_error(const struct sooth_error *err);
/* Ends a command: `status` is its exit status, or negative with err filled, which is printed.
 * Returns the exit status; 0 if the reader closed the pipe, as that is no failure. */
int command_end(int status, const struct sooth_error *err);

/* Checks a file name that is derived from an option. */
int written_check_one(const char *path, const struct arguments *arguments, bool reads_numbers,
	struct sooth_error *err);
int written_refuse_pair(const char *path, struct sooth_error *err);
