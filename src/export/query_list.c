/* SPDX-License-Identifier: BSD-2-Clause */
/* Which tables a capture has, and what their columns are: `sooth query FILE --tables`. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/query_state.h"
#include "model/row_list.h"
#include "model/schema.h"

#define TABLE_ROW(F, S)                                                                            \
	F(S, TEXT, name, ALWAYS, "name of the table", .label = "TABLE")                            \
	F(S, U64, rows, MAYBE(rows_state), "number of rows of the table in this capture")          \
	F(S, U64, columns, ALWAYS, "number of columns of the table")                               \
	F(S, NAMED, TEXT, holds, content, ALWAYS, "source of the table's rows")

struct table_row {
	struct sooth_record record;
	ROW_MEMBERS(TABLE_ROW, table_row)
};

ROW_FIELDS(table_fields, TABLE_ROW, table_row);

static const struct sooth_schema table_schema = {
	.name = "query.tables",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct table_row),
	SCHEMA_FIELDS(table_fields),
};

#define COLUMN_ROW(F, S)                                                                           \
	F(S, TEXT, table, ALWAYS, "name of the table that has the column")                         \
	F(S, TEXT, name, ALWAYS, "name of the column", .label = "COLUMN")                          \
	F(S, TEXT, type, ALWAYS, "SQL type of the column: INTEGER, REAL or TEXT")                  \
	F(S, TEXT, unit, ALWAYS, "unit of the column's values")                                    \
	F(S, TEXT, help, ALWAYS, "meaning of the column", .may_shrink = true)

struct column_row {
	struct sooth_record record;
	ROW_MEMBERS(COLUMN_ROW, column_row)
};

ROW_FIELDS(column_fields, COLUMN_ROW, column_row);

static const struct sooth_schema column_schema = {
	.name = "query.columns",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct column_row),
	SCHEMA_FIELDS(column_fields),
};

static struct record_tail tail_of(struct sooth_text *text, const char *string)
{
	return (struct record_tail){ text, string, strlen(string) };
}

static const char *origin(const struct table *t)
{
	static const char *const classes[] = {
		[SOOTH_CLASS_EVENT] = "events",
		[SOOTH_CLASS_AGGREGATE] = "counts over a time span",
		[SOOTH_CLASS_SAMPLE] = "samples",
		[SOOTH_CLASS_TICK] = "ticks of the clock",
		[SOOTH_CLASS_DEFINITION] = "definitions",
		[SOOTH_CLASS_ROW] = "a view",
	};

	return t->is_of_records			      ? classes[t->schema->class_]
	       : t->schema->class_ == SOOTH_CLASS_ROW ? "a view"
						      : "notes of a report";
}

static int emit_table(const struct table *t, struct output *output, struct sooth_error *err)
{
	/* Each call once more, in words. */
	bool is_counted = strcmp(t->name, FEED_TABLE_CALL) != 0;
	struct table_row row = { .rows = t->rows,
		.columns = t->column_count,
		.rows_state = is_counted ? SOOTH_STATE_VALUE
					 : SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED) };
	struct record_tail tail[] = {
		tail_of(&row.name, t->name),
		tail_of(&row.holds, is_counted ? origin(t) : "syscalls_call as text"),
	};

	if (is_counted && !t->rows)
		return 0;
	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

int query_list(struct query *q, struct output *output, struct sooth_error *err)
{
	static const struct section section = {
		.name = "tables", .schema = &table_schema, .shape = SECTION_TABLE
	};
	int status = query_views(q, err);

	if (!status)
		status = output_section(output, &section, err);
	for (size_t i = 0; i < q->tables.count && !status; i++)
		status = emit_table(q->tables.items[i], output, err);
	return status ? status : query_emit_notes(q, output, err);
}

static int emit_column(const struct table *t, const struct column *c, struct output *output,
	struct sooth_error *err)
{
	struct column_row row = { 0 };
	struct record_tail tail[] = {
		tail_of(&row.table, t->name),
		tail_of(&row.name, c->name),
		tail_of(&row.type, column_type(c)),
		tail_of(&row.unit, column_unit(c)),
		tail_of(&row.help, c->help ? c->help : ""),
	};

	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

static int find(
	struct query *q, const char *name, const struct table **out, struct sooth_error *err)
{
	const char *near;
	int status = 0;

	*out = tables_find(&q->tables, name);
	if (!*out && !q->has_views)
		status = query_views(q, err);
	if (!*out && !status)
		*out = tables_find(&q->tables, name);
	if (*out || status)
		return status;
	near = tables_nearest(&q->tables, name);
	error_set(err, -ENOENT, SOOTH_FAULT_USAGE, "describe the table %s", name);
	error_why(err, "the capture has no table of this name");
	if (near)
		return error_remedy(err, "did you mean %s?", near);
	return error_remedy(err, "`sooth query FILE --tables` lists the tables");
}

int query_describe(struct query *q, const char *const *names, size_t count, struct output *output,
	struct sooth_error *err)
{
	static const struct section section = {
		.name = "columns", .schema = &column_schema, .shape = SECTION_TABLE
	};
	const struct table *t;
	int status = output_section(output, &section, err);

	for (size_t i = 0; i < count && !status; i++) {
		status = find(q, names[i], &t, err);
		for (size_t k = 0; !status && k < t->column_count; k++)
			status = emit_column(t, &t->columns[k], output, err);
	}
	return status ? status : query_emit_notes(q, output, err);
}
