/* SPDX-License-Identifier: BSD-2-Clause */
/* Which git working tree a process is in: the nearest directory above it that has a ".git"
 * (gitglossary(7)). What calls may wait for a file system: call it with patience. */
#ifndef SOOTH_OS_LINUX_WORK_TREE_H
#define SOOTH_OS_LINUX_WORK_TREE_H

#include "base/buffer.h"

/* Its path as /proc/PID/cwd has it, without a NUL. `process` is /proc/PID. 0, -ENOENT: there is
 * none, or another negative errno. */
int work_tree_find(struct buffer *out, int process);

#endif
