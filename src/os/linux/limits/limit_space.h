/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that take the space of the full file systems of a process: open ones, also deleted
 * ones, and those and the directories at the top. */
#ifndef SOOTH_OS_LINUX_LIMIT_SPACE_H
#define SOOTH_OS_LINUX_LIMIT_SPACE_H

#include "os/linux/limits/limit_holders.h"

void limit_space_write(struct backend_run *run, const struct process_snapshot *snapshot);

#endif
