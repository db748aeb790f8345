/* SPDX-License-Identifier: BSD-2-Clause */
/* An address space in the kernel's files: the lines of /proc/PID/smaps, of which those of
 * /proc/PID/maps are the first of each mapping, and the sums in /proc/PID/status
 * (proc_pid_smaps(5), proc_pid_status(5)). */
#pragma once

#include "base/cursor.h"
#include "probes/maps.h"

/* A mapping, as far as its lines have been read. */
struct smaps_mapping {
	struct maps_mapping is; /* without its record and path */
	struct span path;	/* borrowed from the first line; newlines are written as \\012 */
	bool has_values, has_flags;
};

/* Returns whether the line is the first of a mapping: *m is then reset. Otherwise *m is
 * unchanged. */
bool smaps_begin(struct smaps_mapping *m, struct span line);
/* Takes one of the lines that follow the first. */
void smaps_value(struct smaps_mapping *m, struct span line);
/* Cuts " (deleted)" off the path; the name of an existing file may end that way too. */
bool smaps_cut_deleted(struct span *path);
/* Reads the sums of a process. False: there are none: a kernel thread, or an ended process. */
bool smaps_status(struct maps_process *p, const void *data, size_t size);
