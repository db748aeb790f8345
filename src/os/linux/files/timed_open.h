/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens a file that a process names and that may be on a dead mount (timeout.h). The process that
 * makes the call passes the descriptor through a socket: opening the file again here could wait. */
#pragma once

#include <stdint.h>

#include "os/linux/files/maps.h"
#include "os/linux/files/timeout.h"

/* Opens a file below an open folder, with flags of open(2). Returns a descriptor or a negative
 * errno: -ETIMEDOUT: no answer; -EBUSY: too many calls are stuck already. */
int timed_open(struct timeout *timeout, int folder, const char *path, int flags, int timeout_ms);
/* Opens a regular file and no other, without a timeout. Returns a descriptor or a negative
 * errno. */
int regular_open(int folder, const char *path, int flags);
/* Opens a regular file for reading. Its type is checked before it is opened, because opening a
 * device or a FIFO could have effects. */
int timed_open_regular(struct timeout *timeout, int folder, const char *path, int timeout_ms);
/* Opens the file of a mapping, even if it was removed. `process`: open /proc/PID. Without the right
 * to use map_files, opens it by its path: -ENOENT: the path leads to another file by now. */
int timed_open_mapped(
	struct timeout *timeout, int process, const struct maps_line *mapping, int timeout_ms);
