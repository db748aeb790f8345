/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comma-separated values (RFC 4180): the first table of the report, a line of names first, with the
 * columns that a text table shows. Other sections and the notes are left out, because readers of
 * CSV expect one table. JSON has losses and limits.
 *
 * A stream may have interleaved rows (ends of processes among calls). The table then has a column
 * "type" behind its own columns, and then the columns that only interleaved rows have.
 *
 * Numbers are plain, without units. A field without a value is an empty cell, whatever the reason.
 * Texts are escaped as for a terminal. A text that begins with = + - @ gets an apostrophe in front,
 * because a process or a folder can have such a name, and a spreadsheet would run it as a formula.
 */
#include <string.h>

#include "explain/section_columns.h"
#include "sinks/tabular.h"

struct csv_sink {
	struct tabular lines;
	struct buffer cell;
	const struct sooth_field *columns[SECTION_COLUMNS_MAX]; /* NULL: the type of the row */
	size_t column_count, own_count; /* own_count: of the table's rows; they come first */
	const struct section *table;	/* the open one */
	bool is_done;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct csv_sink *s = state;

	(void)err;
	tabular_open(&s->lines, options->stream, "write CSV");
	return 0;
}

/* --- columns --- */

static const char *column_name(const struct sooth_field *column)
{
	return column ? column->name : "type";
}

static bool has_column(const struct csv_sink *s, const char *name)
{
	for (size_t i = 0; i < s->column_count; i++) {
		if (!strcmp(column_name(s->columns[i]), name))
			return true;
	}
	return false;
}

/* Adds the column with the type of the row, and those that only interleaved rows have. */
static void add_interleaved_columns(struct csv_sink *s, const struct section *section)
{
	if (section->asides && s->column_count < SECTION_COLUMNS_MAX &&
		!has_column(s, column_name(NULL)))
		s->columns[s->column_count++] = NULL;
	for (size_t i = 0; section->asides && section->asides[i]; i++) {
		const struct sooth_schema *schema = section->asides[i]->schema;

		for (size_t k = 0; k < schema->field_count; k++) {
			const struct sooth_field *f = &schema->fields[k];

			if (!f->is_hidden && !has_column(s, f->name) &&
				s->column_count < SECTION_COLUMNS_MAX)
				s->columns[s->column_count++] = f;
		}
	}
}

static void add_columns(struct csv_sink *s, const struct section *section)
{
	s->column_count = section_columns(section, s->columns);
	s->own_count = s->column_count;
	add_interleaved_columns(s, section);
}

/* --- cells --- */

static bool is_text(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_CHARS ||
	       f->type == SOOTH_FIELD_ARGS || f->type == SOOTH_FIELD_TEXTS ||
	       f->type == SOOTH_FIELD_ROWS;
}

/* Writes a value without its unit, which the name of the column has. */
static void format_value(
	struct buffer *out, const struct sooth_field *field, const struct sooth_value *v)
{
	struct sooth_field plain = *field;

	plain.unit = SOOTH_UNIT_NONE;
	if (field->type == SOOTH_FIELD_BOOL)
		buffer_string(out, v->u ? "true" : "false");
	else if (field->type == SOOTH_FIELD_ERRNO && !v->u)
		buffer_char(out, '0'); /* no error */
	else
		value_format(out, &plain, v);
}

static void write_cell(
	struct csv_sink *s, const struct sooth_field *f, const struct sooth_record *r)
{
	struct sooth_value v = sooth_field_get(f, r);

	buffer_reset(&s->cell);
	if (value_is_there(&v))
		format_value(&s->cell, f, &v);
	tabular_cell(&s->lines, (const char *)s->cell.data, s->cell.size, is_text(f));
}

/* Returns the field for a column; NULL: rows of this section have no such field. */
static const struct sooth_field *field_of(
	const struct csv_sink *s, const struct section *section, size_t column)
{
	if (section->schema == s->table->schema)
		return column < s->own_count ? s->columns[column] : NULL;
	return sooth_schema_field(section->schema, s->columns[column]->name);
}

static void write_row(
	struct csv_sink *s, const struct section *section, const struct sooth_record *r)
{
	for (size_t i = 0; i < s->column_count; i++) {
		const struct sooth_field *f = s->columns[i] ? field_of(s, section, i) : NULL;

		if (!s->columns[i])
			tabular_name(&s->lines, section->name);
		else if (f)
			write_cell(s, f, r);
		else
			tabular_name(&s->lines, "");
	}
	tabular_line_end(&s->lines);
}

static void write_names(struct csv_sink *s)
{
	for (size_t i = 0; i < s->column_count; i++)
		tabular_name(&s->lines, column_name(s->columns[i]));
	tabular_line_end(&s->lines);
}

/* --- the sink --- */

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	bool is_table = section->shape == SECTION_TABLE || section->shape == SECTION_KEYED ||
			section->shape == SECTION_STREAM;
	struct csv_sink *s = state;

	s->table = is_table && !section->is_last && !s->is_done ? section : NULL;
	if (!s->table)
		return 0;
	s->is_done = true;
	add_columns(s, section);
	write_names(s);
	return tabular_write(&s->lines, err);
}

static int write_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct csv_sink *s = state;

	/* A section that was not announced has no columns. */
	if (!s->table || (section->schema != s->table->schema && !s->table->asides))
		return 0;
	batch_for_each (r, batch)
		write_row(s, section, r);
	if (buffer_failed(&s->cell))
		return error_no_memory(err);
	return section->shape == SECTION_STREAM ? tabular_flush(&s->lines, err)
						: tabular_write(&s->lines, err);
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct csv_sink *s = state;

	(void)section;
	(void)err;
	s->table = NULL;
	return 0;
}

static void close_sink(void *state)
{
	struct csv_sink *s = state;

	tabular_fini(&s->lines);
	buffer_fini(&s->cell);
}

const struct sink_type sink_csv = {
	.name = "csv",
	.help = "comma-separated values: the main table only, without notes",
	.state_size = sizeof(struct csv_sink),
	.takes_asides = true,
	.open = open_sink,
	.section = section_begin,
	.rows = write_rows,
	.section_end = section_end,
	.end = tabular_sink_end,
	.close = close_sink,
};
