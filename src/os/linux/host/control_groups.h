/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control groups of processes, of both versions: where each hierarchy is mounted for sooth, and the
 * values of a process's groups. Groups above its own are reported only if they have a limit,
 * because that applies too.
 *
 * Cannot be seen: hierarchies that are mounted nowhere here; in a container, the limits of groups
 * above its own root.
 */
#pragma once

#include "os/linux/files/process_snapshot.h"
#include "probes/limits.h"

#define GROUP_MOUNTS_MAX 32
#define GROUP_PATH_MAX	 4096

struct group_mount {
	char point[256];
	char root[1024];       /* the group of the hierarchy that the mount shows */
	char controllers[256]; /* a list; empty: version 2 */
};

/* Gets a group of the process that it opened (O_PATH), before its record is written. */
typedef void (*control_group_visit)(struct backend_run *run,
	const struct process_snapshot *snapshot, int group, const struct limits_group *values,
	const char *name, const char *path);

struct control_groups {
	control_group_visit visit;  /* NULL: none */
	struct buffer lines, bytes; /* scratch */
	int status;		    /* result of reading the mounts */
	size_t count;
	struct group_mount mounts[GROUP_MOUNTS_MAX];
};

void control_groups_fini(struct control_groups *g);
/* Reads the current mounts. */
void control_groups_read_mounts(struct control_groups *g);
/* Writes LIMITS_GROUP records; returns the state of the whole list. */
uint8_t control_groups_read(
	struct control_groups *g, struct backend_run *run, const struct process_snapshot *snapshot);
/* Opens the group of a process (`process`: open /proc/PID) with O_PATH, and copies out its path.
 * Version 1 by a controller; "": version 2. Returns a descriptor; -ENOENT: the process is in the
 * root or in no group; or another negative errno. */
int control_groups_open(
	struct control_groups *g, int process, const char *controller, char path[GROUP_PATH_MAX]);
/* Opens the groups when /proc/PID/cgroup was read already. */
int control_groups_open_of(const struct control_groups *g, struct span own, const char *controller,
	char path[GROUP_PATH_MAX]);
