/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds a capture into tables, in order of time: records as they come, rows of views when a view
 * emits them, mostly at the end. Memory does not grow with the capture.
 */
#pragma once

#include "analyze/diagnosis/diagnosis_options.h"
#include "analyze/phases/phases.h"
#include "base/map.h"
#include "explain/report.h"
#include "export/tables.h"

enum feed_part {
	FEED_RECORDS = 1,
	FEED_REPORT = 2,   /* the rows of `sooth report` */
	FEED_FINDINGS = 4, /* the rows of `sooth diagnose` */
	FEED_VIEWS = FEED_REPORT | FEED_FINDINGS,
	FEED_ACTIVITY =
		16, /* phases and answers, made of samples unless the capture has them; API calls */
	FEED_CALLS = 8, /* each system call with its arguments in words: the table "call" */
};

#define FEED_TABLE_CALL "call"

/* A row of a table: `record` is borrowed for the call. */
typedef int (*feed_consumer)(void *user, struct table *table, const struct sooth_record *record,
	struct sooth_error *err);

struct feed;

/* A source of rows: all views together, or the calls. Notes are emitted once. */
struct feed_side {
	struct feed *feed;
	bool has_notes;
};

struct feed {
	struct sooth_report *report;
	struct sooth_report *calls; /* report with the view of calls; NULL: not requested */
	struct feed_side views_side, calls_side;
	struct phases_options phases; /* of views, which borrow them */
	struct findings_options answers;
	struct tables *tables;
	unsigned parts;
	feed_consumer consumer;
	void *user;
	const struct sooth_schema *schema; /* schema of the previous record; next: its table */
	struct table *table;
	struct map definitions; /* definitions already emitted: each segment repeats them */
	struct buffer part;
	struct sooth_error *err; /* error of the current call */
	int failed;		 /* error returned by the consumer */
};

int feed_open(struct feed *f, struct tables *tables, unsigned parts, feed_consumer consumer,
	void *user, struct sooth_error *err);
/* Selects the records to read; select NULL: all. */
int feed_select(struct feed *f,
	int (*select)(void *user, struct sooth_report *report, struct sooth_error *err), void *user,
	struct sooth_error *err);
/* Reads a whole capture, and finishes. */
int feed_read(struct feed *f, const char *path, struct sooth_error *err);
/* Reads what `read` passes to the report, and finishes. */
int feed_read_by(struct feed *f,
	int (*read)(const char *path, struct sooth_report *report, struct sooth_error *err),
	const char *path, struct sooth_error *err);
/* Read a capture piece by piece. */
int feed_bytes(struct feed *f, const void *data, size_t size, struct sooth_error *err);
int feed_finish(struct feed *f, struct sooth_error *err);
void feed_close(struct feed *f);
