/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reasons why a process does not go on although nothing in it waits: limits of its control groups
 * that were reached during the observation, and whether the groups let it start another process or
 * thread.
 */
#pragma once

#include "analyze/diagnosis/check.h"
#include "probes/limits.h"

struct held_limit {
	const struct limits_group *group; /* NULL: no limit of that name was reached */
	double per_s; /* rate at which the limit was reached: CPU periods, memory.high */
	uint64_t interval_ns;
};

/* Returns the limit of that name ("cpu", "memory-high") that was reached most often, in the group
 * of the process or one above. */
struct held_limit held_limit_of(const struct check *e, const char *name);

struct held_time {
	bool is_measured;
	double ran, waited; /* the thread that waited most for a CPU: percent of the time */
	uint32_t tid;
	uint64_t interval_ns;
	uint32_t policy; /* enum threads_policy */
	int32_t nice;
};

struct held_io {
	const struct limits_group *group; /* NULL: no limit explains the waits of the threads */
	bool is_write;
	double moved_per_s; /* bytes read or written */
	double waited;	    /* percent of the samples in which the thread waited for the disk */
	uint32_t tid;
	uint64_t interval_ns;
};

/* Finds a thread that mostly waits for the disk, and moves about as much as an I/O limit allows. */
struct held_io held_io_of(const struct check *e);

struct task_room {
	const struct limits_group *group; /* group with a limit; NULL: none has one */
	bool is_full, was_full; /* the limit was reached at the last sample, at the first sample */
	uint64_t refused;	/* refused starts during the observation */
	uint64_t refused_all;	/* refused starts since the group was created */
	bool is_counted;	/* the kernel counts refused starts */
};

/* Finds the control group that refused a start or, if none did, the one with the least room. */
void task_room_find(struct task_room *out, const struct check *e);
/* Returns how many more processes and threads the group allows; UINT64_MAX: not known. */
uint64_t task_room_in(const struct limits_group *g);
/* Returns the control group that is full, or was full during the observation; NULL: none is
 * known. */
const struct limits_group *find_group_without_tasks_left(const struct check *e);

/* Appends the group of processes with one program and script that has most tasks: "; 3 node lsp.js
 * (7, 8, 9), which have outlived their parents, have 21"; nothing if it has less than a tenth of
 * the limit, or if members that were not read may have more. Returns whether all of them have
 * outlived their starters. */
bool task_members_put(struct buffer *out, const struct check *e, const struct limits_group *g);
/* Appends the member that does not reap its children, if most of the group's tasks are such: ";
 * python3 (7) does not reap its exited children: 62 zombies count". Returns it; NULL: there is
 * none. */
#define TASK_ZOMBIES_REMEDY                                                                        \
	"restart process %u: only a parent can reap its children; until then a larger pids.max "   \
	"helps"
const struct process_entry *task_zombies_put(
	struct buffer *out, const struct check *e, const struct limits_group *g);
/* Returns whether the process is known to have outlived its starter. */
bool task_member_is_left(const struct process_entry *p);
