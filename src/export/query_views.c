/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of views in temporary tables, which SQLite keeps in an unnamed file when they are
 * large. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/query_state.h"

struct filling {
	struct query *q;
	struct buffer scratch;
};

static int take(
	void *user, struct table *table, const struct sooth_record *record, struct sooth_error *err)
{
	struct filling *f = user;
	sqlite3_stmt *insert = table->user;
	int status = 0;

	table->rows++;
	if (table->is_of_records)
		return 0;
	if (!insert) {
		status = sql_create(f->q->db, "temp", table, err);
		if (!status)
			status = sql_prepare_insert(f->q->db, "temp", table, &insert, err);
		table->user = insert;
	}
	return status ? status : sql_insert(f->q->db, insert, table, record, &f->scratch, err);
}

static int fill(
	struct filling *f, struct feed *feed, struct capture_file *file, struct sooth_error *err)
{
	int status;

	do
		status = query_read(f->q, file, feed, err);
	while (status > 0);
	return status;
}

/* A section without rows is still a table. */
static int make_empty(struct query *q, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < q->tables.count; i++) {
		struct table *t = q->tables.items[i];

		if (!status && !t->is_of_records && !t->user && strcmp(t->name, FEED_TABLE_CALL))
			status = sql_create(q->db, "temp", t, err);
		sqlite3_finalize(t->user);
		t->user = NULL;
	}
	return status;
}

int query_views(struct query *q, struct sooth_error *err)
{
	struct filling f = { .q = q };
	struct capture_file file = { .fd = -1 };
	struct feed feed = { 0 };
	int status, empties;

	q->is_users = false;
	status = sql_execute(q->db, "BEGIN", err);
	if (!status)
		status = query_begin(q, &file, &feed, FEED_RECORDS | FEED_VIEWS, take, &f, err);
	if (!status)
		status = fill(&f, &feed, &file, err);
	empties = make_empty(q, err);
	if (!status)
		status = empties;
	if (!status)
		status = sql_execute(q->db, "COMMIT", err);
	query_keep_notes(q, &feed, !status);
	feed_close(&feed);
	capture_file_close(&file);
	buffer_fini(&f.scratch);
	q->has_views = !status;
	return status;
}
