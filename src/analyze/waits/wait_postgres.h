/* SPDX-License-Identifier: BSD-2-Clause */
/* A session of PostgreSQL that waits for a lock. */
#pragma once

#include "analyze/waits/wait_chain.h"
#include "base/buffer.h"

/* Appends "waits for a lock in the database for ALTER TABLE, probably held by "; the caller appends
 * the holder. */
void wait_database_text(struct buffer *out, const struct wait_link *link);

/* Returns whether the session has written its COMMIT and waits for a standby server. */
bool wait_is_of_standby(const struct wait_link *link);
/* Returns whether the session that has the lock waits for a standby server at its COMMIT. */
bool wait_is_of_commit(const struct waits_party *holder);
/* Returns whether the session that has the lock is within another command. */
bool wait_is_of_work(const struct waits_party *holder);
/* Returns whether no session can have the lock, and perhaps a prepared transaction has it. */
bool wait_is_of_prepared(const struct wait_link *link);
