/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns and sort order, by name or heading. */
#include "cli/command/columns.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "model/former_names.h"

#define FIELDS_MAX  128
#define REMEDY_REST 64 /* bytes of a remedy beside its names */

/* Returns whether a field has the typed name, heading, or heading made of its name: "THRDS",
 * "SESSION ID". */
static bool is_called(const struct sooth_field *f, const char *typed)
{
	size_t i = 0;

	if (!strcasecmp(f->name, typed) || (f->label && !strcasecmp(f->label, typed)))
		return true;
	while (f->name[i] && typed[i] &&
		!strncasecmp(f->name[i] == '_' ? " " : &f->name[i], &typed[i], 1))
		i++;
	return !f->name[i] && !typed[i];
}

static const struct sooth_field *find_column(const struct sooth_schema *schema, const char *typed)
{
	const struct sooth_field *found = field_by_any_name(schema, typed);

	for (size_t i = 0; !found && i < schema->field_count; i++) {
		if (is_called(&schema->fields[i], typed))
			found = &schema->fields[i];
	}
	return found;
}

/* Adds a name to a list, if it fits. */
static void add_suggestion(char *out, size_t size, const char *name)
{
	size_t used = strlen(out);

	if (used + strlen(name) + 3 < size)
		snprintf(out + used, size - used, "%s%s", used ? ", " : "", name);
}

/* Suggests names that begin with the typed text, then names that contain it. */
static void suggest_all(
	char *out, size_t size, const struct sooth_schema *schema, const char *typed)
{
	for (int is_inside = 0; is_inside < 2 && typed[0]; is_inside++) {
		for (size_t i = 0; i < schema->field_count; i++) {
			const char *name = schema->fields[i].name, *at = strcasestr(name, typed);

			if (at && (at != name) == is_inside)
				add_suggestion(out, size, name);
		}
	}
}

static int refuse_unknown_column(const struct sooth_schema *schema, const char *verb,
	const char *typed, struct sooth_error *err)
{
	const char *names[2 * FIELDS_MAX];
	size_t count = 0;
	char near[sizeof(err->remedy) - REMEDY_REST] = "";
	const char *nearest;

	for (size_t i = 0; i < schema->field_count && i < FIELDS_MAX; i++) {
		const struct sooth_field *f = &schema->fields[i];

		names[count++] = f->name;
		if (f->label)
			names[count++] = f->label;
	}
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s the column \"%s\"", verb, typed);
	error_why(err, "the table has no such column");
	suggest_all(near, sizeof(near), schema, typed);
	nearest = near[0] ? near : nearest_name(typed, names, count);
	if (nearest)
		return error_remedy(err, "did you mean %s? --columns help lists all", nearest);
	return error_remedy(err, "--columns help lists all, as the members of a process in -j");
}

bool columns_want_help(const struct option_list *typed)
{
	assert(typed);
	return typed->count == 1 && !strcmp(typed->items[0], "help");
}

void columns_help(const struct sooth_schema *schema)
{
	assert(schema);
	for (size_t i = 0; i < schema->field_count; i++)
		printf("%-18s  %s\n", schema->fields[i].name, schema->fields[i].help);
}

void columns_add(struct buffer *out, const char *names)
{
	assert(out);
	buffer_format(out, "%s%s", out->size ? "," : "", names);
}

bool columns_have(const char *columns, const char *name)
{
	size_t size;

	for (; *columns; columns += size + (columns[size] == ',')) {
		size = strcspn(columns, ",");
		if (size == strlen(name) && !strncmp(columns, name, size))
			return true;
	}
	return false;
}

int columns_choose(struct buffer *out, bool *is_more, const struct sooth_schema *schema,
	const struct option_list *typed, struct sooth_error *err)
{
	assert(typed);
	*is_more = !typed->count || typed->items[0][0] == '+';
	for (size_t i = 0; i < typed->count; i++) {
		const char *item = typed->items[i] + (typed->items[i][0] == '+');
		const struct sooth_field *f = find_column(schema, item);

		if (!f)
			return refuse_unknown_column(schema, "show", item, err);
		columns_add(out, f->name);
	}
	buffer_cstr(out);
	return buffer_failed(out) ? error_no_memory(err) : 0;
}

int columns_sort(const struct sooth_field **field, bool *is_descending,
	const struct sooth_schema *schema, const char *typed, struct sooth_error *err)
{
	const struct sooth_field *f = find_column(schema, typed + (typed[0] == '-'));

	if (!f)
		return refuse_unknown_column(schema, "sort by", typed + (typed[0] == '-'), err);
	*is_descending = typed[0] == '-';
	*field = f;
	return 0;
}
