/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The result of a statement, as rows of a schema made for it. An unchanged column of a table keeps
 * its field, with unit and help. A computed column has the type of its values in the first rows,
 * because sinks need a type for each column, and SQLite has types only for values. A column with
 * mixed types is a text.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "export/query_state.h"
#include "model/batch.h"

#define FIRST_ROWS  1000
#define FIRST_BYTES (1u << 20)
#define PEOPLE_ROWS 10000 /* a text table is made in memory */
#define NAME_SIZE   96
#define NUMBER_SIZE 32
#define EXACT_MAX   ((int64_t)1 << 53) /* a double has all whole numbers up to it */

/* Layout of a row: the values, 8 bytes each, then a state byte for each value. */
#define VALUE_AT(i) (sizeof(struct sooth_record) + 8 * (size_t)(i))

enum seen { SEEN_WHOLE = 1, SEEN_REAL = 2, SEEN_TEXT = 4 };

struct result {
	struct query *q;
	sqlite3_stmt *statement;
	struct output *output;
	int count;
	unsigned seen[TABLE_COLUMNS_MAX];
	char names[TABLE_COLUMNS_MAX][NAME_SIZE];
	struct sooth_field fields[TABLE_COLUMNS_MAX];
	struct sooth_schema schema;
	struct section section;
	struct buffer texts;   /* texts of the row at hand */
	sqlite3_value **first; /* FIRST_ROWS rows, until types are known */
	size_t first_count;
	uint64_t rows;
};

/* --- types --- */

static void note_value(struct result *r, int i, sqlite3_value *v)
{
	switch (sqlite3_value_type(v)) {
	case SQLITE_INTEGER:
		r->seen[i] |= SEEN_WHOLE;
		break;
	case SQLITE_FLOAT:
		r->seen[i] |= SEEN_REAL;
		break;
	case SQLITE_NULL:
		break;
	default:
		r->seen[i] |= SEEN_TEXT;
	}
}

/* Returns the field that a column shows unchanged; NULL: the column is computed. */
static const struct sooth_field *field_of_column(const struct result *r, int i)
{
	const char *table = sqlite3_column_table_name(r->statement, i);
	const char *name = sqlite3_column_origin_name(r->statement, i);
	const struct table *t = table ? tables_find(&r->q->tables, table) : NULL;

	for (size_t k = 0; t && name && k < t->column_count; k++) {
		if (!strcmp(t->columns[k].name, name))
			return t->columns[k].field;
	}
	return NULL;
}

static enum sooth_field_type type_of(const struct result *r, int i, const struct sooth_field *from)
{
	unsigned seen = r->seen[i];
	const char *declared = sqlite3_column_decltype(r->statement, i);

	if (!seen && declared)
		seen = !strcmp(declared, "INTEGER") ? SEEN_WHOLE
		       : !strcmp(declared, "REAL")  ? SEEN_REAL
						    : SEEN_TEXT;
	if (seen == SEEN_WHOLE)
		return from && from->type == SOOTH_FIELD_UNSIGNED ? SOOTH_FIELD_UNSIGNED
								  : SOOTH_FIELD_SIGNED;
	if (seen && !(seen & SEEN_TEXT))
		return SOOTH_FIELD_REAL;
	return SOOTH_FIELD_TEXT;
}

/* Gives a column a unique name, because members of a JSON object need different names. */
static void name_column(struct result *r, int i)
{
	const char *name = sqlite3_column_name(r->statement, i);
	int number = 1;

	snprintf(r->names[i], NAME_SIZE, "%s", name ? name : "");
	for (int k = 0; k < i; k++) {
		if (strcmp(r->names[i], r->names[k]))
			continue;
		snprintf(r->names[i], NAME_SIZE, "%.*s_%d", NAME_SIZE - 16, name ? name : "",
			++number);
		k = -1;
	}
}

