/* SPDX-License-Identifier: BSD-2-Clause */
/* Other ends: the descriptors of any process that refer to the same pipe or FIFO, or to the peer of
 * a connected socket. They are found by reading the descriptors of every process. */
#pragma once

#include "base/cursor.h"
#include "base/map.h"
#include "collect/backend.h"

struct fd_end_key {
	uint64_t inode;
	uint64_t device; /* device of a FIFO; 0: pipe or socket, which share inode numbers */
};

struct fd_end {
	uint64_t descriptor_inode; /* inode of the process's own descriptor */
	uint32_t holders;
	uint32_t path_offset, path_size; /* position of the path of a FIFO in fd_ends.paths */
};

struct fd_ends {
	struct map sockets; /* set of uint64_t: inodes of the process's sockets */
	struct map targets; /* fd_end_key -> fd_end: the other ends to find */
	struct buffer paths;
	bool has_fifos;
};

void fd_ends_init(struct fd_ends *e);
void fd_ends_fini(struct fd_ends *e);
void fd_ends_clear(struct fd_ends *e);
void fd_ends_add_pipe(struct fd_ends *e, uint64_t inode);
void fd_ends_add_fifo(struct fd_ends *e, uint64_t inode, uint64_t device, struct span path);
/* Searches /proc and writes the other ends; returns the state of their list. */
uint8_t fd_ends_search(struct fd_ends *e, struct backend_run *run, const struct sooth_record *of);
/* Searches for the ends in these processes (pid_t) only. */
uint8_t fd_ends_search_in(struct fd_ends *e, struct backend_run *run, const struct sooth_record *of,
	const struct buffer *pids);
