/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/command/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

#define NAME_MOST  64
#define VALUE_MOST 4096
#define NAMES_MOST 64

static struct span trim_blanks(struct span text)
{
	while (text.size && strchr(" \t\r", text.data[0]))
		text = span_of(text.data + 1, text.size - 1);
	while (text.size && strchr(" \t\r", text.data[text.size - 1]))
		text.size--;
	return text;
}

static const struct option *find_option(
	const struct option_group *groups, size_t group_count, struct span name)
{
	for (size_t g = 0; g < group_count; g++) {
		for (size_t i = 0; i < groups[g].count; i++) {
			const struct option *o = &groups[g].options[i];

			if (o->name && span_equal(name, o->name))
				return o;
		}
	}
	return NULL;
}

/* Refuses a line; the remedy is a line for the file. */
static int refuse_line(const struct settings *s, const char *file, unsigned line, const char *why,
	struct span word, const struct option *near, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "read line %u of %s", line, file);
	error_why(err, "%s: \"%.*s\"", why, word.size < NAME_MOST ? (int)word.size : NAME_MOST,
		word.data);
	if (!near)
		return error_remedy(err, "%s", s->help);
	return error_remedy(
		err, "%s = %s", near->name, near->type == OPTION_FLAG ? "yes" : near->argument);
}

/* Returns an option with a similar name; NULL: none. */
static const struct option *option_near(
	const struct option_group *groups, size_t group_count, struct span word)
{
	char typed[NAME_MOST];
	const char *names[NAMES_MOST], *found;
	size_t count = 0;

	snprintf(typed, sizeof(typed), "%.*s", (int)(word.size < NAME_MOST ? word.size : 0),
		word.data);
	for (size_t g = 0; g < group_count; g++) {
		for (size_t i = 0; i < groups[g].count && count < NAMES_MOST; i++) {
			if (groups[g].options[i].name)
				names[count++] = groups[g].options[i].name;
		}
	}
	found = nearest_name(typed, names, count);
	return found ? find_option(groups, group_count, span_of(found, strlen(found))) : NULL;
}

/* Adds the file and line to the option's error about its value. */
static int refuse_value(
	const struct settings *s, const char *file, unsigned line, struct sooth_error *err)
{
	struct sooth_error value = *err;

	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "read line %u of %s", line, file);
	error_why(err, "cannot %s: %s", value.tried, value.why);
	return error_remedy(err, "%s", value.remedy[0] ? value.remedy : s->help);
}

/* Applies one option as if it was typed. */
static int apply_option(struct settings *s, const struct option_group *groups, size_t group_count,
	void *config, struct span name, struct span value, bool is_flag, struct sooth_error *err)
{
	char *argv[3] = { "", NULL, NULL };
	struct arguments ignored = { 0 };
	int status;

	if (s->count == SETTINGS_MAX)
		return error_set(
			err, -E2BIG, SOOTH_FAULT_USAGE, "take more than %d settings", SETTINGS_MAX);
	if (asprintf(&argv[1], "--%.*s%s%.*s", (int)name.size, name.data, is_flag ? "" : "=",
		    is_flag ? 0 : (int)value.size, value.data) < 0)
		return error_no_memory(err);
	s->words[s->count++] = argv[1];
	status = options_parse(groups, group_count, config, 2, argv, &ignored, err);
	free(ignored.items);
	return status;
}

static int parse_line(struct settings *s, const char *file, unsigned number, struct span line,
	const struct option_group *groups, size_t group_count, void *config,
	struct sooth_error *err)
{
	const char *equals = line.size ? memchr(line.data, '=', line.size) : NULL;
	size_t size = equals ? (size_t)(equals - line.data) : 0;
	struct span name = trim_blanks(span_of(line.data, size)), value;
	const struct option *o;

	if (!equals)
		return refuse_line(s, file, number, "it is no NAME = VALUE", line,
			option_near(groups, group_count, line), err);
	value = trim_blanks(span_of(equals + 1, line.size - size - 1));
	o = find_option(groups, group_count, name);
	if (!o)
		return refuse_line(s, file, number, "there is no such setting", name,
			option_near(groups, group_count, name), err);
	if (value.size > VALUE_MOST || (value.size && memchr(value.data, '\0', value.size)))
		return refuse_line(
			s, file, number, "the value is too long, or no text", name, o, err);
	if (o->type == OPTION_FLAG) {
		if (span_equal(value, "no"))
			return 0;
		if (!span_equal(value, "yes"))
			return refuse_line(
				s, file, number, "it is neither yes nor no", value, o, err);
	}
	return apply_option(
		       s, groups, group_count, config, name, value, o->type == OPTION_FLAG, err)
		       ? refuse_value(s, file, number, err)
		       : 0;
}

int settings_parse(struct settings *s, const char *file, struct span text,
	const struct option_group *groups, size_t group_count, void *config,
	const struct settings_errors *errors, struct sooth_error *err)
{
	struct cursor c = cursor_over(text.data, text.size);
	unsigned number = 0;
	int status = 0;

	while (!cursor_at_end(&c) && (!status || (errors && status == -EINVAL))) {
		struct span line = trim_blanks(cursor_line(&c));
		struct sooth_error of_line;
		int failed = 0;

		number++;
		if (line.size && line.data[0] != '#')
			failed = parse_line(
				s, file, number, line, groups, group_count, config, &of_line);
		if (!failed)
			continue;
		if (status)
			errors->take(errors->user, err);
		status = failed;
		*err = of_line;
	}
	return status;
}

void settings_fini(struct settings *s)
{
	assert(s);
	for (size_t i = 0; i < s->count; i++)
		free(s->words[i]);
	*s = (struct settings){ 0 };
}

static size_t size_of(const struct option *o)
{
	switch (o->type) {
	case OPTION_FLAG:
		return sizeof(bool);
	case OPTION_TEXT:
	case OPTION_FILE:
	case OPTION_CHOICE:
		return sizeof(const char *);
	case OPTION_REAL:
		return sizeof(double);
	case OPTION_LIST:
		return sizeof(struct option_list);
	default:
		return sizeof(uint64_t);
	}
}

static bool is_setting_given(const struct arguments *arguments, const struct option *o)
{
	for (size_t i = 0; i < arguments->given_count; i++) {
		if (arguments->given[i] == o)
			return true;
	}
	return false;
}

void settings_override(const struct option_group *groups, size_t group_count, void *config,
	const void *typed, const struct arguments *arguments)
{
	for (size_t g = 0; g < group_count; g++) {
		for (size_t i = 0; i < groups[g].count; i++) {
			const struct option *o = &groups[g].options[i];
			size_t at = groups[g].offset + o->offset;

			if (is_setting_given(arguments, o))
				memcpy((char *)config + at, (const char *)typed + at, size_of(o));
		}
	}
}
