/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions, by the tree of processes and by their markers: variables that agents put into the
 * environment of their children, as recorded in proc.ties: "NAME=VALUE", or "NAME" alone where the
 * value is masked.
 */
#pragma once

#include "recognize/agent.h"
#include "probes/proc.h"

#define MARKERS_MAX 64 /* markers of all agents together; more are ignored */

struct marker {
	struct span name, value; /* empty value: unknown */
};

struct markers {
	struct span trace; /* context of a trace; empty: none. No marker of an agent. */
	struct marker all[MARKERS_MAX];
	size_t count;
	bool is_reported; /* false: the environment could not be read, so nothing follows from it */
};

/* Reads the markers of a process, borrowed from `links`, which may be NULL. */
void markers_read(struct markers *m, const struct proc_ties *links);

/* markers of one agent */
struct agent_markers {
	bool is_any, is_tool;
	struct span session[2]; /* ids, in the order the agent lists them */
	size_t sessions;
	struct span pid; /* digits */
};

struct agent_markers markers_of_agent(const struct markers *m, const struct agent *agent);
