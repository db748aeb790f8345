/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a command: parses options, prints help and errors. */
#include "cli/command/command.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/same_file.h"
#include "base/units.h"
#include "cli/command/options.h"
#include "cli/command/target.h"
#include "cli/rights/explaining.h"

/* --- files that are written --- */

/* Checks output files before a command starts: no output replaces the input, and no two go to one
 * file. Every option that names an output file is OPTION_FILE, so that the check finds all of
 * them. */

static int refuse_read(const char *path, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write %s", path);
	error_why(err, "the output file is the input capture and would be overwritten");
	return error_remedy(err, "give another file name");
}

int written_refuse_pair(const char *path, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write two things to %s", path);
	error_why(err, "both options name the same file");
	return error_remedy(err, "give different file names");
}

static bool is_standard_stream(const char *path)
{
	return !strcmp(path, "-");
}

static bool is_input_file(const char *path, const char *argument, bool reads_numbers)
{
	uint64_t number;

	if (is_standard_stream(argument))
		return file_is_open_as(path, STDIN_FILENO);
	if (!reads_numbers && parse_u64(argument, &number))
		return false;
	return file_is_same(path, argument);
}

int written_check_one(const char *path, const struct arguments *arguments, bool reads_numbers,
	struct sooth_error *err)
{
	assert(arguments);
	if (is_standard_stream(path))
		return 0;
	for (size_t i = 0; i < arguments->count; i++) {
		if (is_input_file(path, arguments->items[i], reads_numbers))
			return refuse_read(path, err);
	}
	return 0;
}

static bool is_path_given(const struct arguments *arguments, const struct option *o)
{
	for (size_t i = 0; i < arguments->given_count; i++) {
		if (arguments->given[i] == o)
			return true;
	}
	return false;
}

/* Lists the names of all given output files. */
static size_t list_written(const struct option_group *groups, size_t group_count,
	const char *config, const struct arguments *arguments, const char *names[OPTIONS_GIVEN_MAX])
{
	size_t count = 0;

	for (size_t g = 0; g < group_count; g++) {
		for (size_t i = 0; i < groups[g].count && count < OPTIONS_GIVEN_MAX; i++) {
			const struct option *o = &groups[g].options[i];

			if (o->type == OPTION_FILE && !o->is_input && is_path_given(arguments, o))
				names[count++] =
					*(const char *const *)(const void *)(config +
									     groups[g].offset +
									     o->offset);
		}
	}
	return count;
}

/* Checks all files of the options. `reads_numbers`: a number is a file as well, not a PID. */
static int written_check(const struct option_group *groups, size_t group_count, const void *config,
	const struct arguments *arguments, bool reads_numbers, struct sooth_error *err)
{
	const char *names[OPTIONS_GIVEN_MAX];
	size_t count = list_written(groups, group_count, config, arguments, names);
	int status = 0;

	explaining_note_outputs(names, count);
	for (size_t i = 0; i < count && !status; i++) {
		status = written_check_one(names[i], arguments, reads_numbers, err);
		for (size_t k = 0; k < i && !status; k++) {
			if (!is_standard_stream(names[i]) && file_is_same(names[i], names[k]))
				status = written_refuse_pair(names[i], err);
		}
	}
	return status;
}

/* --- checking options against rules --- */

#define SHOWN_MAX 160 /* bytes of names in an error */
#define WORD_MAX  40  /* bytes of an option */

struct given {
	const struct arguments *arguments;
	bool has_capture;
};

static bool is_option_called(const struct option *o, const char *name, size_t size)
{
	if (o->name)
		return strlen(o->name) == size && !strncmp(o->name, name, size);
	return size == 1 && o->letter == *name;
}

static bool is_option_given(const struct given *g, const char *name, size_t size)
{
	const struct arguments *a = g->arguments;

	if (size == 4 && !strncmp(name, "FILE", size))
		return g->has_capture;
	if (size == 3 && !strncmp(name, "PID", size))
		return a->count && !g->has_capture;
	for (size_t i = 0; i < a->given_count; i++) {
		if (is_option_called(a->given[i], name, size))
			return true;
	}
	return false;
}

/* Walks a list of names; false at its end. */
static bool next_name(const char **at, const char **name, size_t *size)
{
	if (!*at || !**at)
		return false;
	*name = *at;
	*size = strcspn(*at, ",");
	*at += *size + ((*at)[*size] == ',');
	return true;
}

