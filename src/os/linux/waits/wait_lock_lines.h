/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of /proc/locks: each lock with the process that made it, and below it, with the same
 * number and marked by "->", those that wait for it.
 */
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
};

/* Read once for a sample. */
struct cursor wait_lock_lines(struct wait_reader *r);
bool wait_lock_next(struct cursor *c, struct lock_line *out);

#endif
