/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the control groups of a process let it start another process or thread, and which
 * processes have most of those that the groups allow. */
#ifndef SOOTH_ANALYZE_TASK_ROOM_H
#define SOOTH_ANALYZE_TASK_ROOM_H

#include "analyze/diagnosis/check.h"
#include "probes/limits.h"

struct task_room {
	const struct limits_group *group; /* group with a limit; NULL: none has one */
	bool is_full, was_full;		  /* at the last and at the first sample */
	uint64_t refused;		  /* refused starts during the observation */
	uint64_t refused_all;		  /* refused starts since the group was created */
	bool is_counted;		  /* the kernel counts refused starts */
};

/* Finds the control group that refused a start or, if none did, the one with the least room. */
void task_room_find(struct task_room *out, const struct check *e);
/* Returns how many more processes and threads the group allows; UINT64_MAX: not known. */
uint64_t task_room_in(const struct limits_group *g);
/* Returns the control group that is full, or was full during the observation; NULL: none is
 * known. */
const struct limits_group *task_room_full_group(const struct check *e);

/* Appends the group of processes with one program and script that has most tasks: "; 3 node lsp.js
 * (7, 8, 9), which have outlived their parents, have 21"; nothing if it has less than a tenth of
 * the limit, or if members that were not read may have more. Returns whether all of them have
 * outlived their starters. */
bool task_members_put(struct buffer *out, const struct check *e, const struct limits_group *g);
/* Returns whether the process is known to have outlived its starter. */
bool task_member_is_left(const struct process_entry *p);

#endif
