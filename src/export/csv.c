/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comma-separated values: a file has one table, names first; a folder has a file for each table
 * with rows. A field without a value is an empty cell, and the column not_measured says why. Texts
 * are escaped as for a terminal, and no spreadsheet computes them (base/csv.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/same_file.h"
#include "export/export.h"

/* The file of a table, in table->user. */
struct csv_table {
	struct out_file file; /* file in a folder */
	struct tabular lines;
};

static int open_csv(struct export_place *p, struct sooth_error *err)
{
	if (p->folder && mkdir(p->folder, 0700) && errno != EEXIST)
		return error_errno(err, -errno, "make the folder %s", p->folder);
	return 0;
}

static int refuse_read(const char *path, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write %s", path);
	error_why(err, "this file is the capture that sooth reads, and would be overwritten");
	return error_remedy(err, "name another folder");
}

static int begin_table(struct export_place *p, struct table *table, struct sooth_error *err)
{
	struct csv_table *t = table->user = calloc(1, sizeof(*t));
	_cleanup_free_ char *path = NULL;
	int status = 0;

	if (!t)
		return error_no_memory(err);
	if (p->folder && asprintf(&path, "%s/%s.csv", p->folder, table->name) < 0) {
		path = NULL;
		return error_no_memory(err);
	}
	if (p->folder && file_is_same(path, p->read))
		status = refuse_read(path, err);
	else if (p->folder)
		status = out_file_open(&t->file, path, false, err);
	if (status)
		return status;
	tabular_open(&t->lines, p->folder ? t->file.stream : p->file->stream, p->out.doing);
	for (size_t i = 0; i < table->column_count; i++)
		tabular_name(&t->lines, table->columns[i].name);
	tabular_line_end(&t->lines);
	return 0;
}

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
	int status = table->user ? 0 : begin_table(p, table, err);
	struct csv_table *t = table->user;

	if (status)
		return status;
	for (size_t i = 0; i < table->column_count; i++) {
		struct cell cell = cell_get(table, &table->columns[i], r, &p->scratch);

		put_cell(&t->lines, &cell, p->state);
	}
	tabular_line_end(&t->lines);
	return buffer_failed(p->state) ? error_no_memory(err) : tabular_write_full(&t->lines, err);
}

static int finish(struct export_place *p, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < p->tables.count && !status; i++) {
		struct table *table = p->tables.items[i];
		struct csv_table *t = table->user;

		/* A selected table without rows gets at least the line of names. */
		if (!t && p->file && table->choice == TABLE_SELECTED)
			status = begin_table(p, table, err);
		t = table->user;
		if (!status && t)
			status = tabular_write(&t->lines, err);
		if (!status && t && p->folder)
			status = out_file_commit(&t->file, err);
	}
	return status;
}

static void close_csv(struct export_place *p)
{
	for (size_t i = 0; i < p->tables.count; i++) {
		struct csv_table *t = p->tables.items[i]->user;

		if (!t)
			continue;
		out_file_close(&t->file);
		tabular_fini(&t->lines);
		free(t);
	}
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
	.open = open_csv,
	.row = write_row,
	.finish = finish,
	.close = close_csv,
};
