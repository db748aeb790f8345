/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON lines: an object a row, with the name of its table first. What has no value is null, and
 * "not_measured" says why, as everywhere. */
#include <errno.h>

#include "export/export.h"
#include "sinks/json_members.h"

#define WRITE_BYTES (64u << 10)

struct jsonl_export {
	FILE *stream;
	struct buffer bytes, scratch;
};

static int open_jsonl(void *state, const struct export_place *place, struct sooth_error *err)
{
	(void)err;
	((struct jsonl_export *)state)->stream = place->file->stream;
	return 0;
}

static int row(
	void *state, struct table *table, const struct sooth_record *r, struct sooth_error *err)
{
	struct jsonl_export *s = state;
	struct json json;

	json_init(&json, &s->bytes, 0);
	json_begin_object(&json);
	json_key(&json, "table");
	json_cstring(&json, table->name);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *c = &table->columns[i];
		struct cell cell = cell_get(table, c, r, &s->scratch);

		if (c->source == COLUMN_NOT_MEASURED && cell.type == CELL_NONE)
			continue;
		json_key(&json, c->name);
		cell_write_json(&json, &cell);
	}
	json_end(&json);
	buffer_char(&s->bytes, '\n');
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

	buffer_fini(&s->bytes);
	buffer_fini(&s->scratch);
}

const struct export_type export_jsonl = {
	.name = "jsonl",
	.help = "JSON lines: an object a row of every table",
	.parts = FEED_RECORDS | FEED_VIEWS,
	.has_choice = true,
	.state_size = sizeof(struct jsonl_export),
	.open = open_jsonl,
	.row = row,
	.finish = finish,
	.close = close_jsonl,
};