static bool has_name(const char *list, const struct option *o)
{
	const char *name;
	size_t size;

	while (next_name(&list, &name, &size)) {
		if (is_option_called(o, name, size))
			return true;
	}
	return false;
}

/* Writes an option as a user types it. */
static void format_option(char out[SHOWN_MAX], const char *name, size_t size)
{
	if (size == 4 && !strncmp(name, "FILE", size))
		snprintf(out, SHOWN_MAX, "a capture");
	else if (size == 3 && !strncmp(name, "PID", size))
		snprintf(out, SHOWN_MAX, "a PID");
	else
		snprintf(out, SHOWN_MAX, "%s%.*s", size == 1 ? "-" : "--",
			(int)(size < WORD_MAX ? size : WORD_MAX), name);
}

static void show_list(char out[SHOWN_MAX], const char *list)
{
	const char *name;
	size_t size, at = 0;

	out[0] = '\0';
	while (next_name(&list, &name, &size)) {
		char one[SHOWN_MAX];

		format_option(one, name, size);
		if (at + strlen(one) + 5 < SHOWN_MAX)
			at += (size_t)snprintf(
				out + at, SHOWN_MAX - at, "%s%s", at ? " or " : "", one);
	}
}

/* --- errors --- */

static int refuse_option(const struct option_rule *rule, const char *other, struct sooth_error *err)
{
	char option[SHOWN_MAX], others[SHOWN_MAX];

	format_option(option, rule->option, strlen(rule->option));
	show_list(others, rule->others);
	if (rule->kind == OPTION_NEVER)
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take %s here", option);
	else if (rule->kind == OPTION_NEEDS)
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take %s without %s", option, others);
	else
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take %s with %s", option, other);
	error_why(err, "%s", rule->why);
	if (rule->remedy)
		return error_remedy(err, "%s", rule->remedy);
	if (rule->kind == OPTION_NEEDS)
		return error_remedy(err, "add the option %s, or leave out %s", others, option);
	return error_remedy(err, "leave out %s%s%s", option,
		rule->kind == OPTION_NEVER ? "" : " or ", rule->kind == OPTION_NEVER ? "" : other);
}

static int check_per_process(
	const struct option_rule *rule, const struct given *g, struct sooth_error *err)
{
	const char *list = rule->others, *name;
	char other[SHOWN_MAX];
	size_t size;

	while (next_name(&list, &name, &size)) {
		if (!is_option_given(g, name, size))
			continue;
		format_option(other, name, size);
		return refuse_option(rule, other, err);
	}
	return 0;
}

static int check_needs(
	const struct option_rule *rule, const struct given *g, struct sooth_error *err)
{
	const char *list = rule->others, *name;
	size_t size;

	while (next_name(&list, &name, &size)) {
		if (is_option_given(g, name, size))
			return 0;
	}
	return refuse_option(rule, "", err);
}

static int check_alone(
	const struct option_rule *rule, const struct given *g, struct sooth_error *err)
{
	for (size_t i = 0; i < g->arguments->given_count; i++) {
		const struct option *o = g->arguments->given[i];
		char other[SHOWN_MAX];

		if (is_option_called(o, rule->option, strlen(rule->option)) ||
			has_name(rule->others, o))
			continue;
		if (o->name)
			format_option(other, o->name, strlen(o->name));
		else
			format_option(other, &o->letter, 1);
		return refuse_option(rule, other, err);
	}
	return 0;
}

/* Checks the rules; the first broken rule is the error. */
static int option_rules_check(const struct option_rule *rules, size_t count,
	const struct arguments *arguments, bool has_capture, struct sooth_error *err)
{
	const struct given g = { arguments, has_capture };
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		const struct option_rule *rule = &rules[i];

		if (!is_option_given(&g, rule->option, strlen(rule->option)))
			continue;
		if (rule->kind == OPTION_NEVER)
			status = refuse_option(rule, "", err);
		else if (rule->kind == OPTION_PER_PROCESS)
			status = check_per_process(rule, &g, err);
		else if (rule->kind == OPTION_NEEDS)
			status = check_needs(rule, &g, err);
		else
			status = check_alone(rule, &g, err);
	}
	return status;
}

