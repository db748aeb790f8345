/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comma-separated values: a file has one table, names first; a folder has a file for each table
 * with rows. A field without a value is an empty cell, and the column not_measured says why. Texts
 * are escaped as for a terminal, and no spreadsheet computes them (base/csv.h).
 */
#include "base/escape.h"
#include "export/table_files.h"

static void write_names(struct export_place *p, struct table *table, struct tabular *lines)
{
	(void)p;
	for (size_t i = 0; i < table->column_count; i++)
		tabular_name(lines, table->columns[i].name);
	tabular_line_end(lines);
}

static const struct table_files files = { "csv", write_names };

/* Writes a cell. `text` is scratch memory for an escaped text. */
static void put_cell(struct tabular *out, const struct cell *c, struct buffer *text)
{
	bool is_text = c->type == CELL_TEXT || c->type == CELL_JSON;
	struct json json;

	buffer_reset(text);
	if (is_text) {
		escape_terminal(text, c->text, c->size);
	} else if (c->type != CELL_NONE) { /* a real has a point in any locale */
		json_init(&json, text, 0);
		json_cell(&json, c);
	}
	tabular_cell(out, (const char *)text->data, text->size, is_text);
}

static int write_row(struct export_place *p, struct table *table, const struct sooth_record *r,
	struct sooth_error *err)
{
	struct tabular *lines = table_files_get(&files, p, table, err);

	if (!lines)
		return err->code;
	for (size_t i = 0; i < table->column_count; i++) {
		struct cell cell = cell_get(table, &table->columns[i], r, &p->scratch);

		put_cell(lines, &cell, p->state);
	}
	tabular_line_end(lines);
	return buffer_failed(p->state) ? error_no_memory(err) : tabular_write_full(lines, err);
}

static int finish(struct export_place *p, struct sooth_error *err)
{
	return table_files_finish(&files, p, err);
}

static void close_csv(struct export_place *p)
{
	table_files_close(p);
	buffer_fini(p->state);
}

const struct export_type export_csv = {
	.name = "csv",
	.help = "comma-separated values: one table, or a folder with one file per table",
	.parts = FEED_RECORDS | FEED_VIEWS,
	.has_choice = true,
	.is_of_one = true,
	.state_size = sizeof(struct buffer),
	.doing = "write CSV",
	.open = table_files_open,
	.row = write_row,
	.finish = finish,
	.close = close_csv,
};
