/* SPDX-License-Identifier: BSD-2-Clause */
/* Checking options against rules. */
#include "cli/command/option_rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 160 /* names in an error */
#define WORD_MAX  40  /* of an option */

struct given {
	const struct arguments *arguments;
	bool has_capture;
};

static bool is_called(const struct option *o, const char *name, size_t size)
{
	if (o->name)
		return strlen(o->name) == size && !strncmp(o->name, name, size);
	return size == 1 && o->letter == *name;
}

static bool is_given(const struct given *g, const char *name, size_t size)
{
	const struct arguments *a = g->arguments;

	if (size == 4 && !strncmp(name, "FILE", size))
		return g->has_capture;
	if (size == 3 && !strncmp(name, "PID", size))
		return a->count && !g->has_capture;
	for (size_t i = 0; i < a->given_count; i++) {
		if (is_called(a->given[i], name, size))
			return true;
	}
	return false;
}

/* Walks a list; false at its end. */
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
		if (is_called(o, name, size))
			return true;
	}
	return false;
}

/* As it is typed. */
static void show(char out[SHOWN_MAX], const char *name, size_t size)
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

		show(one, name, size);
		if (at + strlen(one) + 5 < SHOWN_MAX)
			at += (size_t)snprintf(
				out + at, SHOWN_MAX - at, "%s%s", at ? " or " : "", one);
	}
}

/* --- errors --- */

static int refuse(const struct option_rule *rule, const char *other, struct sooth_error *err)
{
	char option[SHOWN_MAX], others[SHOWN_MAX];

	show(option, rule->option, strlen(rule->option));
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
		if (!is_given(g, name, size))
			continue;
		show(other, name, size);
		return refuse(rule, other, err);
	}
	return 0;
}

static int check_needs(
	const struct option_rule *rule, const struct given *g, struct sooth_error *err)
{
	const char *list = rule->others, *name;
	size_t size;

	while (next_name(&list, &name, &size)) {
		if (is_given(g, name, size))
			return 0;
	}
	return refuse(rule, "", err);
}

static int check_alone(
	const struct option_rule *rule, const struct given *g, struct sooth_error *err)
{
	for (size_t i = 0; i < g->arguments->given_count; i++) {
		const struct option *o = g->arguments->given[i];
		char other[SHOWN_MAX];

		if (is_called(o, rule->option, strlen(rule->option)) || has_name(rule->others, o))
			continue;
		if (o->name)
			show(other, o->name, strlen(o->name));
		else
			show(other, &o->letter, 1);
		return refuse(rule, other, err);
	}
	return 0;
}

int option_rules_check(const struct option_rule *rules, size_t count,
	const struct arguments *arguments, bool has_capture, struct sooth_error *err)
{
	const struct given g = { arguments, has_capture };
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		const struct option_rule *rule = &rules[i];

		if (!is_given(&g, rule->option, strlen(rule->option)))
			continue;
		if (rule->kind == OPTION_NEVER)
			status = refuse(rule, "", err);
		else if (rule->kind == OPTION_PER_PROCESS)
			status = check_per_process(rule, &g, err);
		else if (rule->kind == OPTION_NEEDS)
			status = check_needs(rule, &g, err);
		else
			status = check_alone(rule, &g, err);
	}
	return status;
}
