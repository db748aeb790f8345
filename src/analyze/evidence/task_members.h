/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that have most of the processes and threads of a control group. */
#ifndef SOOTH_ANALYZE_TASK_MEMBERS_H
#define SOOTH_ANALYZE_TASK_MEMBERS_H

#include "analyze/diagnosis/check.h"
#include "probes/limits.h"

/* Appends the group of processes with one program and script that has most tasks: "; 3 node lsp.js
 * (7, 8, 9), which have outlived their parents, have 21"; nothing if it has less than a tenth of
 * the limit, or if members that were not read may have more. Returns whether all of them have
 * outlived their starters. */
bool task_members_put(struct buffer *out, const struct check *e, const struct limits_group *g);
/* Returns whether the process is known to have outlived its starter. */
bool task_member_is_left(const struct process_entry *p);

#endif
