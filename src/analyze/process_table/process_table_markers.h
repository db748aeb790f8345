/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The markers of a process: what agents put into the environment of what they start, as
 * proc.ties tells it: "NAME=VALUE", or "NAME" alone where the value is kept out.
 */
#ifndef SOOTH_ANALYZE_PROCESS_TABLE_MARKERS_H
#define SOOTH_ANALYZE_PROCESS_TABLE_MARKERS_H

#include "core/agent.h"
#include "probes/proc.h"

#define MARKERS_MAX 64 /* of all agents together; beyond are not looked at */

struct marker {
	struct span name, value; /* of an empty value nothing is known */
};

struct markers {
	struct marker all[MARKERS_MAX];
	size_t count;
	bool is_reported; /* else the environment could not be read, and nothing follows from it */
};

/* ties may be NULL. Borrowed from the record. */
void markers_read(struct markers *m, const struct proc_ties *links);
/* Drops those that stand in `others` with the same value: they were inherited. */
void markers_without(struct markers *m, const struct markers *others);

/* What they say of one agent. */
struct agent_markers {
	bool is_any, is_tool;
	struct span session[2]; /* ids, in the order the agent lists them */
	size_t sessions;
	struct span pid; /* digits */
};

struct agent_markers markers_of_agent(const struct markers *m, const struct agent *agent);
/* Whether all names in the list, which has blanks between them, are there; or none of them. */
bool markers_have_all(const struct markers *m, const char *names);
bool markers_have_none(const struct markers *m, const char *names);

#endif
