/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What should not be there: the judgements about processes of agents. They live here once,
 * for lists and for findings alike; each says what it rests on, in words.
 */
#ifndef SOOTH_ANALYZE_VERDICTS_H
#define SOOTH_ANALYZE_VERDICTS_H

#include "analyze/process_table/process_table.h"

enum verdict_kind {
	VERDICT_ORPHANED,   /* its session's main process is gone, and it was left by accident */
	VERDICT_DAEMON,	    /* gone as well, but it was made to stay; nothing is wrong */
	VERDICT_ABANDONED,  /* an MCP server nobody can talk to any more */
	VERDICT_GENERATION, /* another, newer process of the same server is there for the project */
	VERDICT_ZOMBIE,	    /* ended, and its parent has not asked how */
	VERDICT_FROZEN,	  /* it stands still: stopped by a signal, or its control group is frozen */
	VERDICT_OUTDATED, /* a newer version is installed */
	VERDICT_DELETED,  /* the file it runs was removed or replaced */
	VERDICTS,
};

struct verdict {
	bool holds;
	uint8_t state; /* not measured: it could not be judged; absent: it is no question here */
	char why[192]; /* what it rests on, or why it could not be judged; texts of targets in it
			* are not escaped */
};

/* Of a settled census. */
void verdict_decide(const struct process_table *c, const struct process_entry *p,
	enum verdict_kind kind, struct verdict *out);
/* "orphaned" */
const char *verdict_name(enum verdict_kind kind);
/* The newest version of the agent that is installed where the user can run it; empty: none known.
 */
struct span verdict_newest(const struct process_table *c, const struct agent *agent, uint32_t uid);
/* Of versions like 2.1.328, numbers by their value: negative, 0, positive. */
int version_compare(struct span a, struct span b);

struct verdict_generation {
	uint32_t number, count; /* 1 is the oldest */
};
/* Of an MCP server: which of how many of the same server for the same project. */
struct verdict_generation verdict_generation(
	const struct process_table *c, const struct process_entry *p);

#endif
