/* SPDX-License-Identifier: BSD-2-Clause */
/* The inotify watches and instances used by the processes of one user, and the user's limits. */
#ifndef SOOTH_ANALYZE_WATCH_USE_H
#define SOOTH_ANALYZE_WATCH_USE_H

#include "analyze/diagnosis/check.h"

/* Kinds of objects; each has a limit of its own. */
enum watch_kind {
	WATCH_WATCHES,
	WATCH_INSTANCES,
	WATCH_KINDS,
};

/* The kernel does not report the sums: those of the sampled processes are lower bounds. */
struct watch_use {
	uint64_t own[WATCH_KINDS], sum[WATCH_KINDS], limit[WATCH_KINDS];
	/* The user's processes with most watches and instances, and their numbers; lowest PID on a
	 * tie. */
	struct process_id most[WATCH_KINDS];
	uint64_t most_count[WATCH_KINDS];
	unsigned read, there; /* number of the user's processes: sampled; existing */
};

/* False: the watches of the process count against another user's limit, or an unknown one. Then
 * only `own` is set, if known. */
bool watch_use_of(struct watch_use *u, const struct check *e);

#endif
