/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON lines: an object a row, with the name of its table first. What has no value is null, and
 * "not_measured" says why, as everywhere. */
#include <stdlib.h>

#include "export/export.h"
#include "sinks/tabular.h"

struct jsonl_export {
	struct tabular lines;
	struct tables *tables;
	struct buffer scratch;
};

static int open_jsonl(void *state, const struct export_place *place, struct sooth_error *err)
{
	struct jsonl_export *s = state;

	(void)err;
	tabular_open(&s->lines, place->file->stream, "write JSON lines");
	s->tables = place->tables;
	return 0;
}

/* What stands before each value is the same in every row. */
struct jsonl_table {
	struct buffer head; /* an object with the name of the table */
	struct tabular_keys keys;
};

static struct jsonl_table *begin_table(struct table *table)
{
	struct jsonl_table *t = table->user = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	buffer_format(&t->head, "{\"table\":\"%s\"", table->name);
	for (size_t i = 0; i < table->column_count; i++)
		tabular_key(&t->keys, table->columns[i].name);
	return t;
}

static int row(
	void *state, struct table *table, const struct sooth_record *r, struct sooth_error *err)
{
	struct jsonl_export *s = state;
	struct jsonl_table *t = table->user ?: begin_table(table);
	struct json json;

	if (!t || buffer_failed(&t->head) || buffer_failed(&t->keys.bytes))
		return error_no_memory(err);
	json_init(&json, &s->lines.bytes, 0);
	buffer_append(&s->lines.bytes, t->head.data, t->head.size);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *c = &table->columns[i];
		struct cell cell = cell_get(table, c, r, &s->scratch);

		if (c->source == COLUMN_NOT_MEASURED && cell.type == CELL_NONE)
			continue;
		buffer_char(&s->lines.bytes, ',');
		tabular_put_key(&t->keys, i, &s->lines.bytes);
		cell_write_json(&json, &cell);
	}
	buffer_string(&s->lines.bytes, "}\n");
	if (json.failed || buffer_failed(&s->scratch))
		return error_no_memory(err);
	return tabular_write_full(&s->lines, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct jsonl_export *s = state;

	return tabular_write(&s->lines, err);
}

static void close_jsonl(void *state)
{
	struct jsonl_export *s = state;

	for (size_t i = 0; s->tables && i < s->tables->count; i++) {
		struct jsonl_table *t = s->tables->items[i]->user;

		if (!t)
			continue;
		buffer_fini(&t->head);
		buffer_fini(&t->keys.bytes);
		free(t);
	}
	tabular_fini(&s->lines);
	buffer_fini(&s->scratch);
}

const struct export_type export_jsonl = {
	.name = "jsonl",
	.help = "JSON lines: one object per row of every table",
	.parts = FEED_RECORDS | FEED_VIEWS,
	.has_choice = true,
	.state_size = sizeof(struct jsonl_export),
	.open = open_jsonl,
	.row = row,
	.finish = finish,
	.close = close_jsonl,
};
