/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of records as virtual tables of SQLite. A scan reads the capture from its beginning in
 * pieces, keeps the records of one kind from the current piece, and computes only the requested
 * columns. So memory does not grow with the capture, and nothing is written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/query_state.h"
#include "import/import.h"

/* --- sources --- */

#define READ_BYTES (64u << 10)
#define SCAN_COST  1e6 /* cost of one scan, the same for any condition */

/* A virtual table; SQLite's part comes first. */
struct source {
	sqlite3_vtab base;
	struct query *q;
	struct table *table;
};

struct scan {
	sqlite3_vtab_cursor base;
	struct feed feed;
	struct capture_file file;
	bool has_begun;
	bool is_over;
	struct buffer rows; /* rows of the piece at hand */
	size_t at;
	sqlite3_int64 row;
	struct buffer scratch;
};

/* --- its end --- */

bool query_is_over(const struct query *q)
{
	return (q->options.is_stopped && q->options.is_stopped()) ||
	       (q->deadline_ns && clock_monotonic_ns() >= q->deadline_ns);
}

static int refuse_stopped(const struct query *q, struct sooth_error *err)
{
	if (q->options.is_stopped && q->options.is_stopped()) {
		error_set(err, -EINTR, SOOTH_FAULT_USAGE, "finish the statement");
		error_why(err, "the query was interrupted");
		return error_remedy(err, "let the query finish, or add a LIMIT to make it shorter");
	}
	return query_timed_out(q->options.timeout_ns, err);
}

int query_failed(struct query *q, const char *tried, struct sooth_error *err)
{
	if (q->has_failed) {
		*err = q->error;
		return err->code;
	}
	if (sqlite3_errcode(q->db) == SQLITE_INTERRUPT)
		return refuse_stopped(q, err);
	return sql_error(q->db, tried, err);
}

/* --- reading --- */

int query_begin(struct query *q, struct capture_file *file, struct feed *feed, unsigned parts,
	feed_consumer consumer, void *user, struct sooth_error *err)
{
	int status = import_open(file, q->path, err);

	if (!status)
		status = feed_open(feed, &q->tables, parts, consumer, user, err);
	if (!status)
		status = feed_select(feed, q->options.select, q->options.user, err);
	return status ? status : report_choose(feed->report, file, err);
}

int query_read(
	struct query *q, struct capture_file *file, struct feed *feed, struct sooth_error *err)
{
	_cleanup_free_ char *bytes = malloc(READ_BYTES);
	ssize_t got;
	int status;

	if (!bytes)
		return error_no_memory(err);
	if (query_is_over(q))
		return refuse_stopped(q, err);
	got = capture_file_read(file, bytes, READ_BYTES, err);
	if (got < 0)
		return (int)got;
	status = got ? feed_bytes(feed, bytes, (size_t)got, err) : feed_finish(feed, err);
	if (!status && got)
		status = report_check_stream(feed->report, file, err);
	return status ? status : got > 0;
}

void query_keep_notes(struct query *q, struct feed *feed, bool is_whole)
{
	if (!feed->report || q->notes_are_whole || (q->notes && !is_whole))
		return;
	sooth_report_free(q->notes);
	q->notes = TAKE_PTR(feed->report);
	q->notes_are_whole = is_whole;
}

/* --- a scan --- */

static int keep_row(
	void *user, struct table *table, const struct sooth_record *record, struct sooth_error *err)
{
	struct scan *s = user;

	if (table != ((struct source *)s->base.pVtab)->table)
		return 0;
	buffer_append(&s->rows, record, record_bytes(record));
	return buffer_failed(&s->rows) ? error_no_memory(err) : 0;
}

static void end_scan(struct scan *s)
{
	if (!s->has_begun)
		return;
	s->has_begun = false;
	capture_file_close(&s->file);
	query_keep_notes(((struct source *)s->base.pVtab)->q, &s->feed, s->is_over);
	feed_close(&s->feed);
}

static int fail_scan(struct scan *s, const struct sooth_error *err)
{
	struct query *q = ((struct source *)s->base.pVtab)->q;

	q->error = *err;
	q->has_failed = true;
	return SQLITE_ERROR;
}

/* Reads up to the next piece that has a row, or to the end. */
static int read_next_piece(struct scan *s)
{
	struct query *q = ((struct source *)s->base.pVtab)->q;
	struct sooth_error err = { 0 };

	while (s->at >= s->rows.size && !s->is_over) {
		int status;

		buffer_reset(&s->rows);
		s->at = 0;
		status = query_read(q, &s->file, &s->feed, &err);
		if (status < 0)
			return fail_scan(s, &err);
		s->is_over = !status;
	}
	return SQLITE_OK;
}

static int start_scan(
	sqlite3_vtab_cursor *cursor, int number, const char *name, int argc, sqlite3_value **argv)
{
	struct scan *s = (struct scan *)cursor;
	struct source *source = (struct source *)cursor->pVtab;
	unsigned part = source->table->is_of_records ? FEED_RECORDS : FEED_CALLS;
	struct sooth_error err = { 0 };

	(void)number;
	(void)name;
	(void)argc;
	(void)argv;
	end_scan(s);
	buffer_reset(&s->rows);
	s->at = 0;
	s->row = 1;
	s->is_over = false;
	s->has_begun = true;
	if (query_begin(source->q, &s->file, &s->feed, part, keep_row, s, &err))
		return fail_scan(s, &err);
	return read_next_piece(s);
}

