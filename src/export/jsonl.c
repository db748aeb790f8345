/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON lines: an object a row, with the name of its table first. What has no value is null, and
 * "not_measured" says why, as everywhere. */
#include "export/export.h"
#include "sinks/tabular.h"

struct jsonl_export {
	struct tabular lines;
	struct buffer scratch;
};

static int open_jsonl(void *state, const struct export_place *place, struct sooth_error *err)
{
	struct jsonl_export *s = state;

	(void)err;
	tabular_open(&s->lines, place->file->stream, "write JSON lines");
	return 0;
}

static int row(
	void *state, struct table *table, const struct sooth_record *r, struct sooth_error *err)
{
	struct jsonl_export *s = state;
	struct json json;

	json_init(&json, &s->lines.bytes, 0);
	json_format(&json, "{'table':%s", table->name);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *c = &table->columns[i];
		struct cell cell = cell_get(table, c, r, &s->scratch);

		if (c->source == COLUMN_NOT_MEASURED && cell.type == CELL_NONE)
			continue;
		json_key(&json, c->name);
		cell_write_json(&json, &cell);
	}
	json_end(&json);
	buffer_char(&s->lines.bytes, '\n');
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
