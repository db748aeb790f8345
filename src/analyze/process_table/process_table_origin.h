/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which living main processes can have started a process whose markers name no living main process,
 * and why the others cannot. The evidence does not change: start times, process sessions and
 * parents, from the kernel, and where the agent keeps the output of a tool call.
 */
#pragma once

#include "analyze/process_table/process_table_resolving.h"

struct origin {
	struct resolving *s;
	const struct process_entry *p;
	const struct agent *agent;
	const struct agent_markers *of;
	bool is_from_outside; /* the markers of the process come from an outer PID namespace */
};

/* Main processes of fitting age, user and pid namespace that still cannot have started the process.
 */
struct origin_others {
	size_t count;
	const struct process_entry *one;
	const char *why; /* reason why `one` cannot be the owner: "is in another process session" */
};

/* Returns a main process that can have started the process, preferably one in the same directory.
 * NULL: none; `others` has those that were ruled out. */
struct process_entry *origin_possible(const struct origin *o, struct origin_others *others);
/* Returns whether the process is the shell of a tool call that now has another parent. A main
 * process starts such a shell itself, so it has ended. */
bool origin_is_left_shell(const struct origin *o);
/* Returns a living main process of any agent that was started in the session the markers name. It
 * inherits and passes on these markers, so it can have started `p` although the session's own main
 * process is gone. NULL: none. */
struct process_entry *origin_below(const struct origin *o);
