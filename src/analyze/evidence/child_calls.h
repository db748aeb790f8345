/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls made by the short-lived commands of a process: a shell that runs a failing psql in a
 * loop makes no failing call itself. The calls of its descendants are added up, except below
 * descendants that are diagnosed: these have findings of their own.
 */
#ifndef SOOTH_ANALYZE_CHILD_CALLS_H
#define SOOTH_ANALYZE_CHILD_CALLS_H

#include "analyze/diagnosis/check.h"

#define CHILD_CALLS_NAMES 64

struct child_peer {
	struct call_peer sum;	       /* `failed` does not include `excused` */
	char names[CHILD_CALLS_NAMES]; /* "psql, curl": programs whose attempts failed */
};

struct child_failures {
	uint64_t children; /* children that failed after such a call */
	uint64_t first_ns, last_ns;
	char names[CHILD_CALLS_NAMES];
};

struct child_calls {
	struct map peers;    /* call_path -> struct child_peer */
	struct map failures; /* call_place -> struct child_failures */
};

/* Calls `take` with the calls of each process that this process started. If these processes are not
 * known, `take` is not called. */
void child_calls_each(const struct check *e,
	void (*take)(void *user, const struct call_history *child), void *user);
/* Leaves `c` empty if the processes that this process started are unknown. */
void child_calls_read(struct child_calls *c, const struct check *e);
void child_calls_fini(struct child_calls *c);

#endif
