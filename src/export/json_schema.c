/* SPDX-License-Identifier: BSD-2-Clause */
/* A JSON Schema of the lines that jsonl has of the same capture: a definition for each table with
 * rows, made of its columns. */
#include "export/export.h"
#include "sinks/json_types.h"
#include "sinks/tabular.h"

struct schema_export {
	struct tabular out;
	struct tables *tables;
};

static int open_schema(void *state, const struct export_place *place, struct sooth_error *err)
{
	struct schema_export *s = state;

	(void)err;
	tabular_open(&s->out, place->file->stream, "write a JSON Schema");
	s->tables = place->tables;
	return 0;
}

static int row(
	void *state, struct table *table, const struct sooth_record *r, struct sooth_error *err)
{
	(void)state;
	(void)r;
	(void)err;
	table->user = table; /* has rows */
	return 0;
}

/* As cells.c makes values of them. */
static void put_field_type(struct json *j, const struct sooth_field *f)
{
	if (json_types_scalar(j, f))
		return;
	json_types_or_null(j,
		f->type == SOOTH_FIELD_ROWS && (f->is_keyed || f->is_single) ? "object" : "array",
		NULL);
}

static void put_column(struct json *j, const struct column *c)
{
	json_key(j, c->name);
	json_begin_object(j);
	if (c->source == COLUMN_NOT_MEASURED)
		json_types_pair(j, "type", "object");
	else if (c->field)
		put_field_type(j, c->field);
	else
		json_types_or_null(j, "string", NULL);
	if (c->help)
		json_types_pair(j, "description", c->help);
	json_end(j);
}

static void put_table(struct json *j, const struct table *t)
{
	json_begin_object(j);
	json_types_pair(j, "title", t->name);
	json_key(j, "properties");
	json_begin_object(j);
	json_key(j, "table");
	json_begin_object(j);
	json_types_pair(j, "const", t->name);
	json_end(j);
	for (size_t i = 0; i < t->column_count; i++)
		put_column(j, &t->columns[i]);
	json_end(j);
	json_key(j, "required");
	json_begin_array(j);
	for (size_t i = 0; i < t->column_count; i++) {
		if (t->columns[i].source != COLUMN_NOT_MEASURED)
			json_cstring(j, t->columns[i].name);
	}
	json_end(j);
	json_key(j, "additionalProperties");
	json_bool(j, false);
	json_end(j);
}

static int finish(void *state, struct sooth_error *err)
{
	struct schema_export *s = state;
	struct json j;

	json_init(&j, &s->out.bytes, 1);
	json_begin_object(&j);
	json_types_pair(&j, "$schema", JSON_SCHEMA_DRAFT);
	json_types_pair(&j, "title", "a line of sooth export --format jsonl, of one capture");
	json_types_pair(&j, "type", "object");
	json_key(&j, "required");
	json_begin_array(&j);
	json_cstring(&j, "table");
	json_end(&j);
	json_key(&j, "oneOf");
	json_begin_array(&j);
	for (size_t i = 0; i < s->tables->count; i++) {
		if (s->tables->items[i]->user)
			put_table(&j, s->tables->items[i]);
	}
	json_end(&j);
	json_end(&j);
	buffer_char(&s->out.bytes, '\n');
	if (j.failed)
		return error_no_memory(err);
	return tabular_write(&s->out, err);
}

static void close_schema(void *state)
{
	struct schema_export *s = state;

	tabular_fini(&s->out);
}

const struct export_type export_json_schema = {
	.name = "json-schema",
	.help = "a JSON Schema of the lines that jsonl has of the same capture",
	.parts = FEED_RECORDS | FEED_VIEWS,
	.has_choice = true,
	.state_size = sizeof(struct schema_export),
	.open = open_schema,
	.row = row,
	.finish = finish,
	.close = close_schema,
};
