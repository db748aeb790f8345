/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An agent that keeps its sessions in a database of SQLite (opencode): the sums of its answers. The
 * library is loaded when there is something to read, and gone after it. Numbers and the name of a
 * model leave it, never a text.
 */
#ifndef SOOTH_OS_LINUX_AGENT_LOGS_AGENT_DATABASE_H
#define SOOTH_OS_LINUX_AGENT_LOGS_AGENT_DATABASE_H

#include "os/agent_logs/agent_tokens.h"

/* A database in the state in which it was read. */
struct agent_database_place {
	uint64_t device, inode;
	uint64_t log_size, log_changed_ns; /* of the log that is not in the file yet */
};

struct agent_database_request {
	int root;	  /* of the process: root_open() */
	const char *path; /* path below that root */
	const char *directory;
	uint64_t start_utc_ns; /* of the process */
	uint64_t end_cpu_ns;   /* CLOCK_THREAD_CPUTIME_ID; 0: only the limit of a database */
};

/*
 * Reads the tokens of that directory's sessions that changed since the process started. Nothing is
 * read when the database is still as in `place`. *is_cut: some of it was there before the process.
 * 0, or a negative errno: -ENOENT when there is none, -EOPNOTSUPP when it is none that can be read
 * without changing anything or running code of its own, or SQLite is not installed; -EDQUOT when it
 * takes too long, -ERANGE when its figures are none of tokens.
 */
int agent_database_read(const struct agent_database_request *request,
	struct agent_database_place *place, struct agent_tokens *tokens, bool *is_cut);

#endif
