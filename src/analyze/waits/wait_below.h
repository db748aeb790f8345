/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a process leaves the work to its descendants, and waits for them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "model/batch.h"

/* Returns whether a thread waits for a child, for a signal (sigsuspend), or at a pipe or socket
 * whose other end one of `below` has; by the records of the probe waits. */
bool waits_for_descendant(
	const struct batch *records, uint32_t pid, const uint32_t *below, size_t count);

/* Removes the PIDs (uint32_t) of processes that rest. A process does not rest if it is stopped, or
 * has a thread that computes or is held up. */
void waits_keep_without_rest(const struct batch *records, struct buffer *pids);
