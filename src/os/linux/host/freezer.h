/* SPDX-License-Identifier: BSD-2-Clause */
/* Freezing a control group: freezer.state of version 1, cgroup.freeze of version 2 (Linux 5.2).
 * Unlike SIGSTOP, no process in it or around it can see or undo that. Everything below a group
 * freezes with it, so every process there must be a selected one. */
#pragma once

#include "os/linux/host/control_groups.h"
#include "os/os.h"
#include "probes/proc.h"

int freezer_set(const struct os *os, const struct process_id *processes, size_t count,
	bool is_frozen, char *group, size_t room, struct sooth_error *err);
/* Returns whether one of the groups of a process is frozen; `own` is its /proc/PID/cgroup.
 * `*groups` begins as NULL and is read at the first call. */
enum proc_frozen freezer_read_state(struct control_groups **groups, struct span own);
void freezer_forget(struct control_groups **groups);
