/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of /proc/locks: each lock with the process that made it, and below it the waiting
 * processes, with the same number and marked by "->". */
#ifndef SOOTH_OS_LINUX_WAIT_LOCK_LINES_H
#define SOOTH_OS_LINUX_WAIT_LOCK_LINES_H

#include "os/linux/waits/wait_reader.h"

struct lock_line {
	uint64_t number;
	bool is_waiting;
	struct span type; /* POSIX, FLOCK, OFDLCK, LEASE */
	struct span mode; /* READ, WRITE */
	uint64_t pid;	  /* 0: none */
	uint32_t major, minor;
	uint64_t inode;
	uint64_t begin, end; /* first and last byte; UINT64_MAX: to the end of the file */
};

/* A file that the observed process has open. */
struct own_file {
	uint64_t inode;
	uint32_t major, minor, fd;
};

#define OWN_FILES_MAX 512 /* descriptors that are compared */

/* Reads the open files of a node into `files`, of OWN_FILES_MAX. Returns how many. */
size_t own_files_read(struct wait_reader *r, struct wait_node *n, struct own_file *files);
/* Finds the descriptor of the file that the lock is on; false: the process has none. */
bool own_files_find(
	const struct own_file *files, size_t count, const struct lock_line *l, uint32_t *fd);

/* Returns a cursor over the lines of /proc/locks, which are read once for a sample. */
struct cursor wait_lock_lines(struct wait_reader *r);
bool wait_lock_next(struct cursor *c, struct lock_line *out);

#endif
