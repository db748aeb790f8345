/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks and semaphores in shared memory, which have no owner: the process that probably has one. */
#ifndef SOOTH_ANALYZE_WAIT_SHARED_H
#define SOOTH_ANALYZE_WAIT_SHARED_H

#include "analyze/waits/wait_chain.h"

/* Sets the party of a thread that waits for such a lock: of the processes with the same memory, one
 * that is stopped, else one that is blocked in a call. */
void wait_link_find_owner(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link);
/* Returns whether the link waits for a lock in shared memory that its party perhaps has. */
bool wait_is_of_owner(const struct wait_link *link);

#endif
