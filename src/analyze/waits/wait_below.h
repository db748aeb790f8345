/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a process leaves the work to its descendants, and waits for them. */
#ifndef SOOTH_ANALYZE_WAIT_BELOW_H
#define SOOTH_ANALYZE_WAIT_BELOW_H

#include <stdbool.h>
#include <stdint.h>

#include "model/batch.h"

/* Returns whether a thread waits for a child, for a signal (sigsuspend), or at a pipe or socket
 * whose other end one of `below` has; by the records of the probe waits. */
bool waits_for_descendant(
	const struct batch *records, uint32_t pid, const uint32_t *below, size_t count);

/* Returns whether a thread of the process computes or is held up, or the process is stopped: it
 * does not rest. */
bool waits_without_rest(const struct batch *records, uint32_t pid);

#endif
