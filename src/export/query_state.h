/* SPDX-License-Identifier: BSD-2-Clause */
/* State that the parts of a query share; see query.h. */
#pragma once

#include "export/feed.h"
#include "export/query.h"
#include "export/sql.h"

/* The columns of a table that the statement names. */
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
	bool is_users;		    /* the current statement is the user's: it may only read */
	bool has_views;		    /* tables with the rows of views were made */
	uint64_t deadline_ns;	    /* 0: none */
	struct sooth_report *notes; /* notes from one reading of the capture */
	bool notes_are_whole;	    /* the notes are complete: reading reached the end */
	struct sooth_error error;   /* error of a reading, kept as SQLite cannot pass it on */
	bool has_failed;
};

/* --- tables of records: query_source.c --- */

/* Returns whether the time is over, or the user requested a stop. */
bool query_is_over(const struct query *q);
/* Sets err to the reason why a step of SQLite failed: the reading, the user, or SQLite itself. */
int query_failed(struct query *q, const char *tried, struct sooth_error *err);

/* Makes virtual tables for all kinds of records, and for the table "call". */
int query_sources(struct query *q, struct sooth_error *err);
/* Reads the capture once and makes tables of the rows of views. */
int query_views(struct query *q, struct sooth_error *err);
/* Keeps the notes of a reading, unless there are some of a whole reading. */
void query_keep_notes(struct query *q, struct feed *feed, bool is_whole);
/* Reads a piece of the capture. Returns 1, or 0 at the end, after finishing the feed. */
int query_read(
	struct query *q, struct capture_file *file, struct feed *feed, struct sooth_error *err);
/* Opens file and feed; the caller closes both, also after a failure. */
int query_begin(struct query *q, struct capture_file *file, struct feed *feed, unsigned parts,
	feed_consumer consumer, void *user, struct sooth_error *err);

/* --- results: query_rows.c --- */

/* Steps the statement and emits its rows. */
int query_emit(
	struct query *q, sqlite3_stmt *statement, struct output *output, struct sooth_error *err);
