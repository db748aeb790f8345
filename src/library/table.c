/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of rows in a list. */
#include "library/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "sinks/json_members.h"

struct sooth_row {
	struct sooth_row *next, *before;
	const struct sooth_schema *schema;
	char **texts; /* text of each field that the caller requested */
	size_t size;
	uint64_t record[]; /* whole, aligned as a record has to be */
};

struct sooth_table {
	struct sooth_row *first, *last;
	size_t count;
};

struct sooth_table *table_new(struct sooth_error *err)
{
	struct sooth_table *t = calloc(1, sizeof(*t));

	if (!t)
		error_no_memory(err);
	return t;
}

int table_append(
	struct sooth_table *t, const struct sooth_schema *schema, const struct sooth_record *record)
{
	size_t size = record->words * sizeof(uint64_t);
	struct sooth_row *row = calloc(1, sizeof(*row) + size);

	if (!row)
		return -ENOMEM;
	row->schema = schema;
	row->size = size;
	memcpy(row->record, record, size);
	row->before = t->last;
	*(t->last ? &t->last->next : &t->first) = row;
	t->last = row;
	t->count++;
	return 0;
}

struct sooth_table *table_copy(const struct sooth_table *t, struct sooth_error *err)
{
	struct sooth_table *copy = table_new(err);

	for (const struct sooth_row *row = t->first; row && copy; row = row->next) {
		if (!table_append(copy, row->schema, (const void *)row->record))
			continue;
		sooth_table_free(copy);
		copy = NULL;
		error_no_memory(err);
	}
	return copy;
}

const struct sooth_row *table_last(const struct sooth_table *t)
{
	return t->last;
}

static void free_row(struct sooth_row *row)
{
	for (size_t i = 0; row->texts && i < row->schema->field_count; i++)
		free(row->texts[i]);
	free(row->texts);
	free(row);
}

void table_remove(struct sooth_table *t, const struct sooth_row *row)
{
	*(row->before ? &row->before->next : &t->first) = row->next;
	*(row->next ? &row->next->before : &t->last) = row->before;
	t->count--;
	free_row((struct sooth_row *)row);
}

void sooth_table_free(struct sooth_table *t)
{
	while (t && t->first)
		table_remove(t, t->first);
	free(t);
}

/* --- reading --- */

size_t sooth_table_count(const struct sooth_table *t)
{
	return t ? t->count : 0;
}

const struct sooth_row *sooth_table_next(
	const struct sooth_table *t, const struct sooth_row *before)
{
	if (before)
		return before->next;
	return t ? t->first : NULL;
}

const struct sooth_schema *sooth_row_schema(const struct sooth_row *row)
{
	return row ? row->schema : NULL;
}

const struct sooth_record *sooth_row_record(const struct sooth_row *row)
{
	return row ? (const void *)row->record : NULL;
}

static const struct sooth_field *field_of(const struct sooth_row *row, const char *name)
{
	return row ? sooth_schema_field(row->schema, name) : NULL;
}

static char *text_of(const struct sooth_field *field, const struct sooth_record *record)
{
	size_t size = sooth_field_text(field, record, NULL, 0) + 1;
	char *text = malloc(size);

	if (text)
		sooth_field_text(field, record, text, size);
	return text;
}

const char *sooth_row_text(const struct sooth_row *row, const char *name)
{
	const struct sooth_field *field = field_of(row, name);
	struct sooth_row *own = (struct sooth_row *)row; /* allocated here: writable */
	char **text;

	if (!field)
		return "";
	if (!own->texts)
		own->texts = calloc(row->schema->field_count, sizeof(*own->texts));
	if (!own->texts)
		return "";
	text = &own->texts[field - row->schema->fields];
	if (!*text)
		*text = text_of(field, (const void *)row->record);
	return *text ? *text : "";
}

double sooth_row_number(const struct sooth_row *row, const char *name)
{
	const struct sooth_field *field = field_of(row, name);
	struct sooth_value value;

	if (!field)
		return NAN;
	value = sooth_field_get(field, (const void *)row->record);
	if (value.state != SOOTH_STATE_VALUE)
		return NAN;
	switch (value.type) {
	case SOOTH_FIELD_UNSIGNED:
	case SOOTH_FIELD_BOOL:
	case SOOTH_FIELD_ERRNO:
	case SOOTH_FIELD_ENUM:
		return (double)value.u;
	case SOOTH_FIELD_SIGNED:
		return (double)value.i;
	case SOOTH_FIELD_REAL:
		return value.f;
	default:
		return NAN;
	}
}

char *sooth_table_json(const struct sooth_table *t)
{
	struct buffer text = { 0 };
	struct json json;
	char *out = NULL;

	json_init(&json, &text, 0);
	json_begin_array(&json);
	for (const struct sooth_row *row = NULL; (row = sooth_table_next(t, row));) {
		json_begin_object(&json);
		json_members(&json, row->schema, (const void *)row->record);
		json_end(&json);
	}
	json_end(&json);
	if (!buffer_failed(&text))
		out = strndup((const char *)text.data, text.size);
	buffer_fini(&text);
	return out;
}
