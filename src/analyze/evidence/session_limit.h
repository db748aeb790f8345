/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions of a PostgreSQL server, counted by the titles of its child processes. */
#ifndef SOOTH_ANALYZE_SESSION_LIMIT_H
#define SOOTH_ANALYZE_SESSION_LIMIT_H

#include "analyze/diagnosis/check.h"

struct session_counts {
	unsigned open, idle; /* idle: those that wait for their client */
};

/* False: the children of `server` named `program` are no PostgreSQL sessions. */
bool session_counts_of(struct session_counts *out, const struct check *e,
	const struct process_entry *server, const char *program);

#endif
