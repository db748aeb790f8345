/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/section_columns.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static size_t named_columns(
	const struct section *section, const struct sooth_field *out[SECTION_COLUMNS_MAX])
{
	const char *at = section->columns;
	size_t count = 0;

	while (*at && count < SECTION_COLUMNS_MAX) {
		char name[64];
		size_t size = strcspn(at, ",");

		snprintf(name, sizeof(name), "%.*s", (int)size, at);
		out[count] = sooth_schema_field(section->schema, name);
		count += out[count] != NULL;
		at += size + (at[size] == ',');
	}
	return count;
}

size_t section_columns(
	const struct section *section, const struct sooth_field *out[SECTION_COLUMNS_MAX])
{
	assert(section);

	const struct sooth_schema *schema = section->schema;
	size_t count = 0;

	if (section->columns)
		return named_columns(section, out);
	for (size_t i = 0; i < schema->field_count && count < SECTION_COLUMNS_MAX; i++) {
		if (!schema->fields[i].is_hidden)
			out[count++] = &schema->fields[i];
	}
	return count;
}

unsigned section_level(const struct sooth_field *f, const struct sooth_value *v)
{
	unsigned level = 0;
	double value;

	assert(f);
	if (!f->levels || v->state != SOOTH_STATE_VALUE)
		return 0;
	value = f->type == SOOTH_FIELD_REAL ? v->f : (double)v->u;
	while (level < SOOTH_FIELD_LEVELS && value >= f->levels[level])
		level++;
	return level;
}

const char *section_level_color(const struct sooth_field *f, const struct sooth_value *v)
{
	static const char *const colors[SOOTH_FIELD_LEVELS + 1] = { NULL, "\033[33m", "\033[35m",
		"\033[1;31m" };

	return colors[section_level(f, v)];
}
