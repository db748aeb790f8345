/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing options by their tables. */
#include "cli/command/options.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/units.h"

#define NAMES_MAX 128
#define WORD_MAX  40 /* most characters of an unknown option; longer ones match none */

struct parser {
	const struct option_group *groups;
	size_t group_count;
	char *config;
	int argc;
	char **argv;
	int at;
	struct arguments *arguments;
	struct sooth_error *err;
};

static int refuse_unknown_option(struct parser *p, const char *typed)
{
	const char *names[NAMES_MAX];
	const char *nearest;
	char word[WORD_MAX + 3]; /* without =VALUE */
	size_t count = 0;

	for (size_t g = 0; g < p->group_count; g++) {
		for (size_t i = 0; i < p->groups[g].count && count < NAMES_MAX; i++) {
			if (p->groups[g].options[i].name)
				names[count++] = p->groups[g].options[i].name;
		}
	}
	error_set(p->err, -EINVAL, SOOTH_FAULT_USAGE, "understand the option %s", typed);
	error_why(p->err, "there is no such option");
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(typed, "="), typed);
	nearest = strncmp(word, "--", 2) ? NULL : nearest_name(word + 2, names, count);
	if (nearest)
		return error_remedy(p->err, "did you mean --%s?", nearest);
	return error_remedy(p->err, "the option --help lists the options");
}

static int refuse_value(
	struct parser *p, const struct option *o, const char *value, const char *wanted)
{
	error_set(p->err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\" as the value of %s%s",
		value, o->name ? "--" : "-", o->name ? o->name : (char[]){ o->letter, '\0' });
	return error_why(p->err, "expected %s", wanted);
}

static int refuse_range(struct parser *p, const struct option *o, const char *value)
{
	char range[96], from[UNITS_SIZE], to[UNITS_SIZE];
	uint64_t number;
	int status;

	if (o->type == OPTION_DURATION)
		snprintf(range, sizeof(range), "from %s to %s", format_ns(from, o->min),
			format_ns(to, o->max));
	else
		snprintf(range, sizeof(range), "from %llu to %llu", (unsigned long long)o->min,
			(unsigned long long)o->max);
	status = refuse_value(p, o, value, range);
	/* The value may be a PID, as in `ps -w 4711`, where -w needs no value. */
	if (o->default_value && o->name && parse_u64(value, &number) && number)
		status = error_remedy(p->err,
			"%s is taken as the value of --%s; for a PID give both: --%s %s %s", value,
			o->name, o->name, o->default_value, value);
	return status;
}

static bool parse_number(const struct option *o, const char *value, uint64_t *number)
{
	return o->type == OPTION_U64	    ? parse_u64(value, number)
	       : o->type == OPTION_DURATION ? parse_duration(value, number)
					    : parse_bytes(value, number);
}

/* Returns whether the value would be valid with fewer digits. */
static bool is_too_large(const struct option *o, const char *value)
{
	size_t digits = strspn(value, "0123456789");
	uint64_t number;
	char small[8] = "1";

	if (!digits || !(o->min || o->max) || strlen(value + digits) > sizeof(small) - 2)
		return false;
	strcat(small, value + digits);
	return parse_number(o, small, &number);
}

static int store_number(struct parser *p, const struct option *o, void *member, const char *value)
{
	uint64_t number;

	if (!parse_number(o, value, &number) && is_too_large(o, value))
		return refuse_range(p, o, value);
	if (!parse_number(o, value, &number))
		return refuse_value(p, o, value,
			o->type == OPTION_DURATION ? "a time such as 5, 200ms or 2m"
			: o->type == OPTION_BYTES  ? "a size such as 4096, 64k or 8M"
						   : "a whole number");
	if ((o->min || o->max) && (number < o->min || number > o->max))
		return refuse_range(p, o, value);
	memcpy(member, &number, sizeof(number));
	return 0;
}

static int store_real(struct parser *p, const struct option *o, void *member, const char *value)
{
	const char *digits = value + (value[0] == '-');
	char *end;
	double number = strtod(digits, &end);

	/* Digits first: strtod(3) also takes blanks, signs, "inf" and "nan". */
	if (digits[0] < '0' || digits[0] > '9' || *end || digits[1] == 'x' || digits[1] == 'X')
		return refuse_value(p, o, value, "a number");
	if (digits != value)
		return o->max ? refuse_range(p, o, value)
			      : refuse_value(p, o, value, "a number from 0 on");
	if ((o->min || o->max) && (number < (double)o->min || number > (double)o->max))
		return refuse_range(p, o, value);
	memcpy(member, &number, sizeof(number));
	return 0;
}

static int store_megabytes(
	struct parser *p, const struct option *o, void *member, const char *value)
{
	uint64_t number;

	if (parse_u64(value, &number) && number && number <= UINT64_MAX >> 20)
		number <<= 20;
	else if (!parse_bytes(value, &number) || !number || !strpbrk(value, "kKmMgGtTbB"))
		return refuse_value(p, o, value, "a size such as 512 (in MB), 512M or 2G");
	memcpy(member, &number, sizeof(number));
	return 0;
}

static int store_choice(struct parser *p, const struct option *o, void *member, const char *value)
{
	char wanted[160] = "one of";

	for (size_t i = 0; o->choice(i); i++) {
		const char *choice = o->choice(i);

		if (!strcmp(choice, value)) {
			*(const char **)member = value;
			return 0;
		}
		if (strlen(wanted) + strlen(choice) + 2 < sizeof(wanted)) {
			strcat(wanted, " ");
			strcat(wanted, choice);
		}
	}
	return refuse_value(p, o, value, wanted);
}

