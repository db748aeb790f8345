/* SPDX-License-Identifier: BSD-2-Clause */
/* A lock of the process that others wait for. */
#ifndef SOOTH_ANALYZE_WANTED_LOCK_H
#define SOOTH_ANALYZE_WANTED_LOCK_H

#include "analyze/diagnosis/check.h"
#include "probes/waits.h"

/* Returns the lock with the longest wait at the last snapshot, else one of the first snapshot that
 * others try to get again and again; NULL: none. */
const struct waits_wanted *wanted_lock_last(
	const struct diagnosis_input *input, const struct process_id *id);
/* Returns whether others waited for the same lock at the first snapshot too, or try to get it again
 * and again. */
bool wanted_lock_lasts(const struct check *e, const struct waits_wanted *last);
/* Appends "2 processes wait for it, psql (4711) for 45 s". */
void wanted_lock_put(struct buffer *out, const struct waits_wanted *w);

#endif
