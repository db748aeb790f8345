/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of a PostgreSQL process, by the title that it writes over its arguments. */
#pragma once

#include "os/linux/waits/wait_reader.h"

#define WAIT_ADVISORY "advisory lock" /* the detail of a party that may have such a lock */

enum database_session {
	DATABASE_SESSION_NONE,	/* another program, or an idle process of the server itself */
	DATABASE_SESSION_IDLE,	/* without a transaction: it may still have an advisory lock */
	DATABASE_SESSION_HOLDS, /* idle in a transaction */
	DATABASE_SESSION_WAITS, /* the session waits for a lock */
	/* It keeps its locks until a standby server confirms its COMMIT (SyncRepWaitForLSN() of
	 * PostgreSQL writes "waiting for 0/15A2B3C8" into the title). */
	DATABASE_SESSION_COMMITS,
	DATABASE_SESSION_WORKS,
};

enum database_session database_session_from_title(const char *title);
/* Returns the state of a process in the process table. */
enum database_session database_session_read(struct wait_reader *r, uint32_t pid);

/* The sessions of one server. */
struct database_sessions {
	unsigned idle, holding, waiting, working;
	uint32_t idle_pid, working_pid; /* the last such sessions */
};

struct database_sessions database_sessions_read_all(struct wait_reader *r, uint32_t server_pid);
/* Returns whether a session waits, and none has a transaction that could be the reason. Then an
 * idle session may have an advisory lock, or a prepared transaction, which belongs to no session,
 * is the reason. */
bool database_sessions_have_no_holder(const struct database_sessions *s);
/* Returns whether an idle session may have the advisory lock that a session waits for. */
bool database_sessions_may_hold_advisory_lock(const struct database_sessions *s);
