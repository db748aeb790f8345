/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that use the space of full file systems of a process: open ones, including deleted
 * ones, and the files and directories at the top of the file system. */
#pragma once

#include "os/linux/limits/limit_holders.h"

void limit_space_write(struct backend_run *run, const struct process_snapshot *snapshot);
