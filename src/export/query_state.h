/* SPDX-License-Identifier: BSD-2-Clause */
/* State that the parts of a query share; see query.h. */
#ifndef SOOTH_EXPORT_QUERY_STATE_H
#define SOOTH_EXPORT_QUERY_STATE_H

#include "export/feed.h"
#include "export/query.h"
#include "export/sql.h"

/* Which columns of a table the statement names. */
struct query_use {
	const struct table *table;
	bool columns[TABLE_COLUMNS_MAX];
};

struct query {
	struct query_options options;
	char *path;
	sqlite3 *db;
	struct tables tables;
	struct query_use uses[TABLES_MAX];
	size_t use_count;
	bool is_users;		    /* the statement at hand is the user's: it may only read */
	bool has_views;		    /* the rows of views are in tables */
	uint64_t deadline_ns;	    /* 0: none */
	struct sooth_report *notes; /* of a reading of the capture */
	bool notes_are_whole;	    /* it was read to its end */
	struct sooth_error error;   /* of a reading, which SQLite has no room for */
	bool has_failed;
};

/* --- tables of records: query_source.c --- */

/* True when the time is over or the user wants it to end. */
bool query_is_over(const struct query *q);
/* Why a step of SQLite failed: a reading of the capture, the user, SQLite itself. */
int query_failed(struct query *q, const char *tried, struct sooth_error *err);

/* Virtual tables for all kinds, and for the table "call". */
int query_sources(struct query *q, struct sooth_error *err);
/* Reads the capture once and makes tables of the rows of views. */
int query_views(struct query *q, struct sooth_error *err);
/* The notes of a reading are kept when there are none, or none of a whole one. */
void query_keep_notes(struct query *q, struct feed *feed, bool is_whole);
/* Reads a piece of the capture: 1, 0 at its end, which the feed then knows of. */
int query_read(
	struct query *q, struct capture_file *file, struct feed *feed, struct sooth_error *err);
/* Opens both; file and feed are to be closed, also when it failed. */
int query_begin(struct query *q, struct capture_file *file, struct feed *feed, unsigned parts,
	feed_consumer consumer, void *user, struct sooth_error *err);

/* --- results: query_rows.c --- */

/* Steps the statement and emits its rows. */
int query_emit(
	struct query *q, sqlite3_stmt *statement, struct output *output, struct sooth_error *err);

#endif
