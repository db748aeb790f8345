/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens a file named by a process, which may lie where nothing answers (timeout.h). The process
 * that makes the call hands the descriptor over through a socket: opening the file once more here
 * could wait after all.
 */
#ifndef SOOTH_OS_LINUX_TIMED_OPEN_H
#define SOOTH_OS_LINUX_TIMED_OPEN_H

#include <stdint.h>

#include "os/linux/files/maps.h"
#include "os/linux/files/timeout.h"

/* Below an open folder, with flags of open(2). A descriptor, or a negative errno: -ETIMEDOUT when
 * there was no answer, -EBUSY when too many calls are stuck already. */
int timed_open(struct timeout *timeout, int folder, const char *path, int flags, int timeout_ms);
/* A regular file and nothing else; without a timeout. A descriptor, or a negative errno. */
int regular_open(int folder, const char *path, int flags);
/* A regular file, for reading: its type is checked before it is opened, because opening a device
 * or a FIFO could have effects. */
int timed_open_regular(struct timeout *timeout, int folder, const char *path, int timeout_ms);
/* The file of a mapping of the process whose directory is open, even if it was removed. Without
 * the right to use map_files, by its path: -ENOENT when that leads to another file by now. */
int timed_open_mapped(
	struct timeout *timeout, int process, const struct maps_line *mapping, int timeout_ms);

#endif
