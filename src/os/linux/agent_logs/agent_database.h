/* SPDX-License-Identifier: BSD-2-Clause */
/* An agent that keeps its sessions in a database of SQLite (opencode): reads the sums of its
 * answers, and the last tool calls, as lines of a log. The library is loaded only while there is
 * something to read. Numbers and names are kept, and hashes of calls, never a text. */
#pragma once

#include "os/agent_logs/agent_tokens.h"
#include "os/agent_logs/agent_turn.h"

/* The state of a database when it was last read. */
struct agent_database_place {
	uint64_t device, inode;
	uint64_t log_size, log_changed_ns; /* of the log whose content is not in the file yet */
};

struct agent_database_request {
	int root;	  /* root of the process: root_open() */
	const char *path; /* path below that root */
	const char *directory;
	uint64_t start_utc_ns; /* start of the process */
	uint64_t end_cpu_ns;   /* CLOCK_THREAD_CPUTIME_ID; 0: only the limit for a database holds */
};

/* Loads SQLite, to be used later where no file can be loaded. */
void agent_database_prepare(void);
/*
 * Reads the tokens of the directory's sessions that changed since the process started, and into
 * `calls` how its last tool calls are repeated. Does not read if the database is still as in
 * `place`. *is_cut: some tokens are older than the process. Returns 0 or a negative errno: -ENOENT:
 * there is no database; -EOPNOTSUPP: it cannot be read without changing it or running code of its
 * own, or SQLite is not installed; -EDQUOT: it takes too long; -ERANGE: its numbers cannot be
 * tokens.
 */
int agent_database_read(const struct agent_database_request *request,
	struct agent_database_place *place, struct agent_tokens *tokens, struct agent_turn *calls,
	bool *is_cut);
