/* SPDX-License-Identifier: BSD-2-Clause */
/* What takes the space of the full file systems of a process: open files, also deleted ones, and
 * files and directories at the top. */
#ifndef SOOTH_OS_LINUX_LIMIT_SPACE_H
#define SOOTH_OS_LINUX_LIMIT_SPACE_H

#include "os/linux/limits/limit_holders.h"

void limit_space_write(struct backend_run *run, const struct process_snapshot *snapshot);

#endif
