/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON lines: an object a row, with the name of its table first. What has no value is null, and
 * "not_measured" says why, as everywhere. */
#include <errno.h>
#include <stdlib.h>

#include "export/export.h"
#include "sinks/json_members.h"

#define WRITE_BYTES (64u << 10)

struct jsonl_export {
	FILE *stream;
	struct tables *tables;
	struct buffer bytes, scratch;
};

static int open_jsonl(void *state, const struct export_place *place, struct sooth_error *err)
{
	struct jsonl_export *s = state;

	(void)err;
	s->stream = place->file->stream;
	s->tables = place->tables;
	return 0;
}

/* What stands before each value is the same in every row. */
struct jsonl_table {
	struct buffer keys;
	size_t ends[TABLE_COLUMNS_MAX];
};

static struct jsonl_table *begin_table(struct table *table)
{
	struct jsonl_table *t = table->user = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	buffer_format(&t->keys, "{\"table\":\"%s\"", table->name);
	for (size_t i = 0; i < table->column_count; i++) {
		buffer_format(&t->keys, ",\"%s\":", table->columns[i].name);
		t->ends[i] = t->keys.size;
	}
	return t;
}

static int row(
	void *state, struct table *table, const struct sooth_record *r, struct sooth_error *err)
{
	struct jsonl_export *s = state;
	struct jsonl_table *t = table->user ?: begin_table(table);
	struct json json;

	if (!t || buffer_failed(&t->keys))
		return error_no_memory(err);
	json_init(&json, &s->bytes, 0);
	for (size_t i = 0, at = 0; i < table->column_count; at = t->ends[i++]) {
		const struct column *c = &table->columns[i];
		struct cell cell = cell_get(table, c, r, &s->scratch);

		if (c->source == COLUMN_NOT_MEASURED && cell.type == CELL_NONE)
			continue;
		buffer_append(&s->bytes, t->keys.data + at, t->ends[i] - at);
		cell_write_json(&json, &cell);
	}
	buffer_string(&s->bytes, "}\n");
	if (json.failed || buffer_failed(&s->scratch))
		return error_no_memory(err);
	if (s->bytes.size < WRITE_BYTES)
		return 0;
	return json_write_out(&s->bytes, s->stream, "write JSON lines", err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct jsonl_export *s = state;

	return json_write_out(&s->bytes, s->stream, "write JSON lines", err);
}

static void close_jsonl(void *state)
{
	struct jsonl_export *s = state;

	for (size_t i = 0; s->tables && i < s->tables->count; i++) {
		struct jsonl_table *t = s->tables->items[i]->user;

		if (!t)
			continue;
		buffer_fini(&t->keys);
		free(t);
	}
	buffer_fini(&s->bytes);
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
