/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/sql.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_SIZE 24

void sql_put_name(struct buffer *out, const char *name)
{
	buffer_char(out, '"');
	for (; *name; name++) {
		if (*name == '"')
			buffer_char(out, '"');
		buffer_char(out, *name);
	}
	buffer_char(out, '"');
}

/* Returns the type to declare; "" for addresses and masks: their values of 2^63 and more are texts
 * of digits, which a declared type would turn into inexact numbers. */
static const char *declared_type(const struct column *c)
{
	return c->field && c->field->unit == SOOTH_UNIT_HEX ? "" : column_type(c);
}

void sql_put_columns(struct buffer *out, const struct table *t)
{
	for (size_t i = 0; i < t->column_count; i++) {
		buffer_string(out, i ? ", " : "(");
		sql_put_name(out, t->columns[i].name);
		buffer_char(out, ' ');
		buffer_string(out, declared_type(&t->columns[i]));
	}
	buffer_char(out, ')');
}

int sql_error(sqlite3 *db, const char *tried, struct sooth_error *err)
{
	int code = sqlite3_errcode(db) & 0xff;

	error_set(err,
		code == SQLITE_NOMEM  ? -ENOMEM
		: code == SQLITE_FULL ? -ENOSPC
				      : -EIO,
		code == SQLITE_NOMEM ? SOOTH_FAULT_INTERNAL : SOOTH_FAULT_IO, "%s", tried);
	return error_why(err, "SQLite: %s", sqlite3_errmsg(db));
}

int sql_execute(sqlite3 *db, const char *sql, struct sooth_error *err)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) ? sql_error(db, "write the database", err)
						       : 0;
}

int sql_create(sqlite3 *db, const char *schema, const struct table *t, struct sooth_error *err)
{
	struct buffer sql = { 0 };
	int status;

	buffer_format(&sql, "CREATE TABLE %s.", schema);
	sql_put_name(&sql, t->name);
	sql_put_columns(&sql, t);
	status = buffer_failed(&sql) ? error_no_memory(err)
				     : sql_execute(db, buffer_cstr(&sql), err);
	buffer_fini(&sql);
	return status;
}

/* Prepares "INSERT INTO schema.name VALUES (?, ...)" for an existing table. */
static int prepare_insert(sqlite3 *db, const char *schema, const struct table *t,
	sqlite3_stmt **out, struct sooth_error *err)
{
	struct buffer sql = { 0 };
	int status = 0;

	buffer_format(&sql, "INSERT INTO %s.", schema);
	sql_put_name(&sql, t->name);
	for (size_t i = 0; i < t->column_count; i++)
		buffer_string(&sql, i ? ", ?" : " VALUES (?");
	buffer_char(&sql, ')');
	if (buffer_failed(&sql))
		status = error_no_memory(err);
	else if (sqlite3_prepare_v3(
			 db, buffer_cstr(&sql), -1, SQLITE_PREPARE_PERSISTENT, out, NULL))
		status = sql_error(db, "write the database", err);
	buffer_fini(&sql);
	return status;
}

static size_t put_large(char text[NUMBER_SIZE], uint64_t u)
{
	return (size_t)snprintf(text, NUMBER_SIZE, "%" PRIu64, u);
}

static int bind_cell(sqlite3_stmt *s, int at, const struct cell *c)
{
	char text[NUMBER_SIZE];

	switch (c->type) {
	case CELL_SIGNED:
		return sqlite3_bind_int64(s, at, c->i);
	case CELL_BOOL:
	case CELL_UNSIGNED:
		if (c->u > INT64_MAX)
			return sqlite3_bind_text(
				s, at, text, (int)put_large(text, c->u), SQLITE_TRANSIENT);
		return sqlite3_bind_int64(s, at, (int64_t)c->u);
	case CELL_REAL:
		return sqlite3_bind_double(s, at, c->f);
	case CELL_TEXT:
	case CELL_JSON: /* SQLite copies it: the next cell may overwrite the text */
		return sqlite3_bind_text(
			s, at, c->text ? c->text : "", (int)c->size, SQLITE_TRANSIENT);
	default:
		return sqlite3_bind_null(s, at);
	}
}

int sql_insert(sqlite3 *db, const char *schema, struct table *t, const struct sooth_record *r,
	struct buffer *scratch, struct sooth_error *err)
{
	sqlite3_stmt *insert = t->user;
	int status = insert ? 0 : sql_create(db, schema, t, err);

	if (!status && !insert)
		status = prepare_insert(db, schema, t, &insert, err);
	t->user = insert;
	if (status)
		return status;
	for (size_t i = 0; i < t->column_count && !status; i++) {
		struct cell cell = cell_get(t, &t->columns[i], r, scratch);

		status = bind_cell(insert, (int)i + 1, &cell);
	}
	if (!status && sqlite3_step(insert) != SQLITE_DONE)
		status = SQLITE_ERROR;
	if (status)
		status = sql_error(db, "write the database", err);
	sqlite3_reset(insert);
	return !status && buffer_failed(scratch) ? error_no_memory(err) : status;
}

void sql_result(sqlite3_context *context, const struct cell *c)
{
	char text[NUMBER_SIZE];

	switch (c->type) {
	case CELL_SIGNED:
		sqlite3_result_int64(context, c->i);
		break;
	case CELL_BOOL:
	case CELL_UNSIGNED:
		if (c->u > INT64_MAX)
			sqlite3_result_text(
				context, text, (int)put_large(text, c->u), SQLITE_TRANSIENT);
		else
			sqlite3_result_int64(context, (int64_t)c->u);
		break;
	case CELL_REAL:
		sqlite3_result_double(context, c->f);
		break;
	case CELL_TEXT:
	case CELL_JSON:
		sqlite3_result_text(
			context, c->text ? c->text : "", (int)c->size, SQLITE_TRANSIENT);
		break;
	default:
		sqlite3_result_null(context);
		break;
	}
}
