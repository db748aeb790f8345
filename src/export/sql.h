/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes tables and cells of an export with SQLite. */
#pragma once

#include <sqlite3.h>

#include "export/tables.h"

/* Appends a quoted name. */
void sql_put_name(struct buffer *out, const char *name);
/* Appends the list of columns: "(time_ns INTEGER, ...)". */
void sql_put_columns(struct buffer *out, const struct table *t);
/* Creates the table in that database schema. */
int sql_create(sqlite3 *db, const char *schema, const struct table *t, struct sooth_error *err);
/* Inserts a row. The first row creates the table, and keeps a statement in t->user. */
int sql_insert(sqlite3 *db, const char *schema, struct table *t, const struct sooth_record *r,
	struct buffer *scratch, struct sooth_error *err);
int sql_execute(sqlite3 *db, const char *sql, struct sooth_error *err);
/* Sets `err` to the error of the last call on db, with what was tried. */
int sql_error(sqlite3 *db, const char *tried, struct sooth_error *err);
/* Returns a cell to SQLite as the value of a column of a virtual table. */
void sql_result(sqlite3_context *context, const struct cell *cell);
