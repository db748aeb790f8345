/* SPDX-License-Identifier: BSD-2-Clause */
/* See columns.h. */
#include "cli/command/columns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FIELDS_MAX  128
#define REMEDY_REST 80 /* of a remedy that lists them */

/* By name, by the heading, and by the heading that a name makes: "THRDS", "SESSION ID". */
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

static const struct sooth_field *find(const struct sooth_schema *schema, const char *typed)
{
	const struct sooth_field *found = sooth_schema_field(schema, typed);

	for (size_t i = 0; !found && i < schema->field_count; i++) {
		if (is_called(&schema->fields[i], typed))
			found = &schema->fields[i];
	}
	return found;
}

static int unknown(const struct sooth_schema *schema, const char *verb, const char *typed,
	struct sooth_error *err)
{
	const char *names[2 * FIELDS_MAX];
	size_t count = 0, used = 0;
	char all[sizeof(err->remedy)] = "";
	const char *nearest;

	for (size_t i = 0; i < schema->field_count && i < FIELDS_MAX; i++) {
		const struct sooth_field *f = &schema->fields[i];

		names[count++] = f->name;
		if (f->label)
			names[count++] = f->label;
	}
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s the column \"%s\"", verb, typed);
	error_why(err, "there is no such column");
	nearest = options_nearest(typed, names, count);
	if (nearest)
		return error_remedy(err, "did you mean %s?", nearest);
	for (size_t i = 0; i < schema->field_count; i++) {
		if (used + strlen(schema->fields[i].name) + REMEDY_REST > sizeof(all))
			break;
		used += (size_t)snprintf(
			all + used, sizeof(all) - used, "%s,", schema->fields[i].name);
	}
	return error_remedy(err, "the members of a process in -j are the columns: %s ...", all);
}

void columns_add(struct buffer *out, const char *names)
{
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
	*is_more = !typed->count || typed->items[0][0] == '+';
	for (size_t i = 0; i < typed->count; i++) {
		const char *item = typed->items[i] + (typed->items[i][0] == '+');
		const struct sooth_field *f = find(schema, item);

		if (!f)
			return unknown(schema, "show", item, err);
		columns_add(out, f->name);
	}
	buffer_cstr(out);
	return buffer_failed(out) ? error_no_memory(err) : 0;
}

int columns_sort(const struct sooth_field **field, bool *is_descending,
	const struct sooth_schema *schema, const char *typed, struct sooth_error *err)
{
	const struct sooth_field *f = find(schema, typed + (typed[0] == '-'));

	if (!f)
		return unknown(schema, "sort by", typed + (typed[0] == '-'), err);
	*is_descending = typed[0] == '-';
	*field = f;
	return 0;
}
