/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions of a PostgreSQL server, which has a process for each: by their titles. */
#ifndef SOOTH_ANALYZE_SESSION_LIMIT_H
#define SOOTH_ANALYZE_SESSION_LIMIT_H

#include "analyze/diagnosis/check.h"

struct session_counts {
	unsigned open, idle; /* idle: they wait for their client */
};

/* False: these are no sessions of such a server. `program`: the name of the children. */
bool session_counts_of(struct session_counts *out, const struct check *e,
	const struct process_entry *server, const char *program);

#endif
