/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums over one snapshot of a process's descriptors. */
#pragma once

#include "analyze/snapshots.h"
#include "base/cursor.h"
#include "probes/fds.h"

struct fd_sums {
	uint32_t types[FDS_TYPES];
	uint32_t other;	    /* descriptors of types that this version does not know */
	uint32_t instances; /* inotify instances */
	uint32_t watches_reported;
	const struct fds_process *process; /* borrowed; NULL: a shorter record of another writer */
};

/* A directory and the number of watches in it and below. */
struct fd_directory {
	struct span path; /* borrowed from the snapshot; empty: unknown */
	uint8_t state;	  /* reason why the value is unknown */
	uint32_t watches;
};

void fd_sums_of(struct fd_sums *sums, const struct snapshot *snapshot);
/*
 * Appends struct fd_directory, most watches first. A watch counts for the first four directories of
 * its path ("/home/me/project/src"), or for the whole path if it is shorter.
 */
void fd_sums_directories(struct buffer *out, const struct snapshot *snapshot);
