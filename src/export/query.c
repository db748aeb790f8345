/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs one SQL statement. A statement may only read the tables: an authorizer refuses everything
 * else when SQLite prepares it. If it scans more than one table (a join, a subquery), the columns
 * that it names are first copied into temporary tables, so that the capture is not read again and
 * again.
 */
#include "export/query.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "export/query_state.h"
#include "export/query_tables.h"
#include "model/former_names.h"
#include "model/probe.h"
#include "model/schema.h"

/* --- notes --- */

/* The notes of the capture are printed below the rows of a query, as below every report. */

static const char *probe_of(const struct sooth_schema *schema)
{
	for (size_t i = 0; registry_probes[i]; i++) {
		for (size_t k = 0; registry_probes[i]->schemas[k]; k++) {
			if (registry_probes[i]->schemas[k] == schema)
				return registry_probes[i]->name;
		}
	}
	return NULL;
}

/* Notes each used table that is empty only because the capture lacks its probe. */
static void note_unobserved(struct query *q, struct output *output)
{
	for (size_t i = 0; i < q->use_count; i++) {
		const struct table *t = q->uses[i].table;
		const char *probe = t->is_of_records ? probe_of(t->schema) : NULL;
		char what[TABLE_NAME_SIZE + 32];

		if (!probe || report_has_probe(q->notes, probe))
			continue;
		snprintf(what, sizeof(what), "%s (%s)", t->name, probe);
		output_limit(output, what,
			"the capture lacks this probe: the empty table does not mean that nothing "
			"happened",
			"make a capture with it: `sooth record --probe PROBE -o FILE.sooth NAME`");
	}
}

/* Emits losses and limits of the capture, as far as it was read. */
static int query_emit_notes(struct query *q, struct output *output, struct sooth_error *err)
{
	note_unobserved(q, output);
	if (!q->notes_are_whole)
		output_limit(output, "lost records, from here to the end of the capture",
			"sooth stopped reading once the query had all its rows: the rows are "
			"complete",
			"");
	return report_notes(q->notes, q->notes_are_whole, output, err);
}

/* --- the query --- */

#define STEPS_BETWEEN	   100000 /* steps of SQLite's machine between two checks of the timeout */
#define VALUE_BYTES_MAX	   (16 << 20)
#define RESULT_COLUMNS_MAX TABLE_COLUMNS_MAX

static int is_time_over(void *user)
{
	return query_is_over(user);
}

/* --- what it may do --- */

static void note_use(struct query *q, const char *table, const char *column)
{
	const struct table *t = tables_find(&q->tables, table);
	struct query_use *use = NULL;

	for (size_t i = 0; i < q->use_count; i++) {
		if (q->uses[i].table == t)
			use = &q->uses[i];
	}
	if (!t || (!use && q->use_count == TABLES_MAX))
		return;
	if (!use) {
		use = &q->uses[q->use_count++];
		*use = (struct query_use){ .table = t };
	}
	for (size_t i = 0; i < t->column_count; i++)
		use->columns[i] |= !strcmp(t->columns[i].name, column);
}

static int authorize_action(void *user, int action, const char *first, const char *second,
	const char *schema, const char *trigger)
{
	struct query *q = user;

	(void)schema;
	(void)trigger;
	if (!q->is_users)
		return SQLITE_OK;
	switch (action) {
	case SQLITE_READ:
		note_use(q, first, second ? second : "");
		return SQLITE_OK;
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return second && (!strcmp(second, "load_extension") || !strncmp(second, "fts3_", 5))
			       ? SQLITE_DENY
			       : SQLITE_OK;
	default:
		return SQLITE_DENY;
	}
}

/* --- preparing --- */

/* Returns whether a statement changes data. SQLite refuses some changes of virtual tables before it
 * asks the authorizer. */
static bool is_change(sqlite3 *db)
{
	const char *message = sqlite3_errmsg(db);

	return sqlite3_errcode(db) == SQLITE_AUTH || strstr(message, " may not be ") ||
	       !strncmp(message, "not authorized", 14);
}

/* Returns the part behind the point: "path" for "t.path". */
static const char *behind_point(const char *name)
{
	const char *point = strrchr(name, '.');

	return point ? point + 1 : name;
}

static int refuse_statement(const struct query *q, struct sooth_error *err)
{
	const char *message = sqlite3_errmsg(q->db);
	const char *table = strstr(message, "no such table: ");
	const char *column = strstr(message, "no such column: ");
	const char *near, *now;

	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "run the statement");
	if (is_change(q->db)) {
		error_why(err, "%s: a query may only read", message);
		return error_remedy(err, "use SELECT; to change tables, export the capture: `sooth "
					 "export --format sqlite`");
	}
	error_why(err, "%s", message);
	now = column ? field_new_name(behind_point(column + strlen("no such column: "))) : NULL;
	if (now)
		return error_remedy(err, "this name was changed to %s (docs/json.md)", now);
	if (!table)
		return error_remedy(
			err, "`sooth query FILE --columns TABLE` lists the columns of a table");
	table += strlen("no such table: ");
	now = table_new_name(table);
	if (now)
		return error_remedy(err, "this name was changed to %s (docs/json.md)", now);
	near = tables_nearest(&q->tables, table);
	if (near && strcmp(near, table))
		return error_remedy(err, "did you mean %s?", near);
	return error_remedy(err, "`sooth query FILE --tables` lists the tables");
}

