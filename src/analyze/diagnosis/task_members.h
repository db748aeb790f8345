/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that have most of the processes and threads of a control group. */
#ifndef SOOTH_ANALYZE_TASK_MEMBERS_H
#define SOOTH_ANALYZE_TASK_MEMBERS_H

#include "analyze/diagnosis/check.h"
#include "probes/limits.h"

/* Appends "; 3 node lsp.js (7, 8, 9), which have outlived their parents, have 21": those of one
 * program and script together. Nothing if they have less than a tenth of the limit. Returns whether
 * all of them have outlived what started them. */
bool task_members_put(struct buffer *out, const struct check *e, const struct limits_group *g);
/* Returns whether what started the process has ended, as far as is known. */
bool task_member_is_left(const struct process_entry *p);

#endif
