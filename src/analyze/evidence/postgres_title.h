/* SPDX-License-Identifier: BSD-2-Clause */
/* What PostgreSQL writes into the titles of its processes: an archiver whose command fails, and the
 * states of sessions. */
#ifndef SOOTH_ANALYZE_POSTGRES_TITLE_H
#define SOOTH_ANALYZE_POSTGRES_TITLE_H

#include "analyze/diagnosis/check.h"
#include "analyze/process_table/process_table.h"

/* Returns the segment of the write-ahead log that could not be archived, borrowed; empty: the
 * process is no archiver, or has not failed. */
struct span archive_failure_of(const struct process_entry *p);

struct session_counts {
	unsigned open, idle; /* idle: those that wait for their client */
};

/* False: the children of `server` named `program` are no PostgreSQL sessions. */
bool session_counts_of(struct session_counts *out, const struct check *e,
	const struct process_entry *server, const char *program);

#endif