static bool is_blank(const char *text)
{
	while (isspace((unsigned char)*text) || *text == ';')
		text++;
	return !*text;
}

static int prepare_once(struct query *q, const char *sql, sqlite3_stmt **out, const char **rest)
{
	int status;

	q->use_count = 0;
	q->is_users = true;
	status = sqlite3_prepare_v2(q->db, sql, -1, out, rest);
	q->is_users = false;
	return status;
}

static bool lacks_table(const struct query *q, int status)
{
	return status == SQLITE_ERROR && strstr(sqlite3_errmsg(q->db), "no such table");
}

static int prepare_statement(
	struct query *q, const char *sql, sqlite3_stmt **out, struct sooth_error *err)
{
	const char *rest = "";
	int status = prepare_once(q, sql, out, &rest);

	/* The rows of views are made only when a statement uses them. */
	if (lacks_table(q, status) && !q->has_views) {
		int failed = query_views(q, err);

		if (failed)
			return failed;
		status = prepare_once(q, sql, out, &rest);
	}
	if (status)
		return refuse_statement(q, err);
	if (*out && is_blank(rest) && sqlite3_column_count(*out) > 0 &&
		sqlite3_column_count(*out) <= RESULT_COLUMNS_MAX)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "run the statement");
	error_why(err, !*out			    ? "the statement is empty"
		       : !is_blank(rest)	    ? "more than one statement"
		       : sqlite3_column_count(*out) ? "the result has too many columns"
						    : "only SQL statements that return rows "
						      "(SELECT) are allowed");
	return error_remedy(
		err, "give one SELECT, for example: \"SELECT * FROM syscalls_call LIMIT 10\"");
}

/* --- more than one scan --- */

/* Counts how often a statement opens virtual or temporary tables. */
static int count_scans(struct query *q, const char *sql)
{
	struct buffer text = { 0 };
	sqlite3_stmt *explain = NULL;
	const char *rest;
	int scans = 0;

	buffer_string(&text, "EXPLAIN ");
	buffer_string(&text, sql);
	if (!buffer_failed(&text) && !prepare_once(q, buffer_cstr(&text), &explain, &rest)) {
		while (sqlite3_step(explain) == SQLITE_ROW) {
			const char *opcode = (const char *)sqlite3_column_text(explain, 1);

			scans += opcode && !strcmp(opcode, "VOpen");
		}
	}
	sqlite3_finalize(explain);
	buffer_fini(&text);
	return scans;
}

static int copy_columns(struct query *q, const struct query_use *use, struct sooth_error *err)
{
	const struct table *t = use->table;
	struct buffer sql = { 0 };
	size_t count = 0;
	int status;

	buffer_string(&sql, "CREATE TABLE temp.");
	sql_put_name(&sql, t->name);
	buffer_string(&sql, " AS SELECT ");
	for (size_t i = 0; i < t->column_count; i++) {
		if (!use->columns[i])
			continue;
		buffer_string(&sql, count++ ? ", " : "");
		sql_put_name(&sql, t->columns[i].name);
	}
	if (!count) /* to count rows, one column is enough */
		sql_put_name(&sql, t->columns[0].name);
	buffer_string(&sql, " FROM main.");
	sql_put_name(&sql, t->name);
	status = buffer_failed(&sql) ? error_no_memory(err) : 0;
	if (!status && sqlite3_exec(q->db, buffer_cstr(&sql), NULL, NULL, NULL))
		status = query_failed(q, "copy a table", err);
	buffer_fini(&sql);
	return status;
}

static int copy_tables(struct query *q, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < q->use_count && !status; i++) {
		const struct table *t = q->uses[i].table;

		if (t->is_of_records || !strcmp(t->name, FEED_TABLE_CALL))
			status = copy_columns(q, &q->uses[i], err);
	}
	return status;
}

/* --- the query --- */

