/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/check_settings.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/registry.h"

#define LINE_MAX_SIZE 256
#define WORD_SIZE     96
#define BLANKS	      " \t\r"

void check_settings_init(struct check_settings *s)
{
	assert(s);
	*s = (struct check_settings){ 0 };
	for (size_t i = 0; registry_findings[i].type && i < CHECK_SETTINGS_MAX; i++) {
		const struct finding_type *type = registry_findings[i].type;

		s->all[i].severity = registry_findings[i].severity;
		for (size_t k = 0; k < type->detector->option_count; k++)
			s->all[i].options[k] = type->detector->options[k].default_value;
	}
}

static int refuse_setting(
	struct sooth_error *err, const char *line, const char *why, const char *remedy)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "set \"%s\"", line);
	error_why(err, "%s", why);
	return error_remedy(err, "%s", remedy);
}

const char *check_settings_value(
	const struct finding_option *option, double value, char out[UNITS_SIZE])
{
	if (option->unit == SOOTH_UNIT_NS)
		return format_ns(out, (uint64_t)value);
	if (option->unit == SOOTH_UNIT_BYTES)
		return format_bytes(out, (uint64_t)value);
	snprintf(out, UNITS_SIZE, "%.15g", value);
	return out;
}

static int refuse_range(
	struct sooth_error *err, const char *line, const struct finding_option *option)
{
	char least[UNITS_SIZE], most[UNITS_SIZE], remedy[3 * UNITS_SIZE];

	snprintf(remedy, sizeof(remedy), "use a value from %s to %s",
		check_settings_value(option, option->min, least),
		check_settings_value(option, option->max, most));
	return refuse_setting(err, line, "the value is out of range", remedy);
}

/* Drops surrounding blanks. */
static struct span trim_blanks(struct span s)
{
	while (s.size && strchr(BLANKS, *s.data))
		s = span_of(s.data + 1, s.size - 1);
	while (s.size && strchr(BLANKS, s.data[s.size - 1]))
		s.size--;
	return s;
}

static bool copy_word(char out[WORD_SIZE], struct span word)
{
	word = trim_blanks(word);
	snprintf(out, WORD_SIZE, "%.*s", SPAN_ARGS(word));
	return word.size && word.size < WORD_SIZE;
}

/* Splits a line at "=". */
static bool split_setting(const char *line, char name[WORD_SIZE], char value[WORD_SIZE])
{
	const char *equal = strchr(line, '=');

	return equal && copy_word(name, span_of(line, (size_t)(equal - line))) &&
	       copy_word(value, span_of_string(equal + 1));
}

static bool parse_value(const struct finding_option *option, const char *text, double *value)
{
	uint64_t number = 0;
	char *end;

	if (option->unit == SOOTH_UNIT_NS || option->unit == SOOTH_UNIT_BYTES) {
		bool is_valid = option->unit == SOOTH_UNIT_NS ? parse_duration(text, &number)
							      : parse_bytes(text, &number);

		*value = (double)number;
		return is_valid;
	}
	errno = 0;
	*value = strtod(text, &end);
	return end != text && !*end && !errno && *value == *value;
}

static int set_severity(
	struct check_setting *setting, const char *line, const char *value, struct sooth_error *err)
{
	if (!strcmp(value, "off")) {
		setting->is_muted = true;
		return 0;
	}
	for (unsigned i = 0; i < FINDING_SEVERITIES; i++) {
		if (strcmp(finding_severity_names.names[i], value) != 0)
			continue;
		setting->severity = (enum finding_severity)i;
		setting->is_severity_chosen = true;
		setting->is_muted = false;
		return 0;
	}
	return refuse_setting(
		err, line, "unknown severity", "use info, low, medium, high, critical, or off");
}

static int set_option(struct check_setting *setting, const struct finding_type *type,
	const char *line, const char *name, const char *value, struct sooth_error *err)
{
	for (size_t i = 0; i < type->detector->option_count; i++) {
		const struct finding_option *option = &type->detector->options[i];
		double number;

		if (strcmp(option->name, name) != 0)
			continue;
		if (!parse_value(option, value, &number))
			return refuse_setting(err, line, "not a valid value of this option",
				option->unit == SOOTH_UNIT_NS	   ? "use a time: 5, 200ms or 2m"
				: option->unit == SOOTH_UNIT_BYTES ? "use a size: 4096, 64k or 2G"
								   : "use a number");
		if (number < option->min || number > option->max)
			return refuse_range(err, line, option);
		setting->options[i] = number;
		return 0;
	}
	return refuse_setting(err, line, "this finding has no such option",
		"sooth diagnose --list-findings lists the findings and their options");
}

int check_settings_set(struct check_settings *s, const char *line, struct sooth_error *err)
{
	char name[WORD_SIZE], value[WORD_SIZE];
	const struct finding_entry *entry;
	struct check_setting *setting;
	char *option;

	assert(s);
	if (!split_setting(line, name, value))
		return refuse_setting(err, line, "expected NAME=VALUE",
			"use a form such as fd-leak.min-rate=2, fd-leak=medium or outdated=off");
	option = strchr(name, '.');
	if (option)
		*option++ = '\0';
	if (registry_finding_is_retired(name))
		return 0;
	entry = registry_finding(name);
	if (!entry)
		return refuse_setting(err, line, "unknown finding",
			"sooth diagnose --list-findings lists the findings and their options");
	setting = &s->all[entry - registry_findings];
	return option ? set_option(setting, entry->type, line, option, value, err)
		      : set_severity(setting, line, value, err);
}

int check_settings_parse(struct check_settings *s, const char *name, const char *text, size_t size,
	struct sooth_error *err)
{
	struct cursor c = cursor_over(text, size);
	struct sooth_error wrong;
	unsigned number = 0;

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		const char *comment = memchr(line.data, '#', line.size);
		char copy[LINE_MAX_SIZE];
		int status;

		number++;
		if (comment)
			line.size = (size_t)(comment - line.data);
		line = trim_blanks(line);
		if (!line.size)
			continue;
		snprintf(copy, sizeof(copy), "%.*s", SPAN_ARGS(line));
		status = check_settings_set(s, copy, &wrong);
		if (status) {
			error_set(err, status, SOOTH_FAULT_USAGE, "read %s", name);
			error_why(err, "line %u: \"%s\": %s", number, copy, wrong.why);
			return error_remedy(err, "%s", wrong.remedy);
		}
	}
	return 0;
}