static int store_list(
	struct parser *p, const struct option *o, struct option_list *list, char *value)
{
	char *item;

	while ((item = strsep(&value, ","))) {
		if (!*item)
			return refuse_value(p, o, "", "a list without empty entries");
		if (list->count == OPTION_LIST_MAX)
			return refuse_value(p, o, item, "a list of at most 128 entries");
		list->items[list->count++] = item;
	}
	return 0;
}

static void note_given(struct arguments *a, const struct option *o)
{
	for (size_t i = 0; i < a->given_count; i++) {
		if (a->given[i] == o)
			return;
	}
	if (a->given_count < OPTIONS_GIVEN_MAX)
		a->given[a->given_count++] = o;
}

static int store_value(
	struct parser *p, const struct option_group *g, const struct option *o, char *value)
{
	void *member = p->config + g->offset + o->offset;

	note_given(p->arguments, o);
	switch (o->type) {
	case OPTION_FLAG:
		*(bool *)member = true;
		return 0;
	case OPTION_TEXT:
	case OPTION_FILE:
		*(const char **)member = value;
		return 0;
	case OPTION_CHOICE:
		return store_choice(p, o, member, value);
	case OPTION_REAL:
		return store_real(p, o, member, value);
	case OPTION_MEGABYTES:
		return store_megabytes(p, o, member, value);
	case OPTION_LIST:
		return store_list(p, o, member, value);
	default:
		return store_number(p, o, member, value);
	}
}

static const struct option *find_option(struct parser *p, char letter, const char *name,
	size_t size, const struct option_group **group)
{
	for (size_t g = 0; g < p->group_count; g++) {
		for (size_t i = 0; i < p->groups[g].count; i++) {
			const struct option *o = &p->groups[g].options[i];

			*group = &p->groups[g];
			if (letter ? o->letter == letter
				   : o->name && strlen(o->name) == size &&
						!strncmp(o->name, name, size))
				return o;
		}
	}
	return NULL;
}

/* Uses the next word as the value of an option without an attached value. */
static int next_value(struct parser *p, const struct option *o, char **value)
{
	const char *next = p->at + 1 < p->argc ? p->argv[p->at + 1] : "";

	if (o->default_value && (*next < '0' || *next > '9')) {
		*value = (char *)(uintptr_t)o->default_value;
		return 0;
	}
	if (p->at + 1 < p->argc && strcmp(p->argv[p->at + 1], "--")) {
		*value = p->argv[++p->at];
		return 0;
	}
	error_set(p->err, -EINVAL, SOOTH_FAULT_USAGE, "understand %s", p->argv[p->at]);
	return error_why(
		p->err, "the option needs a value: %s", o->argument ? o->argument : "VALUE");
}

static int parse_long(struct parser *p)
{
	char *word = p->argv[p->at];
	char *equals = strchr(word, '=');
	size_t size = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
	const struct option_group *group;
	const struct option *o = find_option(p, 0, word + 2, size, &group);
	char *value = equals ? equals + 1 : NULL;
	int status = 0;

	if (!o)
		return refuse_unknown_option(p, word);
	if (o->type == OPTION_FLAG && equals)
		return refuse_value(p, o, equals + 1, "no value");
	if (o->type != OPTION_FLAG && !equals)
		status = next_value(p, o, &value);
	return status ? status : store_value(p, group, o, value);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Parses letters: "-abc", "-n5", "-n 5". */
static int parse_letters(struct parser *p)
{
	char *letters = p->argv[p->at] + 1;

	while (*letters) {
		const struct option_group *group;
		const struct option *o = find_option(p, *letters, NULL, 0, &group);
		char *value = letters + 1;
		int status = 0;

		/* Digits in a row are one number: -99 is not -9 twice. */
		if (!o || (is_digit(letters[0]) && is_digit(letters[1]) && o->type == OPTION_FLAG))
			return refuse_unknown_option(p, p->argv[p->at]);
		if (o->type == OPTION_FLAG) {
			store_value(p, group, o, NULL);
			letters++;
			continue;
		}
		if (*value && o->default_value && !is_digit(*value)) {
			status = store_value(p, group, o, (char *)(uintptr_t)o->default_value);
			letters++;
			if (status)
				return status;
			continue;
		}
		if (!*value)
			status = next_value(p, o, &value);
		return status ? status : store_value(p, group, o, value);
	}
	return 0;
}

int options_parse(const struct option_group *groups, size_t group_count, void *config, int argc,
	char **argv, struct arguments *arguments, struct sooth_error *err)
{
	assert(arguments);

	struct parser p = { groups, group_count, config, argc, argv, 1, arguments, err };

	*arguments = (struct arguments){ .items = calloc((size_t)argc + 1, sizeof(char *)) };
	if (!arguments->items)
		return error_no_memory(err);
	for (; p.at < argc; p.at++) {
		const char *word = argv[p.at];
		int status = 0;

		if (!strcmp(word, "--")) {
			arguments->command = argv + p.at + 1;
			break;
		}
		if (!strncmp(word, "--", 2))
			status = parse_long(&p);
		else if (word[0] == '-' && word[1])
			status = parse_letters(&p);
		else
			arguments->items[arguments->count++] = argv[p.at];
		if (status)
			return status;
	}
	return 0;
}
