/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session of an agent's process, from the agent's own files, which the agent's definition names
 * (recognize/agent.h). They are opened in the root of the process, below the home that it uses,
 * with a timeout, and only if they are regular files of acceptable size. Only identifiers and times
 * are kept of their contents.
 */
#pragma once

#include "recognize/agent.h"
#include "base/map.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/timeout.h"

struct agent_files_reader {
	/* process_id -> its home, the data of its log, and time of the last change */
	struct map known;
	struct timeout timeout;
	struct buffer environment; /* scratch */
	struct buffer pending;	   /* added processes: struct of agent_files.c */
	struct buffer requests;	   /* struct agent_read_request */
};

void agent_files_init(struct agent_files_reader *f);
void agent_files_fini(struct agent_files_reader *f);
/* Adds a main process for the next agent_files_emit(). Its command line is NUL-separated; both
 * spans may be empty, and are needed only during this call. The log is read only with
 * INTEREST_TRANSCRIPT. */
void agent_files_add(struct agent_files_reader *f, const struct backend_run *run,
	const struct process_id *id, const struct agent *agent, struct span arguments,
	struct span directory);
/* Appends the records of the added processes to run->out, except those that have ended. */
void agent_files_emit(struct agent_files_reader *f, struct backend_run *run);
