/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "recognize/agent.h"
#include "base/buffer.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/timeout.h"

/* Where an agent's process keeps its files. The path is only opened, never reported. */
/* Finds the folder; 0, or a negative errno: -ENOENT when the folder is not known. */
int agent_home_find(char *home, size_t room, const struct agent_files *files,
	struct timeout *timeout, const struct process_snapshot *snapshot, struct buffer *scratch);
