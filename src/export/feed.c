/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/feed.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "model/stream_records.h"

#define DEFINITIONS_MAX 65536

/* --- rows of views: a sink --- */

struct feed_sink {
	const struct feed_side *side;
	struct table *table; /* table of the open section; NULL: not selected, or too many tables */
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	((struct feed_sink *)state)->side = options->user;
	return 0;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct feed_sink *s = state;

	(void)err;
	s->table = section->is_last && !s->side->has_notes
			   ? NULL
			   : tables_of_section(s->side->feed->tables, section);
	return 0;
}

/* Feeds a nested row, with the process of the row `whole` that contains it. */
static int feed_nested_row(struct feed *f, struct table *t, const struct sooth_record *row,
	const struct sooth_record *whole, struct sooth_error *err)
{
	struct sooth_record *own;

	buffer_reset(&f->part);
	buffer_append(&f->part, row, record_bytes(row));
	if (buffer_failed(&f->part))
		return error_no_memory(err);
	own = (void *)f->part.data;
	if (!own->pid && !own->start_ticks) {
		own->pid = whole->pid;
		own->start_ticks = whole->start_ticks;
	}
	return f->consumer(f->user, t, own, err);
}

/* Feeds the rows nested in a row, which have their own table. */
static int feed_nested_rows(struct feed *f, const struct table *t, const struct sooth_record *r,
	struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < t->schema->field_count && !status; i++) {
		const struct sooth_field *field = &t->schema->fields[i];
		struct table *part = tables_of_rows(f->tables, field);
		struct sooth_value v = sooth_field_get(field, r);
		struct batch rows = { 0 };

		if (part && value_is_there(&v))
			rows = field_rows(&v);
		batch_for_each (row, &rows) {
			if (!status)
				status = feed_nested_row(f, part, row, r, err);
		}
	}
	return status;
}

static int feed_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct feed_sink *s = state;
	struct feed *f = s->side->feed;
	int status = 0;

	(void)section;
	if (!s->table)
		return 0;
	batch_for_each (r, batch) {
		if (!status)
			status = f->consumer(f->user, s->table, r, err);
		if (!status)
			status = feed_nested_rows(f, s->table, r, err);
	}
	return status;
}

static const struct sink_type feed_sink = {
	.name = "feed",
	.help = "writes rows into tables of an export",
	.state_size = sizeof(struct feed_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = feed_rows,
};

/* --- records --- */

struct definition_key {
	uint64_t size;
	uint64_t sums;
};

/* Returns whether a definition came before: every segment begins with all of them. */
static bool is_repeated(struct feed *f, const struct sooth_record *r)
{
	size_t size = record_bytes(r);
	struct definition_key key = { size,
		crc32(0, (const void *)r, size) | (uint64_t)adler32(1, (const void *)r, size)
							  << 32 };
	bool is_new = true;

	return map_put(&f->definitions, &key, &is_new) && !is_new;
}

static int feed_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct feed *f = user;

	/* Records of unknown kinds are counted in the notes. */
	if (!schema || schema != f->schema) {
		f->schema = schema;
		f->table = schema ? tables_of_schema(f->tables, schema)
				  : tables_of_kind(f->tables, record->kind);
	}
	if (record->kind == STREAM_SCHEMA)
		tables_learn(f->tables, record);
	if (record->kind & KIND_DEFINITION && is_repeated(f, record))
		return 0;
	f->failed = f->table ? f->consumer(f->user, f->table, record, f->err) : 0;
	return f->failed;
}

/* Feeds records that a view made. */
static int feed_made(void *user, const struct batch *made, struct sooth_error *err)
{
	struct feed *f = user;
	int status = 0;

	(void)err;
	batch_for_each (r, made) {
		if (!status)
			status = feed_record(f, NULL, r);
	}
	return status;
}

/* --- the feed --- */

/* Calls come before the phases in which they were made. */
static int add_activity(struct feed *f, struct sooth_error *err)
{
	int status = sooth_report_add_view(f->report, "api-calls", NULL, err);

	f->phases = (struct phases_options){ .take = feed_made, .user = f };
	f->answers = (struct findings_options){ .take = feed_made, .user = f };
	if (!status)
		status = sooth_report_add_view(f->report, "phases", &f->phases, err);
	if (!status)
		status = sooth_report_add_view(f->report, "finding-changes", &f->answers, err);
	return status;
}

