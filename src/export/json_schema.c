/* SPDX-License-Identifier: BSD-2-Clause */
/* A JSON Schema of the lines that jsonl writes for a capture. Each table with rows has a definition
 * with its columns. */
#include "export/export.h"
#include "sinks/json_types.h"

static int write_row(struct export_place *p, struct table *table, const struct sooth_record *r,
	struct sooth_error *err)
{
	(void)p;
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

static int finish(struct export_place *p, struct sooth_error *err)
{
	struct json j;

	json_init(&j, &p->out.bytes, 1);
	json_types_begin(&j, "a line of sooth export --format jsonl, of one capture");
	json_format(&j, "'required':['table'],'oneOf':[");
	for (size_t i = 0; i < p->tables.count; i++) {
		if (p->tables.items[i]->user)
			put_table(&j, p->tables.items[i]);
	}
	json_format(&j, "]}");
	buffer_char(&p->out.bytes, '\n');
	return j.failed ? error_no_memory(err) : 0;
}

const struct export_type export_json_schema = {
	.name = "json-schema",
	.help = "a JSON Schema of the lines that jsonl has of the same capture",
	.parts = FEED_RECORDS | FEED_VIEWS,
	.has_choice = true,
	.doing = "write a JSON Schema",
	.row = write_row,
	.finish = finish,
};
