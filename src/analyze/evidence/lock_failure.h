/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that fail because of a lock: a lock file that exists, or a lock of another process. */
#ifndef SOOTH_ANALYZE_LOCK_FAILURE_H
#define SOOTH_ANALYZE_LOCK_FAILURE_H

#include "analyze/diagnosis/call_check.h"
#include "base/buffer.h"
#include "probes/waits.h"

/* Appends "lock file /r/.git/index.lock exists" or "/var/lib/dpkg/lock is locked by another
 * process". */
void lock_failure_text(struct buffer *to, const struct call_place *place);
/* Returns the process that the lock file names, or that has the file open; NULL: unknown. */
const struct waits_party *lock_failure_owner(const struct check *e, const struct call_place *place);
/* Adds evidence and remedy to the open finding; owner NULL: unknown. */
void lock_failure_emit(
	struct check_result *out, const struct call_place *place, const struct waits_party *owner);

#endif
