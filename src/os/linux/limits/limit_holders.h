/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that use a resource together with the observed one, where its limit is near:
 * members of its control groups, processes on the CPUs that it may run on.
 */
#pragma once

#include "os/linux/files/process_snapshot.h"
#include "probes/limits.h"

/* Holders of one resource. */
struct limit_holders {
	struct backend_run *run;
	const struct process_snapshot *of;
	struct span place;
	uint32_t unread;
	uint8_t resource; /* enum limits_shared */
};

/* Appends a record with the members that the caller has set. */
void limit_holder_write(
	const struct limit_holders *all, const struct limits_holder *one, struct span path);
/* Sets pid, start and name from /proc/PID/stat, which it leaves in `bytes`. Returns 0 or a negative
 * errno. */
int limit_holder_read(
	struct limits_holder *out, int process, struct procfs_stat *stat, struct buffer *bytes);
/* Writes the members of a control group if its limit is near: a control_group_visit. */
void limit_holders_of_group(struct backend_run *run, const struct process_snapshot *snapshot,
	int group, const struct limits_group *values, const char *name, const char *path);
/* Writes what runs on the CPUs of the process, if it may not run on all of them. `list` names
 * them. */
void limit_holders_of_cpus(
	struct backend_run *run, const struct process_snapshot *snapshot, struct span list);
