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

static void put_column(struct json *j, const struct column *c)
{
	json_format(j, "%s:{", c->name);
	if (c->source == COLUMN_NOT_MEASURED)
		json_format(j, "'type':'object'");
	else if (c->field)
		json_types_put(j, c->field);
	else
		json_format(j, "'type':['string','null']");
	if (c->help)
		json_format(j, "'description':%s", c->help);
	json_end(j);
}

static void put_table(struct json *j, const struct table *t)
{
	json_format(j, "{'title':%s,'properties':{'table':{'const':%s}", t->name, t->name);
	for (size_t i = 0; i < t->column_count; i++)
		put_column(j, &t->columns[i]);
	json_format(j, "},'required':[");
	for (size_t i = 0; i < t->column_count; i++) {
		if (t->columns[i].source != COLUMN_NOT_MEASURED)
			json_cstring(j, t->columns[i].name);
	}
	json_format(j, "],'additionalProperties':false}");
}

static int finish(void *state, struct sooth_error *err)
{
	struct schema_export *s = state;
	struct json j;

	json_init(&j, &s->out.bytes, 1);
	json_types_begin(&j, "a line of sooth export --format jsonl, of one capture");
	json_format(&j, "'required':['table'],'oneOf':[");
	for (size_t i = 0; i < s->tables->count; i++) {
		if (s->tables->items[i]->user)
			put_table(&j, s->tables->items[i]);
	}
	json_format(&j, "]}");
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
