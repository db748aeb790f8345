/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records proc.session: the session of an agent's main process, from the file that the agent keeps
 * about it below its home, and the log of that session. Only identifiers, times, numbers and names
 * of tools leave this. Files are read if they are regular and belong to the user of the process.
 *
 * Cannot be seen: sessions of agents that keep no such file, or whose log has no name that follows
 * from it; files on a file system that does not answer stop sooth.
 */
#ifndef SOOTH_OS_BSD_AGENT_SESSIONS_H
#define SOOTH_OS_BSD_AGENT_SESSIONS_H

#include "recognize/agent.h"
#include "base/map.h"
#include "collect/backend.h"
#include "os/bsd/source.h"

struct bsd_sessions {
	struct map known; /* process_id -> what was read before */
	struct buffer bytes;
};

void bsd_sessions_init(struct bsd_sessions *s);
void bsd_sessions_fini(struct bsd_sessions *s);
/* Nothing is read of the log without INTEREST_TRANSCRIPT. */
void bsd_sessions_write(struct bsd_sessions *s, struct backend_run *run,
	const struct bsd_process *process, const struct agent *agent, struct span directory);

#endif
