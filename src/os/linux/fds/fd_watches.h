/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths of the directories and files that inotify descriptors watch. The kernel reports inode,
 * device and file handle. Root opens the handle and reads its path; for other users the directories
 * that the process works in are searched for the inode. */
#pragma once

#include "collect/backend.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/files/mounts.h"
#include "os/linux/files/timeout.h"
#include "probes/fds.h"

#define WATCHES_MAX 262144 /* reported per process */

struct fd_watches {
	struct buffer list;  /* struct fd_watch */
	struct buffer roots; /* paths to search below, each ended by a NUL */
	struct buffer paths; /* the paths found */
	unsigned roots_count;
	uint64_t left_out; /* more than WATCHES_MAX */
};

void fd_watches_init(struct fd_watches *w);
void fd_watches_fini(struct fd_watches *w);
void fd_watches_clear(struct fd_watches *w);
void fd_watches_add(struct fd_watches *w, uint32_t fd, const struct fdinfo_watch *watch);
/* Adds a directory to search. */
void fd_watches_add_root(struct fd_watches *w, struct span path);
size_t fd_watches_count(const struct fd_watches *w);
/* Finds paths by the kernel's handles: some microseconds each. */
void fd_watches_resolve_some(
	struct fd_watches *w, struct timeout *timeout, const struct mounts *mounts, int process);
/* Finds the other paths by a search of the file system. Mounts in `blocked` (uint32_t id ->
 * anything) have timed out before. */
void fd_watches_resolve(struct fd_watches *w, struct timeout *timeout, const struct mounts *mounts,
	const struct map *blocked, int process);
/* Writes all watches as records. */
void fd_watches_write(struct fd_watches *w, struct backend_run *run, const struct sooth_record *of);
