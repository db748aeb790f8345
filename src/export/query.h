/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQL over a capture. The tables of records are virtual ones that read the capture each time they
 * are scanned; see docs/design-notes.md for why. A statement reads and does nothing else.
 */
#ifndef SOOTH_EXPORT_QUERY_H
#define SOOTH_EXPORT_QUERY_H

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
	const char *path;	  /* of the capture, a file */
	uint64_t timeout_ns;	  /* 0: none */
	bool (*is_stopped)(void); /* called now and then; NULL: never stopped */
	/* Chooses what is read of it; NULL: all. */
	int (*select)(void *user, struct sooth_report *report, struct sooth_error *err);
	void *user;
};

/* -EINVAL when the file is no capture; -EOPNOTSUPP when this build has no SQLite. */
int query_open(struct query **out, const struct query_options *options, struct sooth_error *err);
/* The rows of one statement as the section "rows", and the notes of the capture. */
int query_run(struct query *q, const char *sql, struct output *output, struct sooth_error *err);
/* The tables that the capture has, as the section "tables". */
int query_list(struct query *q, struct output *output, struct sooth_error *err);
/* The columns of those named, as the section "columns". */
int query_describe(struct query *q, const char *const *names, size_t count, struct output *output,
	struct sooth_error *err);
/* Parts of the capture could not be read, as far as it was. */
bool query_is_damaged(const struct query *q);
void query_close(struct query *q);

#endif