#define COMMAND(id, group) extern const struct command command_##id;
#include "cmds/commands.def"
#undef COMMAND

#define COMMAND(id, group) &command_##id,
const struct command *const commands[] = {
#include "cmds/commands.def"
	NULL,
};

const struct command *command_find(const char *name)
{
	size_t i = 0;

	while (commands[i] && strcmp(commands[i]->name, name))
		i++;
	return commands[i];
}

static void print_line(const char *label, const char *text)
{
	struct buffer line = { 0 };

	if (!text[0])
		return;
	/* Names in the text may come from a target or a file, so they are escaped. */
	escape_terminal(&line, text, strlen(text));
	fprintf(stderr, "%s%s\n", label, buffer_cstr(&line));
	buffer_fini(&line);
}

/* Returns the remedy for errors without a remedy of their own. */
static const char *usual_remedy(const struct sooth_error *err)
{
	switch (err->fault) {
	case SOOTH_FAULT_USAGE:
		return "the option --help shows the usage";
	case SOOTH_FAULT_NOT_FOUND:
		return strchr(err->tried, '/') ? "check the path"
					       : "check the name; a command to launch follows --";
	case SOOTH_FAULT_IO:
		return err->code == -EMFILE
			       ? "ulimit -n 4096"
			       : "check the file, its permissions, and the free space of its disk";
	case SOOTH_FAULT_PRIVILEGE:
	case SOOTH_FAULT_UNSUPPORTED:
		return "`sooth doctor` shows what can be observed here, and how to get the rest";
	default:
		return "";
	}
}

void command_print_error(const struct sooth_error *err)
{
	char missing[256] = "";

	print_line("sooth: cannot ", err->tried);
	if (err->missing[0] && err->why[0])
		snprintf(missing, sizeof(missing), " (missing: %s)", err->missing);
	else if (err->missing[0])
		snprintf(missing, sizeof(missing), "missing: %s", err->missing);
	if (err->why[0] || missing[0]) {
		char why[sizeof(err->why) + sizeof(missing)];

		snprintf(why, sizeof(why), "%s%s", err->why, missing);
		print_line("  why: ", why);
	}
	print_line("  try: ", err->remedy[0] ? err->remedy : usual_remedy(err));
}

static bool asks_for_help(int argc, char **argv, const char *word)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], word))
			return true;
	}
	return false;
}

int command_end(int status, const struct sooth_error *err)
{
	if (status >= 0)
		return status;
	if (err->code == -EPIPE)
		return 0;
	command_print_error(err);
	return error_exit_status(err);
}

static int check_rules(
	const struct command *c, const struct arguments *arguments, struct sooth_error *err)
{
	static const struct option_rule every[] = { { OPTION_PER_PROCESS, "json", "format",
		"-j means --format json, or jsonl of a stream", NULL } };
	bool has_capture = target_capture(arguments) != NULL;
	int status = option_rules_check(every, ARRAY_SIZE(every), arguments, has_capture, err);

	return status ? status
		      : option_rules_check(c->rules, c->rule_count, arguments, has_capture, err);
}

int command_main(const struct command *c, int argc, char **argv)
{
	assert(c);

	_cleanup_free_ char *config = calloc(1, c->config_size + 1);
	struct arguments arguments = { 0 };
	struct sooth_error err = { 0 };
	int status, used;

	if (asks_for_help(argc, argv, "--help-all")) {
		command_print_help_all(c);
		return 0; /* main() checks that it was written */
	}
	if (asks_for_help(argc, argv, "--help") || asks_for_help(argc, argv, "-h")) {
		command_print_help(c);
		return 0;
	}
	if (config && c->defaults)
		memcpy(config, c->defaults, c->config_size);
	status = config ? options_parse(
				  c->groups, c->group_count, config, argc, argv, &arguments, &err)
			: error_no_memory(&err);
	if (!status)
		status = check_rules(c, &arguments, &err);
	if (!status)
		status = written_check(
			c->groups, c->group_count, config, &arguments, c->reads_numbers, &err);
	if (!status)
		status = c->run(config, &arguments, &err);
	free(arguments.items);
	used = command_end(status, &err);
	return status < 0 && c->own_error && err.fault != SOOTH_FAULT_NO_COMMAND &&
			       err.fault != SOOTH_FAULT_NOT_EXECUTABLE
		       ? c->own_error
		       : used;
}