static int configure_database(struct query *q, struct sooth_error *err)
{
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_limit(q->db, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
	sqlite3_limit(q->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(q->db, SQLITE_LIMIT_WORKER_THREADS, 0);
	sqlite3_set_authorizer(q->db, authorize_action, q);
	return sql_execute(q->db, "PRAGMA temp_store = FILE", err);
}

static int note_record(
	void *user, struct table *table, const struct sooth_record *record, struct sooth_error *err)
{
	(void)table;
	(void)record;
	(void)err;
	*(bool *)user = true;
	return 0;
}

/* Checks that the file is a capture. Its first records describe kinds that this build does not
 * know. */
static int is_capture(struct query *q, struct sooth_error *err)
{
	bool has_begun = false;
	struct feed feed = { 0 };
	struct capture_file file;
	int status = query_begin(q, &file, &feed, FEED_RECORDS, note_record, &has_begun, err);

	do
		status = status < 0 ? status : query_read(q, &file, &feed, err);
	while (status > 0 && !has_begun);
	if (status >= 0)
		status = report_check_capture(feed.report, q->path, err) ?: status;
	if (status >= 0)
		query_keep_notes(q, &feed, !status);
	feed_close(&feed);
	capture_file_close(&file);
	return status < 0 ? status : 0;
}

int query_open(struct query **out, const struct query_options *options, struct sooth_error *err)
{
	struct query *q = calloc(1, sizeof(*q));
	int status;

	assert(options);
	if (!q)
		return error_no_memory(err);
	q->options = *options;
	if (options->timeout_ns)
		q->deadline_ns = clock_monotonic_ns() + options->timeout_ns;
	q->path = strdup(options->path);
	if (!q->path || sqlite3_open_v2(":memory:", &q->db,
				SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL))
		status = error_no_memory(err);
	else
		status = configure_database(q, err);
	if (!status)
		status = tables_init(&q->tables, err);
	if (!status)
		status = is_capture(q, err);
	if (!status)
		status = query_sources(q, err);
	if (status) {
		query_close(q);
		return status;
	}
	sqlite3_progress_handler(q->db, STEPS_BETWEEN, is_time_over, q);
	*out = q;
	return 0;
}

int query_run(struct query *q, const char *sql, struct output *output, struct sooth_error *err)
{
	sqlite3_stmt *statement = NULL;
	int status = prepare_statement(q, sql, &statement, err);

	if (!status && !sqlite3_stmt_isexplain(statement) && count_scans(q, sql) > 1) {
		sqlite3_finalize(statement);
		statement = NULL;
		status = copy_tables(q, err);
		if (!status)
			status = prepare_statement(q, sql, &statement, err);
	}
	if (!status)
		status = query_emit(q, statement, output, err);
	sqlite3_finalize(statement);
	return status ? status : query_emit_notes(q, output, err);
}

bool query_is_damaged(const struct query *q)
{
	assert(q);
	return q->notes && report_is_damaged(q->notes);
}

void query_close(struct query *q)
{
	if (!q)
		return;
	sqlite3_close(q->db);
	sooth_report_free(q->notes);
	tables_fini(&q->tables);
	free(q->path);
	free(q);
}

/* --- lists --- */

/* Lists the tables of a capture and their columns: `sooth query FILE --tables`. */

static const char *rows_origin(const struct table *t)
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
	/* This table has the same calls again, as text. */
	bool is_counted = strcmp(t->name, FEED_TABLE_CALL) != 0;
	struct query_table_row row = { .rows = t->rows,
		.columns = t->column_count,
		.rows_state = is_counted ? SOOTH_STATE_VALUE
					 : SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED) };
	struct record_tail tail[] = {
		tail_string(&row.name, t->name),
		tail_string(&row.holds, is_counted ? rows_origin(t) : "syscalls_call as text"),
	};

	if (is_counted && !t->rows)
		return 0;
	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

int query_list(struct query *q, struct output *output, struct sooth_error *err)
{
	assert(q);

	static const struct section section = SECTION_OF("tables", query_table_schema, TABLE);
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
	struct query_column_row row = { 0 };
	struct record_tail tail[] = {
		tail_string(&row.table, t->name),
		tail_string(&row.name, c->name),
		tail_string(&row.type, column_type(c)),
		tail_string(&row.unit, column_unit(c)),
		tail_string(&row.help, c->help ? c->help : ""),
	};

	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

static int find_table(
	struct query *q, const char *name, const struct table **out, struct sooth_error *err)
{
	int status = 0;

	*out = tables_find(&q->tables, name);
	if (!*out && !q->has_views)
		status = query_views(q, err);
	if (!*out && !status)
		*out = tables_find(&q->tables, name);
	if (*out || status)
		return status;
	return tables_refuse(&q->tables, "describe", name, err);
}

int query_describe(struct query *q, const char *const *names, size_t count, struct output *output,
	struct sooth_error *err)
{
	static const struct section section = SECTION_OF("columns", query_column_schema, TABLE);
	const struct table *t;
	int status = output_section(output, &section, err);

	for (size_t i = 0; i < count && !status; i++) {
		status = find_table(q, names[i], &t, err);
		for (size_t k = 0; !status && k < t->column_count; k++)
			status = emit_column(t, &t->columns[k], output, err);
	}
	return status ? status : query_emit_notes(q, output, err);
}
