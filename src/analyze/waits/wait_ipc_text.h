/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls on semaphores and message queues: the first argument is their number or descriptor. */
#pragma once

#include "analyze/waits/wait_chain.h"
#include "base/buffer.h"

/* Appends a wait for System V IPC: "waits for System V queue 5 (msgrcv): no owner is recorded",
 * "... last sender prog (12)". */
void wait_ipc_text(struct buffer *out, const struct wait_graph *g, const struct wait_link *link);

/* Returns whether the wait is for a semaphore that a process which has ended changed last: it took
 * it, and did not give it back. */
bool wait_is_left_semaphore(const struct wait_link *link);
