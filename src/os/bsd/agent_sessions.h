/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records proc.session: the session of an agent's main process, from the session file that the
 * agent keeps below its home, and from the log of that session. Records have only identifiers,
 * times, numbers and names of tools. Only regular files of the user of the process are read.
 *
 * Cannot be seen: sessions of agents that keep no such file, or whose log cannot be found from the
 * file. A file on a file system that does not answer blocks sooth.
 */
#pragma once

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
/* Writes the record of a process. Reads the log only with INTEREST_TRANSCRIPT. */
void bsd_sessions_write(struct bsd_sessions *s, struct backend_run *run,
	const struct bsd_process *process, const struct agent *agent, struct span directory);