static void make_field(struct result *r, int i)
{
	const struct sooth_field *from = field_of_column(r, i);
	struct sooth_field *f = &r->fields[i];
	bool is_number;

	f->name = r->names[i];
	f->help = from ? from->help : "computed";
	f->type = type_of(r, i, from);
	f->offset = (uint16_t)VALUE_AT(i);
	f->size = 8;
	f->state_offset = (uint16_t)(VALUE_AT(r->count) + (size_t)i);
	f->may_shrink = f->type == SOOTH_FIELD_TEXT;
	f->decimals = DECIMALS_EXACT;
	is_number = f->type == SOOTH_FIELD_UNSIGNED || f->type == SOOTH_FIELD_REAL;
	if (!from || !is_number || f->type != from->type)
		return;
	f->unit = from->unit;
	f->label = from->label;
	f->decimals = from->decimals;
	f->levels = from->levels;
}

static void make_schema(struct result *r)
{
	for (int i = 0; i < r->count; i++) {
		name_column(r, i);
		make_field(r, i);
	}
	r->schema = (struct sooth_schema){ .name = "rows",
		.class_ = SOOTH_CLASS_ROW,
		.fixed_size = (uint16_t)(VALUE_AT(r->count) + (size_t)r->count),
		.fields = r->fields,
		.field_count = (size_t)r->count };
	r->section = (struct section){ .name = "rows",
		.schema = &r->schema,
		.shape = SECTION_TABLE,
		.rows_most = PEOPLE_ROWS,
		.if_empty = "no rows" };
}

/* --- values --- */

static void put_bytes(struct buffer *out, const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buffer_format(out, "%02x", data[i]);
}

/* Appends a value of any type as text; returns its length. */
static size_t put_text(struct buffer *out, sqlite3_value *v)
{
	size_t before = out->size;
	char text[UNITS_SIZE];

	switch (sqlite3_value_type(v)) {
	case SQLITE_INTEGER:
		buffer_i64(out, sqlite3_value_int64(v));
		break;
	case SQLITE_FLOAT:
		buffer_string(out, format_real(text, sqlite3_value_double(v)));
		break;
	case SQLITE_BLOB:
		put_bytes(out, sqlite3_value_blob(v), (size_t)sqlite3_value_bytes(v));
		break;
	default:
		buffer_append(out, sqlite3_value_text(v), (size_t)sqlite3_value_bytes(v));
		break;
	}
	return out->size - before;
}

static int refuse_mixed(const struct result *r, int i, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "show row %" PRIu64, r->rows + 1);
	error_why(err, "the column %s has a number in earlier rows and text in this one",
		r->names[i]);
	return error_remedy(err, "make the column text in the query: CAST(... AS TEXT)");
}

static int put_number(
	struct result *r, int i, sqlite3_value *v, unsigned char *at, struct sooth_error *err)
{
	int type = sqlite3_value_type(v);
	sqlite3_int64 whole = sqlite3_value_int64(v);
	double real = sqlite3_value_double(v);

	if (r->fields[i].type == SOOTH_FIELD_REAL) {
		if (type != SQLITE_FLOAT &&
			(type != SQLITE_INTEGER || whole > EXACT_MAX || whole < -EXACT_MAX))
			return refuse_mixed(r, i, err);
		memcpy(at, &real, sizeof(real));
		return 0;
	}
	if (type != SQLITE_INTEGER)
		return refuse_mixed(r, i, err);
	memcpy(at, &whole, sizeof(whole));
	return 0;
}

struct row {
	struct sooth_record record;
	unsigned char bytes[9 * TABLE_COLUMNS_MAX + 8];
};

