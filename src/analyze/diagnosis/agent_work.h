/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether an agent has work to do, and what in its session may do it. */
#ifndef SOOTH_ANALYZE_AGENT_WORK_H
#define SOOTH_ANALYZE_AGENT_WORK_H

#include "analyze/diagnosis/check.h"

struct agent_work {
	bool is_agent;
	bool is_headless;	   /* by its arguments */
	bool has_tool, has_server; /* in its session */
	bool is_idle;		   /* by its self-reported status, or its log */
	const char *busy;	   /* the evidence for it; NULL: not known to be busy */
};

/* Finds the work of an agent. All members are false for a process that is no agent. */
void agent_work_find(struct agent_work *w, const struct check *e, bool is_listening);

#endif
