/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of memtrack. */
#include "compat/memtrack_arguments.h"

#include <errno.h>
#include <string.h>

#define OUTPUT_EQUALS	   "--output="
#define IPC_EQUALS	   "--ipc-server="
#define IPC_EQUALS_SIZE	   (sizeof(IPC_EQUALS) - 1)
#define USAGE		   "track COMMAND [ARG...] [--output FILE]"
#define OUTPUT_EQUALS_SIZE (sizeof(OUTPUT_EQUALS) - 1)

static bool is_word(const char *word, const char *letter, const char *name)
{
	return !strcmp(word, letter) || !strcmp(word, name);
}

static int refuse_arguments(
	struct sooth_error *err, const char *tried, const char *why, const char *remedy)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s", tried);
	error_why(err, "%s", why);
	return error_remedy(err, "%s", remedy);
}

static int set_output(struct memtrack_arguments *w, const char *path, struct sooth_error *err)
{
	if (w->output)
		return refuse_arguments(err, "write to two files", "--output was given twice",
			"if the second --output belongs to the command, put -- before the command");
	if (!*path)
		return refuse_arguments(err, "write to a file without a name", "--output is empty",
			"give --output FILE");
	w->output = path;
	return 0;
}

static int set_ipc_server(struct memtrack_arguments *w, const char *name, struct sooth_error *err)
{
	if (!name || !*name)
		return refuse_arguments(err, "understand --ipc-server", "the option needs a value",
			"give --ipc-server NAME");
	w->ipc_server = name;
	return 0;
}

/* Parses an option before the command; moves *at past the words that it took. */
static int parse_option(
	struct memtrack_arguments *w, int argc, char **argv, int *at, struct sooth_error *err)
{
	const char *word = argv[(*at)++];

	if (is_word(word, "-h", "--help")) {
		w->wants_help = true;
	} else if (is_word(word, "-V", "--version")) {
		w->wants_version = true;
	} else if (!strncmp(word, OUTPUT_EQUALS, OUTPUT_EQUALS_SIZE)) {
		return set_output(w, word + OUTPUT_EQUALS_SIZE, err);
	} else if (!strncmp(word, IPC_EQUALS, IPC_EQUALS_SIZE)) {
		return set_ipc_server(w, word + IPC_EQUALS_SIZE, err);
	} else if (!strcmp(word, "--ipc-server")) {
		return set_ipc_server(w, *at < argc ? argv[(*at)++] : NULL, err);
	} else if (is_word(word, "-o", "--output")) {
		if (*at == argc)
			return refuse_arguments(err, "understand --output",
				"the option needs a value", "give --output FILE");
		return set_output(w, argv[(*at)++], err);
	} else {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand the option %s", word);
		error_why(err, "there is no such option");
		return error_remedy(err, "write the options of COMMAND after COMMAND: memtrack "
					 "track -o FILE -- COMMAND OPTION...");
	}
	return 0;
}

/* Parses a last option after the command: only this one belongs to memtrack, and only without a
 * "--". */
static int parse_last_option(struct memtrack_arguments *w, struct sooth_error *err)
{
	char **words = w->command;
	size_t count = 0;

	for (; words[count]; count++) {
		if (!strcmp(words[count], "--"))
			return 0;
	}
	if (count >= 2 && !strncmp(words[count - 1], OUTPUT_EQUALS, OUTPUT_EQUALS_SIZE)) {
		const char *path = words[count - 1] + OUTPUT_EQUALS_SIZE;

		words[count - 1] = NULL;
		return set_output(w, path, err);
	}
	if (count >= 3 && is_word(words[count - 2], "-o", "--output")) {
		words[count - 2] = NULL;
		return set_output(w, words[count - 1], err);
	}
	return 0;
}

static int copy_words(
	struct memtrack_arguments *w, int argc, char **argv, int at, struct sooth_error *err)
{
	bool is_all_of_it = false; /* the words after a "--" */
	int status = 0;

	while (!status && at < argc && argv[at][0] == '-' && argv[at][1] && !is_all_of_it) {
		if (!strcmp(argv[at], "--")) {
			is_all_of_it = true;
			at++;
		} else {
			status = parse_option(w, argc, argv, &at, err);
		}
	}
	if (status || w->wants_help || w->wants_version)
		return status;
	if (at == argc)
		return refuse_arguments(
			err, "track without a command", "no command is given after --", USAGE);
	w->command = argv + at;
	return is_all_of_it ? 0 : parse_last_option(w, err);
}

int memtrack_arguments_parse(
	struct memtrack_arguments *words, int argc, char **argv, struct sooth_error *err)
{
	*words = (struct memtrack_arguments){ 0 };
	if (argc > 1 && is_word(argv[1], "-h", "--help"))
		words->wants_help = true;
	else if (argc > 1 && is_word(argv[1], "-V", "--version"))
		words->wants_version = true;
	if (words->wants_help || words->wants_version)
		return 0;
	if (argc < 2)
		return refuse_arguments(
			err, "run without a subcommand", "no subcommand given", USAGE);
	if (strcmp(argv[1], "track")) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\"", argv[1]);
		error_why(err, "the only subcommand is `track`");
		return error_remedy(err, USAGE);
	}
	return copy_words(words, argc, argv, 2, err);
}
