/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls made by the short commands of a process: a loop of psql or cat that fails makes no
 * failing call itself. The calls of processes that it started, directly or through others that
 * are not diagnosed themselves, are added up; those that are diagnosed have findings of their own.
 */
#ifndef SOOTH_ANALYZE_CHILD_CALLS_H
#define SOOTH_ANALYZE_CHILD_CALLS_H

#include "analyze/diagnosis/check.h"

#define CHILD_CALLS_NAMES 64

struct child_peer {
	struct call_peer sum;	       /* `failed` without what another address made good */
	char names[CHILD_CALLS_NAMES]; /* "psql, curl": programs whose attempts failed */
};

struct child_failures {
	uint64_t children; /* that ended with an error after it */
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
/* Empty where it is not known which processes it started. */
void child_calls_read(struct child_calls *c, const struct check *e);
void child_calls_fini(struct child_calls *c);

#endif
