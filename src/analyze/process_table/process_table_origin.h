/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which living main processes can have started a process that names no living one, and why the
 * others cannot. All evidence is what the kernel keeps for good: start times, process sessions,
 * parents; or where the agent keeps the output of a tool call.
 */
#ifndef SOOTH_ANALYZE_PROCESS_TABLE_ORIGIN_H
#define SOOTH_ANALYZE_PROCESS_TABLE_ORIGIN_H

#include "analyze/process_table/process_table_resolving.h"

struct origin {
	struct resolving *s;
	const struct process_entry *p;
	const struct agent *agent;
	const struct agent_markers *of;
	bool is_from_outside; /* its markers come from an outer pid namespace */
};

/* Main processes that age, user and pid namespace allow, and that cannot be it all the same. */
struct origin_others {
	size_t count;
	const struct process_entry *one;
	const char *why; /* of `one`: "is in another process session" */
};

/* Returns a main process that can have started the process, preferably one in the same directory.
 * NULL: none; `others` has those that were ruled out. */
struct process_entry *origin_possible(const struct origin *o, struct origin_others *others);
/* Returns whether the process is the shell of a tool call, which the main process itself started,
 * and now has another parent: so that main process has ended. */
bool origin_is_left_shell(const struct origin *o);
/* Returns a living main process of any agent that was started in the session the markers name, and
 * hands the markers on: it can have started P while the main process of that session is gone. NULL:
 * none. */
struct process_entry *origin_below(const struct origin *o);

#endif
