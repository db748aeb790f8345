/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verdicts: problems of agents' processes, defined here once for lists and findings. Each verdict
 * has its evidence as text.
 */
#pragma once

#include "analyze/process_table/process_table.h"

enum verdict_kind {
	VERDICT_ORPHANED,   /* the main process of its session has ended and left it by accident */
	VERDICT_DAEMON,	    /* the main process of its session has ended and left it on purpose: no
			       problem */
	VERDICT_ABANDONED,  /* an MCP server without a client */
	VERDICT_GENERATION, /* a newer process of the same server runs for the same project */
	VERDICT_ZOMBIE,	    /* ended, but not reaped by its parent */
	VERDICT_FROZEN,	    /* stopped by a signal, or its control group is frozen */
	VERDICT_OUTDATED,   /* a newer version is installed */
	VERDICT_DELETED,    /* the executable was removed or replaced */
	VERDICTS,
};

struct verdict {
	bool holds;
	uint8_t state; /* not measured: undecided; absent: does not apply */
	char why[192]; /* the evidence, or why the verdict is undecided; text that targets wrote is
			* not escaped */
};

/* Decides a verdict. The process table must be resolved. */
void verdict_decide(const struct process_table *c, const struct process_entry *p,
	enum verdict_kind kind, struct verdict *out);
/* Returns the name of a verdict: "orphaned". */
const char *verdict_name(enum verdict_kind kind);
/* Returns the newest installed version of the agent that the user can run; empty: unknown. */
struct span verdict_newest(const struct process_table *c, const struct agent *agent, uint32_t uid);
/* Compares versions like 2.1.328, numbers by value: negative, 0, positive. */
int version_compare(struct span a, struct span b);

struct verdict_generation {
	uint32_t number, count; /* 1 is the oldest */
};
/* Returns the number of an MCP server among the processes of the same server for the same
 * project. */
struct verdict_generation verdict_generation(
	const struct process_table *c, const struct process_entry *p);