static int put_row(struct result *r, sqlite3_value **values, struct sooth_error *err)
{
	struct row row = { 0 };
	unsigned char *base = (unsigned char *)&row;
	struct record_tail tail[TABLE_COLUMNS_MAX];
	size_t sizes[TABLE_COLUMNS_MAX], tails = 0, at = 0, total = r->schema.fixed_size + 8u;
	int status = 0;

	buffer_reset(&r->texts);
	for (int i = 0; i < r->count && !status; i++) {
		uint8_t *state = base + r->fields[i].state_offset;

		if (sqlite3_value_type(values[i]) == SQLITE_NULL) {
			*state = SOOTH_STATE_ABSENT;
		} else if (r->fields[i].type != SOOTH_FIELD_TEXT) {
			status = put_number(r, i, values[i], base + VALUE_AT(i), err);
		} else {
			sizes[tails] = put_text(&r->texts, values[i]);
			total += sizes[tails];
			/* record_append() cuts texts at the maximum size of a record. */
			if (total > SOOTH_RECORD_BYTES_MAX)
				*state = SOOTH_STATE_TRUNCATED;
			tail[tails++].text = (struct sooth_text *)(void *)(base + VALUE_AT(i));
		}
	}
	if (buffer_failed(&r->texts))
		return error_no_memory(err);
	for (size_t i = 0; i < tails; at += sizes[i++]) {
		tail[i].data = buffer_at(&r->texts, at);
		tail[i].size = sizes[i];
	}
	r->rows++;
	return status ? status
		      : output_row(r->output, &row.record, r->schema.fixed_size, tail, tails, err);
}

/* --- stepping --- */

static int store_row(struct result *r, struct sooth_error *err)
{
	for (int i = 0; i < r->count; i++) {
		sqlite3_value *v = sqlite3_value_dup(sqlite3_column_value(r->statement, i));

		if (!v)
			return error_no_memory(err);
		note_value(r, i, v);
		r->first[r->first_count++] = v;
	}
	return 0;
}

static size_t kept_bytes(struct result *r, size_t from)
{
	size_t bytes = 0;

	for (size_t i = from; i < r->first_count; i++)
		bytes += (size_t)sqlite3_value_bytes(r->first[i]);
	return bytes;
}

/* Steps the statement. Returns 1: there is a row; 0: the end. */
static int step_statement(struct result *r, struct sooth_error *err)
{
	switch (sqlite3_step(r->statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return query_failed(r->q, "run the statement", err);
	}
}

static int store_first_row(struct result *r, struct sooth_error *err)
{
	size_t rows = 0, bytes = 0;
	int status = 1;

	while (status > 0 && rows++ < FIRST_ROWS && bytes < FIRST_BYTES) {
		size_t before = r->first_count;

		status = step_statement(r, err);
		if (status > 0)
			status = store_row(r, err) ?: 1;
		bytes += kept_bytes(r, before);
	}
	return status;
}

static int emit_first_rows(struct result *r, struct sooth_error *err)
{
	int status = output_section(r->output, &r->section, err);

	for (size_t i = 0; i < r->first_count && !status; i += (size_t)r->count)
		status = put_row(r, &r->first[i], err);
	return status;
}

static int emit_later_rows(struct result *r, struct sooth_error *err)
{
	sqlite3_value *values[TABLE_COLUMNS_MAX];
	int status;

	while ((status = step_statement(r, err)) > 0) {
		for (int i = 0; i < r->count; i++)
			values[i] = sqlite3_column_value(r->statement, i);
		status = put_row(r, values, err);
		if (status)
			break;
	}
	return status;
}

int query_emit(
	struct query *q, sqlite3_stmt *statement, struct output *output, struct sooth_error *err)
{
	_cleanup_free_ struct result *r = calloc(1, sizeof(*r));
	int status, more;

	if (!r)
		return error_no_memory(err);
	*r = (struct result){ .q = q,
		.statement = statement,
		.output = output,
		.count = sqlite3_column_count(statement) };
	r->first = calloc((size_t)r->count * FIRST_ROWS, sizeof(*r->first));
	more = status = r->first ? store_first_row(r, err) : error_no_memory(err);
	make_schema(r);
	if (status >= 0)
		status = emit_first_rows(r, err);
	if (!status && more > 0)
		status = emit_later_rows(r, err);
	/* The section is on this stack: close it before the function returns. */
	if (!status)
		status = output_close_section(output, err);
	for (size_t i = 0; i < r->first_count; i++)
		sqlite3_value_free(r->first[i]);
	free(r->first);
	buffer_fini(&r->texts);
	return status;
}
