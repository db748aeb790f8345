/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One SQLite database: a table for each kind of record and each section that has rows, and the
 * table "columns", which describes all columns. The database is written to a temporary file beside
 * its final name, without a journal: an unfinished database is deleted anyway.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/export.h"
#include "export/sql.h"

struct sqlite_export {
	sqlite3 *db;
};

static int open_sqlite(struct export_place *p, struct sooth_error *err)
{
	struct sqlite_export *s = p->state;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW;

	if (sqlite3_open_v2(p->file->temporary, &s->db, flags, NULL))
		return s->db ? sql_error(s->db, "open the new database", err)
			     : error_no_memory(err);
	return sql_execute(s->db,
		"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
		"PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 16384; BEGIN;",
		err);
}

static int write_row(struct export_place *p, struct table *table, const struct sooth_record *r,
	struct sooth_error *err)
{
	struct sqlite_export *s = p->state;

	return sql_insert(s->db, "main", table, r, &p->scratch, err);
}

static int insert_columns(
	sqlite3 *db, const struct tables *tables, sqlite3_stmt *insert, struct sooth_error *err)
{
	for (size_t i = 0; i < tables->count; i++) {
		const struct table *t = tables->items[i];

		for (size_t k = 0; t->user && k < t->column_count; k++) {
			const struct column *c = &t->columns[k];
			const char *cells[] = { t->name, c->name, column_type(c), column_unit(c),
				c->help };

			for (int n = 0; n < 5; n++)
				sqlite3_bind_text(insert, n + 1, cells[n], -1, SQLITE_STATIC);
			if (sqlite3_step(insert) != SQLITE_DONE)
				return sql_error(db, "write the database", err);
			sqlite3_reset(insert);
		}
	}
	return 0;
}

static int finish(struct export_place *p, struct sooth_error *err)
{
	struct sqlite_export *s = p->state;
	sqlite3_stmt *insert = NULL;
	int status = sql_execute(s->db,
		"CREATE TABLE columns (table_name TEXT, column_name TEXT, type TEXT, unit TEXT, "
		"help TEXT)",
		err);

	if (!status && sqlite3_prepare_v2(s->db, "INSERT INTO columns VALUES (?, ?, ?, ?, ?)", -1,
			       &insert, NULL))
		status = sql_error(s->db, "write the database", err);
	if (!status)
		status = insert_columns(s->db, &p->tables, insert, err);
	sqlite3_finalize(insert);
	return status ? status : sql_execute(s->db, "COMMIT", err);
}

static void close_sqlite(struct export_place *p)
{
	for (size_t i = 0; i < p->tables.count; i++)
		sqlite3_finalize(p->tables.items[i]->user);
	sqlite3_close(((struct sqlite_export *)p->state)->db);
}

const struct export_type export_sqlite = {
	.name = "sqlite",
	.help = "one SQLite database with every table",
	.parts = FEED_RECORDS | FEED_VIEWS,
	.has_choice = true,
	.is_no_stream = true,
	.state_size = sizeof(struct sqlite_export),
	.open = open_sqlite,
	.row = write_row,
	.finish = finish,
	.close = close_sqlite,
};
