/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a process leaves the work to those below it, and waits for them. */
#ifndef SOOTH_ANALYZE_WAIT_BELOW_H
#define SOOTH_ANALYZE_WAIT_BELOW_H

#include <stdbool.h>
#include <stdint.h>

#include "model/batch.h"

/* By the records of the probe waits: a thread waits for a child, for a signal (sigsuspend), or at a
 * pipe or socket whose other end one of `below` has. */
bool waits_for_descendant(
	const struct batch *records, uint32_t pid, const uint32_t *below, size_t count);

#endif