static int next_row(sqlite3_vtab_cursor *cursor)
{
	struct scan *s = (struct scan *)cursor;

	s->at += record_bytes((const void *)(s->rows.data + s->at));
	s->row++;
	return read_next_piece(s);
}

static int is_at_end(sqlite3_vtab_cursor *cursor)
{
	struct scan *s = (struct scan *)cursor;

	return s->at >= s->rows.size;
}

static int set_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int index)
{
	struct scan *s = (struct scan *)cursor;
	const struct table *t = ((struct source *)cursor->pVtab)->table;
	struct cell cell =
		cell_get(t, &t->columns[index], (const void *)(s->rows.data + s->at), &s->scratch);

	if (buffer_failed(&s->scratch))
		return SQLITE_NOMEM;
	sql_result(context, &cell);
	return SQLITE_OK;
}

static int set_row_number(sqlite3_vtab_cursor *cursor, sqlite3_int64 *number)
{
	*number = ((struct scan *)cursor)->row;
	return SQLITE_OK;
}

static int open_scan(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
	struct scan *s = calloc(1, sizeof(*s));

	if (!s)
		return SQLITE_NOMEM;
	s->base.pVtab = table;
	*cursor = &s->base;
	return SQLITE_OK;
}

static int close_scan(sqlite3_vtab_cursor *cursor)
{
	struct scan *s = (struct scan *)cursor;

	end_scan(s);
	buffer_fini(&s->rows);
	buffer_fini(&s->scratch);
	free(s);
	return SQLITE_OK;
}

/* --- a table --- */

static int plan_scan(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = SCAN_COST;
	info->estimatedRows = (sqlite3_int64)SCAN_COST;
	return SQLITE_OK;
}

static int connect_table(sqlite3 *db, void *user, int argc, const char *const *argv,
	sqlite3_vtab **out, char **message)
{
	struct query *q = user;
	struct source *source = calloc(1, sizeof(*source));
	struct buffer sql = { 0 };
	int status;

	(void)argc;
	(void)message;
	if (!source)
		return SQLITE_NOMEM;
	source->q = q;
	source->table = tables_find(&q->tables, argv[2]);
	buffer_string(&sql, "CREATE TABLE x");
	sql_put_columns(&sql, source->table);
	status = buffer_failed(&sql) ? SQLITE_NOMEM : sqlite3_declare_vtab(db, buffer_cstr(&sql));
	buffer_fini(&sql);
	if (status)
		free(source);
	else
		*out = &source->base;
	return status;
}

static int disconnect_table(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.xCreate = connect_table,
	.xConnect = connect_table,
	.xBestIndex = plan_scan,
	.xDisconnect = disconnect_table,
	.xDestroy = disconnect_table,
	.xOpen = open_scan,
	.xClose = close_scan,
	.xFilter = start_scan,
	.xNext = next_row,
	.xEof = is_at_end,
	.xColumn = set_column,
	.xRowid = set_row_number,
};

/* Learns the columns of the table of calls, by running its view without records. */
static int know_calls(struct query *q, struct sooth_error *err)
{
	struct feed feed;
	int status = feed_open(&feed, &q->tables, FEED_CALLS, NULL, NULL, err);

	if (!status)
		status = feed_finish(&feed, err);
	feed_close(&feed);
	return status;
}

int query_sources(struct query *q, struct sooth_error *err)
{
	struct buffer sql = { 0 };
	int status = know_calls(q, err);

	if (!status && sqlite3_create_module_v2(q->db, "capture", &module, q, NULL))
		status = sql_error(q->db, "prepare the tables", err);
	for (size_t i = 0; i < q->tables.count && !status; i++) {
		const struct table *t = q->tables.items[i];

		if (!t->is_of_records && strcmp(t->name, FEED_TABLE_CALL))
			continue;
		buffer_reset(&sql);
		buffer_string(&sql, "CREATE VIRTUAL TABLE main.");
		sql_put_name(&sql, t->name);
		buffer_string(&sql, " USING capture");
		status = buffer_failed(&sql) ? error_no_memory(err)
					     : sql_execute(q->db, buffer_cstr(&sql), err);
	}
	buffer_fini(&sql);
	return status;
}

/* --- views --- */

/* Rows of views go into temporary tables, which SQLite keeps in an unnamed file if they are
 * large. */

struct filling {
	struct query *q;
	struct buffer scratch;
};

static int handle_row(
	void *user, struct table *table, const struct sooth_record *record, struct sooth_error *err)
{
	struct filling *f = user;

	table->rows++;
	return table->is_of_records ? 0
				    : sql_insert(f->q->db, "temp", table, record, &f->scratch, err);
}

static int read_all_pieces(
	struct filling *f, struct feed *feed, struct capture_file *file, struct sooth_error *err)
{
	int status;

	do
		status = query_read(f->q, file, feed, err);
	while (status > 0);
	return status;
}

/* Creates the tables of sections without rows. */
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
		status = query_begin(
			q, &file, &feed, FEED_RECORDS | FEED_VIEWS, handle_row, &f, err);
	if (!status)
		status = read_all_pieces(&f, &feed, &file, err);
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
