/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an agent's own files tell of the session of one of its processes: which files those are
 * says the agent (core/agent.h). They are opened in the root of the process, below the home
 * that it uses, with patience, and only if they are plain files of their size; of what stands
 * in them nothing is kept but identifiers and times.
 */
#ifndef SOOTH_OS_LINUX_AGENT_FILES_H
#define SOOTH_OS_LINUX_AGENT_FILES_H

#include "base/map.h"
#include "core/agent.h"
#include "os/linux/files/timeout.h"
#include "os/linux/files/process_snapshot.h"

struct agent_files_reader {
	struct map known; /* process_id -> its home, what its log told and when that was written */
	struct timeout timeout;
	struct buffer environment; /* scratch */
};

void agent_files_init(struct agent_files_reader *f);
void agent_files_fini(struct agent_files_reader *f);
/*
 * Appends the record of a main process to run->out. Its command line is NUL-separated; both
 * spans may be empty. Of its log it reads nothing without INTEREST_TRANSCRIPT.
 */
void agent_files_tell(struct agent_files_reader *f, struct backend_run *run,
	const struct process_snapshot *reading, const struct agent *agent, struct span arguments,
	struct span directory);

#endif