static int make_report(struct feed *f, struct sooth_error *err)
{
	struct sink_options sink = { .user = &f->views_side };
	int status = sooth_report_new(&f->report, "export", err);

	if (status)
		return status;
	if (f->parts & FEED_RECORDS)
		sooth_report_on_record(f->report, feed_record, f);
	if (f->parts & FEED_ACTIVITY)
		status = add_activity(f, err);
	if (status || !(f->parts & (FEED_VIEWS | FEED_ACTIVITY)))
		return status;
	if (f->parts & FEED_REPORT)
		sooth_report_add_default_views(f->report);
	if (f->parts & FEED_FINDINGS)
		status = sooth_report_add_view(f->report, "findings", NULL, err);
	return status ? status : report_add_sink_type(f->report, &feed_sink, &sink, err);
}

/* Makes the report of calls: a streaming view needs its own report. Its notes go to the other
 * one. */
static int make_calls(struct feed *f, struct sooth_error *err)
{
	struct sink_options sink = { .user = &f->calls_side };
	int status = sooth_report_new(&f->calls, "calls", err);

	if (!status)
		status = sooth_report_add_view(f->calls, "syscall-stream", NULL, err);
	if (!status)
		status = report_add_sink_type(f->calls, &feed_sink, &sink, err);
	if (!status)
		report_pass_on(f->report, f->calls);
	return status;
}

int feed_open(struct feed *f, struct tables *tables, unsigned parts, feed_consumer consumer,
	void *user, struct sooth_error *err)
{
	int status;

	*f = (struct feed){ .tables = tables, .parts = parts, .consumer = consumer, .user = user };
	f->views_side = (struct feed_side){ f, true };
	f->calls_side = (struct feed_side){ f, false };
	map_init(&f->definitions, sizeof(struct definition_key), 1, DEFINITIONS_MAX);
	status = make_report(f, err);
	if (!status && parts & FEED_CALLS)
		status = make_calls(f, err);
	return status;
}

int feed_select(struct feed *f,
	int (*select)(void *user, struct sooth_report *report, struct sooth_error *err), void *user,
	struct sooth_error *err)
{
	int status = select ? select(user, f->report, err) : 0;

	return !status && select && f->calls ? select(user, f->calls, err) : status;
}

/* Replaces the report's error by that of the consumer, which knows the cause. */
static int use_consumer_error(
	struct feed *f, int status, const struct sooth_error *own, struct sooth_error *err)
{
	if (status && f->failed)
		*err = *own;
	return status;
}

int feed_bytes(struct feed *f, const void *data, size_t size, struct sooth_error *err)
{
	struct sooth_error own = { 0 };

	f->err = &own;
	return use_consumer_error(f, sooth_report_feed(f->report, data, size, err), &own, err);
}

int feed_finish(struct feed *f, struct sooth_error *err)
{
	struct sooth_error own = { 0 };
	int status;

	f->err = &own;
	status = sooth_report_finish(f->report, err);
	if (!status && f->calls)
		status = sooth_report_finish(f->calls, err);
	return use_consumer_error(f, status, &own, err);
}

int feed_read_by(struct feed *f,
	int (*read)(const char *path, struct sooth_report *report, struct sooth_error *err),
	const char *path, struct sooth_error *err)
{
	struct sooth_error own = { 0 };
	int status;

	f->err = &own;
	status = use_consumer_error(f, read(path, f->report, err), &own, err);
	return status ? status : feed_finish(f, err);
}

static int read_capture(const char *path, struct sooth_report *report, struct sooth_error *err)
{
	return sooth_report_read(report, path, err);
}

int feed_read(struct feed *f, const char *path, struct sooth_error *err)
{
	return feed_read_by(f, read_capture, path, err);
}

void feed_close(struct feed *f)
{
	sooth_report_free(f->report);
	sooth_report_free(f->calls);
	map_fini(&f->definitions);
	buffer_fini(&f->part);
	*f = (struct feed){ 0 };
}
