/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints help on a command: one screen, or every option. */
#include <stdio.h>

#include <assert.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/command/command.h"

#define OPTION_WIDTH   28 /* width of the left column */
#define COLUMNS	       79
#define EXAMPLES_SHOWN 2

static void format_left(char left[64], const struct option *o)
{
	const char *argument = o->argument ? o->argument : "";
	const char *space = o->argument ? " " : "";

	if (o->letter && o->name)
		snprintf(left, 64, "-%c, --%s%s%s", o->letter, o->name, space, argument);
	else if (o->letter)
		snprintf(left, 64, "-%c%s%s", o->letter, space, argument);
	else
		snprintf(left, 64, "    --%s%s%s", o->name, space, argument);
}

/* Prints text wrapped at blanks, `indent` columns in; the first line begins after `used`
 * columns. */
static void print_wrapped(const char *text, int used, int indent)
{
	bool is_first = true; /* the next word is the first of its line */
	int column = used;

	while (*text) {
		int word = (int)strcspn(text, " \n");

		if (column > indent && column + 1 + word > COLUMNS) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (!is_first) {
			putchar(' ');
			column++;
		}
		is_first = false;
		printf("%.*s", word, text);
		column += word;
		text += word;
		text += strspn(text, " \n");
	}
	putchar('\n');
}

static void print_option(const struct option *o)
{
	struct buffer help = { 0 };
	char left[64];
	int width;

	format_left(left, o);
	width = strlen(left) > OPTION_WIDTH ? (int)strlen(left) : OPTION_WIDTH;
	printf("  %-*s ", OPTION_WIDTH, left);
	buffer_string(&help, o->help);
	for (size_t i = 0; o->type == OPTION_CHOICE && o->choice(i); i++)
		buffer_format(&help, "%s%s", i ? ", " : ": ", o->choice(i));
	print_wrapped(buffer_cstr(&help), width + 3, OPTION_WIDTH + 3);
	buffer_fini(&help);
}

void command_print_options(const struct option_group *group)
{
	assert(group);
	for (size_t i = 0; i < group->count; i++)
		print_option(&group->options[i]);
}

bool command_refuses(const struct command *c, const struct option *o)
{
	for (size_t i = 0; i < c->rule_count; i++) {
		if (c->rules[i].kind == OPTION_NEVER && o->name &&
			!strcmp(c->rules[i].option, o->name))
			return true;
	}
	return false;
}

void command_print_help_all(const struct command *c)
{
	printf("sooth %s - %s\n\nUsage: sooth %s%s%s\n", c->name, c->summary, c->name,
		*c->usage ? " " : "", c->usage);
	if (c->about)
		printf("\n%s\n", c->about);
	for (size_t g = 0; g < c->group_count; g++) {
		printf("\n%s:\n", c->groups[g].title);
		for (size_t i = 0; i < c->groups[g].count; i++) {
			if (!command_refuses(c, &c->groups[g].options[i]))
				print_option(&c->groups[g].options[i]);
		}
	}
	if (c->examples)
		printf("\nExamples:\n%s", c->examples);
}

/* --- a screen --- */

static bool is_named(const char *word, size_t size, const struct option *o)
{
	if (size == 1 && o->letter == word[0])
		return true;
	return o->name && strlen(o->name) == size && !strncmp(o->name, word, size);
}

static const struct option *find_option(const struct command *c, const char *word, size_t size)
{
	for (size_t g = 0; g < c->group_count; g++) {
		for (size_t i = 0; i < c->groups[g].count; i++) {
			if (is_named(word, size, &c->groups[g].options[i]))
				return &c->groups[g].options[i];
		}
	}
	return NULL;
}

#define CUT " ..."

/* Returns the size of the first clause that fits, or of a part of it; the full help has the
 * rest. */
static int short_size(const char *text, size_t room, bool *is_cut)
{
	static const char *const ends[] = { ";", ", e.g.", " (", ":", "," };
	size_t size = strlen(text);

	for (size_t i = 0; size > room && i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *end = strstr(text, ends[i]);

		if (end && (size_t)(end - text) < size)
			size = (size_t)(end - text);
	}
	*is_cut = size > room;
	while (*is_cut && size > room - strlen(CUT)) {
		do
			size--;
		while (size && text[size] != ' ');
	}
	return (int)size;
}

static void print_short(const struct option *o)
{
	char left[64];
	int width, size;
	bool is_cut;

	format_left(left, o);
	width = strlen(left) > OPTION_WIDTH ? (int)strlen(left) : OPTION_WIDTH;
	size = short_size(o->help, (size_t)(COLUMNS - 3 - width), &is_cut);
	printf("  %-*s %.*s%s\n", OPTION_WIDTH, left, size, o->help, is_cut ? CUT : "");
}

static void print_main_options(const struct command *c)
{
	const char *word = c->main_options;

	printf("\nOptions:\n");
	while (*word) {
		size_t size = strcspn(word, ",");
		const struct option *o = find_option(c, word, size);

		if (o)
			print_short(o);
		word += size + (word[size] == ',');
	}
}

static void print_examples(const char *text)
{
	int shown = 0;

	printf("\nExamples:\n");
	while (*text && shown < EXAMPLES_SHOWN) {
		int size = (int)strcspn(text, "\n");

		if (size <= COLUMNS) {
			printf("%.*s\n", size, text);
			shown++;
		}
		text += size + (text[size] == '\n');
	}
}

void command_print_help(const struct command *c)
{
	assert(c);
	if (!c->main_options) {
		command_print_help_all(c);
		return;
	}
	printf("sooth %s - %s\n\nUsage: sooth %s ", c->name, c->summary, c->name);
	print_wrapped(c->usage, 14 + (int)strlen(c->name), 13);
	print_main_options(c);
	if (c->examples)
		print_examples(c->examples);
	printf("\nAll options: sooth %s --help-all, or: man sooth\n", c->name);
}
