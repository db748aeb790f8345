/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether an agent has work to do, and which parts of its session may do the work. */
#ifndef SOOTH_ANALYZE_AGENT_WORK_H
#define SOOTH_ANALYZE_AGENT_WORK_H

#include "analyze/diagnosis/check.h"

struct agent_work {
	bool is_agent;
	bool is_headless;	   /* an argument makes it headless */
	bool has_tool, has_server; /* the session has a tool or helper; an MCP server */
	bool is_idle;		   /* its self-reported status, or its log, means idle */
	const char *busy;	   /* evidence that the agent is busy; NULL: none */
};

/* Finds the work of an agent. All members are false for a process that is no agent. */
void agent_work_find(struct agent_work *w, const struct check *e, bool is_listening);

#endif
