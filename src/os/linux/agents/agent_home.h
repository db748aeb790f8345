/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an agent's process keeps its files: as its environment says, else in the home of
 * its user. The path is only opened, never told.
 */
#ifndef SOOTH_OS_LINUX_AGENT_HOME_H
#define SOOTH_OS_LINUX_AGENT_HOME_H

#include "core/agent.h"
#include "os/linux/files/timeout.h"
#include "os/linux/files/process_snapshot.h"

/*
 * By the bytes of its environment; false: that does not say. Variables are those of
 * agent->files; the first one of a name counts, as for getenv(3).
 */
bool agent_home_of(char *home, size_t room, const struct agent_files *files,
	const void *environment, size_t size);
/* Of a process; 0, or a negative errno: -ENOENT when nothing says it. */
int agent_home_find(char *home, size_t room, const struct agent_files *files,
	struct timeout *timeout, const struct process_snapshot *reading, struct buffer *scratch);

#endif
