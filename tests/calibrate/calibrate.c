/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Says on which numbers the diagnosis of stored captures depends, and how much each may change.
 *
 *   calibrate < INPUTS      a line for each capture: its path and its settings, separated by tabs
 *   calibrate --numbers     prints all numbers: name, value, unit, reason
 *
 * Each number is multiplied by a thousand and divided by a thousand, in groups: where the findings
 * stay the same, none of the group matters. A line is printed for each one that matters: capture,
 * number, and the factor nearest to 1 at which the findings change.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sooth/report.h>

#include "analyze/diagnosis/diagnosis_options.h"
#include "explain/number.h"
#include "explain/registry.h"

#define NUMBERS_MAX 1024
#define LINE_BYTES  8192
#define EXTREME	    1000.0
#define STEPS	    7 /* of the search for the factor: it is within 6 % */

extern const struct number __start_sooth_numbers[], __stop_sooth_numbers[];

struct named {
	char name[96];
	double *now, usual;
	const char *unit, *why;
};

struct input {
	char *path;
	struct check_settings settings;
	struct named numbers[NUMBERS_MAX];
	size_t count;
	char *usual; /* the findings with the usual numbers */
};

static const char *const units[] = { [SOOTH_UNIT_NONE] = "",
	[SOOTH_UNIT_BYTES] = "bytes",
	[SOOTH_UNIT_NS] = "ns",
	[SOOTH_UNIT_PERCENT] = "percent" };

static const char *unit_name(enum sooth_unit unit)
{
	return unit < sizeof(units) / sizeof(units[0]) && units[unit] ? units[unit] : "";
}

/* --- the numbers --- */

static struct named *add(struct input *in, double *now, enum sooth_unit unit, const char *why)
{
	struct named *n = &in->numbers[in->count++];

	if (in->count == NUMBERS_MAX)
		exit(2);
	*n = (struct named){
		.now = now, .usual = *now, .unit = unit_name(unit), .why = why ? why : ""
	};
	return n;
}

/* Lists the numbers of the checks, and the options of the findings as this input sets them. */
static void list_numbers(struct input *in)
{
	in->count = 0;
	for (const struct number *n = __start_sooth_numbers; n < __stop_sooth_numbers; n++) {
		struct named *named = add(in, n->now, n->unit, n->why);
		const char *file = strrchr(n->file, '/');

		snprintf(named->name, sizeof(named->name), "%.*s:%s", (int)strcspn(file + 1, "."),
			file + 1, n->name);
	}
	for (size_t i = 0; registry_findings[i].type; i++) {
		const struct finding_type *type = registry_findings[i].type;

		for (size_t k = 0; k < type->detector->option_count; k++) {
			struct named *named = add(in, &in->settings.all[i].options[k],
				type->detector->options[k].unit, type->detector->options[k].help);

			snprintf(named->name, sizeof(named->name), "%s.%s", type->id,
				type->detector->options[k].name);
		}
	}
}

static void multiply(struct input *in, size_t from, size_t to, double factor)
{
	for (size_t i = from; i < to; i++)
		*in->numbers[i].now = in->numbers[i].usual * factor;
}

/* --- the findings --- */

static void print_finding(
	FILE *out, const struct sooth_schema *schema, const struct sooth_record *row)
{
	static const char *const names[] = { "id", "severity" };
	char text[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct sooth_field *field = sooth_schema_field(schema, names[i]);

		if (!field)
			exit(2);
		sooth_field_text(field, row, text, sizeof(text));
		fprintf(out, "%s ", text);
	}
}

/* Takes the findings within the rows of processes and of the host. */
static int take(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *process)
{
	const struct sooth_field *findings = sooth_schema_field(schema, "findings");
	const struct sooth_record *row = NULL;
	struct sooth_value rows;

	(void)section;
	if (!findings || !findings->rows)
		return 0;
	rows = sooth_field_get(findings, process);
	while (rows.state == SOOTH_STATE_VALUE && (row = sooth_rows_next(&rows, row)))
		print_finding(user, findings->rows, row);
	return 0;
}

/* Returns the findings of the capture with the numbers as they are; the caller frees the text. */
static char *diagnose(const struct input *in)
{
	struct findings_options options = { .settings = &in->settings };
	struct sooth_report *report = NULL;
	struct sooth_error err = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int status = out ? sooth_report_new(&report, "calibrate", &err) : -ENOMEM;

	if (!status)
		status = sooth_report_add_view(report, "findings", &options, &err);
	if (!status)
		status = sooth_report_on_row(report, take, out, &err);
	if (!status)
		status = sooth_report_read(report, in->path, &err);
	if (!status)
		status = sooth_report_finish(report, &err);
	sooth_report_free(report);
	if (out)
		fclose(out);
	if (status) {
		fprintf(stderr, "%s: cannot %s: %s\n", in->path, err.tried, err.why);
		exit(1);
	}
	return text;
}

static bool changes(struct input *in, size_t from, size_t to, double factor)
{
	char *text;
	bool is_other;

	multiply(in, from, to, factor);
	text = diagnose(in);
	multiply(in, from, to, 1);
	is_other = strcmp(text, in->usual) != 0;
	free(text);
	return is_other;
}

/* --- the search --- */

/* Prints the factor nearest to 1 that changes the findings, between 1 and `factor`. */
static void print_margin(struct input *in, size_t i, double factor)
{
	double same = 0, other = log(factor);

	for (int step = 0; step < STEPS; step++) {
		double middle = (same + other) / 2;

		if (changes(in, i, i + 1, exp(middle)))
			other = middle;
		else
			same = middle;
	}
	printf("%s\t%s\t%.3g\n", in->path, in->numbers[i].name, exp(other));
}

static void search(struct input *in, size_t from, size_t to, double factor)
{
	size_t middle = (from + to) / 2;

	if (from == to || !changes(in, from, to, factor))
		return;
	if (to - from == 1) {
		print_margin(in, from, factor);
		return;
	}
	search(in, from, middle, factor);
	search(in, middle, to, factor);
}

static void calibrate(struct input *in, char *line)
{
	struct sooth_error err = { 0 };
	char *rest = NULL, *setting;

	in->path = strtok_r(line, "\t\n", &rest);
	check_settings_init(&in->settings);
	while (in->path && (setting = strtok_r(NULL, "\t\n", &rest))) {
		if (check_settings_set(&in->settings, setting, &err))
			fprintf(stderr, "%s: %s\n", setting, err.why);
	}
	if (!in->path)
		return;
	list_numbers(in);
	in->usual = diagnose(in);
	search(in, 0, in->count, EXTREME);
	search(in, 0, in->count, 1 / EXTREME);
	free(in->usual);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct input in;
	char line[LINE_BYTES];

	if (argc == 2 && !strcmp(argv[1], "--numbers")) {
		check_settings_init(&in.settings);
		list_numbers(&in);
		for (size_t i = 0; i < in.count; i++)
			printf("%s\t%g\t%s\t%s\n", in.numbers[i].name, in.numbers[i].usual,
				in.numbers[i].unit, in.numbers[i].why);
		return 0;
	}
	while (fgets(line, sizeof(line), stdin))
		calibrate(&in, line);
	return 0;
}
