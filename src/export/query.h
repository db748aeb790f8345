/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQL over a capture. Tables of records are virtual tables, which read the capture at each scan;
 * docs/design-notes.md has the reason. Statements can only read.
 */
#pragma once

#include <sooth/report.h>
#include <errno.h>

#include "base/units.h"
#include "explain/output.h"

struct query;

static inline int query_timed_out(uint64_t timeout_ns, struct sooth_error *err)
{
	char text[UNITS_SIZE];

	error_set(err, -ETIMEDOUT, SOOTH_FAULT_USAGE, "finish the statement");
	error_why(err, "the query took longer than %s", format_ns(text, timeout_ns));
	return error_remedy(err, "add a WHERE or a LIMIT to the query, or raise --timeout");
}

struct query_options {
	const char *path;	  /* path of the capture, which must be a file */
	uint64_t timeout_ns;	  /* 0: none */
	bool (*is_stopped)(void); /* called now and then; NULL: never stopped */
	/* Selects what to read of the capture; NULL: all. */
	int (*select)(void *user, struct sooth_report *report, struct sooth_error *err);
	void *user;
};

/* Opens a capture for queries. -EINVAL: it is no capture; -EOPNOTSUPP: this build has no SQLite. */
int query_open(struct query **out, const struct query_options *options, struct sooth_error *err);
/* Emits the rows of one statement as the section "rows", and the notes of the capture. */
int query_run(struct query *q, const char *sql, struct output *output, struct sooth_error *err);
/* Emits the tables of the capture as the section "tables". */
int query_list(struct query *q, struct output *output, struct sooth_error *err);
/* Emits the columns of the named tables as the section "columns". */
int query_describe(struct query *q, const char *const *names, size_t count, struct output *output,
	struct sooth_error *err);
/* Returns whether parts of the capture, as far as it was read, are damaged. */
bool query_is_damaged(const struct query *q);
void query_close(struct query *q);
