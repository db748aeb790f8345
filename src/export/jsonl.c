/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON lines: an object a row, with the name of its table first. A field without a value is null,
 * and "not_measured" says why, as everywhere. */
#include "export/export.h"

static int write_row(struct export_place *p, struct table *table, const struct sooth_record *r,
	struct sooth_error *err)
{
	struct json json;

	json_init(&json, &p->out.bytes, 0);
	json_format(&json, "{'table':%s", table->name);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *c = &table->columns[i];
		struct cell cell = cell_get(table, c, r, &p->scratch);

		if (c->source == COLUMN_NOT_MEASURED && cell.type == CELL_NONE)
			continue;
		json_key(&json, c->name);
		json_cell(&json, &cell);
	}
	json_end(&json);
	buffer_char(&p->out.bytes, '\n');
	return json.failed ? error_no_memory(err) : 0;
}

const struct export_type export_jsonl = {
	.name = "jsonl",
	.help = "JSON lines: one object per row of every table",
	.parts = FEED_RECORDS | FEED_VIEWS,
	.has_choice = true,
	.doing = "write JSON lines",
	.row = write_row,
};
