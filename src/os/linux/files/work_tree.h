/* SPDX-License-Identifier: BSD-2-Clause */
/* The git working tree of a process: the nearest directory above its working directory with a
 * ".git" (gitglossary(7)). May wait for a file system: call it with a timeout. */
#ifndef SOOTH_OS_LINUX_WORK_TREE_H
#define SOOTH_OS_LINUX_WORK_TREE_H

#include "base/buffer.h"

/* Its path as /proc/PID/cwd has it, without a NUL. `process` is /proc/PID. 0, -ENOENT: there is
 * none, or another negative errno. */
int work_tree_find(struct buffer *out, int process);

#endif
