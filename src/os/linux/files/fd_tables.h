/* SPDX-License-Identifier: BSD-2-Clause */
/* Which descriptor table to read for a process, and whether its threads have tables of their
 * own. */
#pragma once

#include "os/linux/files/procfs.h"
#include "os/linux/files/process_snapshot.h"

/* Scratch, kept for its memory. */
struct fd_tables {
	struct buffer tids, text;
};

void fd_tables_fini(struct fd_tables *t);
/* Returns whether a thread has a descriptor table of its own: unshare(2) with CLONE_FILES. Also
 * false if kcmp(2) is refused. */
bool fd_tables_are_several(struct fd_tables *t, const struct process_snapshot *of, uint32_t tid);
