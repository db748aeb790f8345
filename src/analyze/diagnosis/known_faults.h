/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults of agents that a later version fixed, by the lists of changes that the agents publish. */
#pragma once

#include "analyze/process_table/process_table.h"

struct known_fault {
	const char *agent, *fixed; /* its name; the first version without the fault */
	const char *findings;	   /* ids that it explains, with blanks between them */
	bool is_of_children;	   /* else findings of the agent's own process */
	const char *fix, *source;  /* what that version does, and where it says so */
};

/* How a fault is printed: arguments of a format with four strings. */
#define KNOWN_FAULT_FORMAT	   "from %s %s on, %s (%s)"
#define KNOWN_FAULT_ARGS(agent, f) (agent)->title, (f)->fixed, (f)->fix, (f)->source

/* Walks the faults that a version of the agent has; *position starts at 0. NULL: no more, or the
 * version is unknown (empty). */
const struct known_fault *known_fault_next(
	const struct agent *agent, struct span version, size_t *position);
bool known_fault_is_in(const struct known_fault *fault, struct span version);
/* Writes the next fault that explains a finding, by its id, of a process or of what its agent
 * started; *position starts at 0. False: no more. */
bool known_fault_put(
	struct buffer *out, const struct process_entry *p, const char *finding, size_t *position);
