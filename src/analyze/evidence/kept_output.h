/* SPDX-License-Identifier: BSD-2-Clause */
/* A pipe or socket whose end does not come, because a process that does not write has it open. */
#ifndef SOOTH_ANALYZE_KEPT_OUTPUT_H
#define SOOTH_ANALYZE_KEPT_OUTPUT_H

#include "analyze/diagnosis/check.h"
#include "analyze/waits/wait_chain.h"

struct kept_output {
	const struct process_entry
		*left;	/* a process left by a command, which keeps the output open */
	bool is_unsure; /* whether a command at work keeps it open too */
};

/* Finds the process that was left behind with the other end. Returns false if none was, or if a
 * command at work has it too. A process that is not in the table has just started, as a command of
 * a script that was left. */
bool kept_output_find_left(struct kept_output *k, const struct check *e, const struct wait_graph *g,
	const struct wait_link *link);
/* Returns whether the link waits for the end of a pipe, its standard input, that only unrelated
 * processes have open to write, which inherited the pipe besides their own outputs. */
bool kept_output_find_inherited(struct kept_output *k, const struct check *e,
	const struct wait_graph *g, const struct wait_link *link);

#endif
