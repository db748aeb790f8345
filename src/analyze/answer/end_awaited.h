/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A script that waits for the end of a process that is not its child: it checks again and again
 * whether the process still exists (kill -0), and sleeps in between.
 */
#pragma once

#include "analyze/diagnosis/diagnosis.h"
#include "analyze/waits/wait_chain.h"

/* Appends "deploy.sh (4711) waits for the end of python3 (4712): it asks 2.0 times a second, and
 * that one runs on"; false: it does not. */
bool end_awaited_put(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_chain *chain, struct buffer *out);

/* Returns the only child of a shell with a trap for SIGTERM, if the child was there at that time:
 * the trap runs when that child has ended. NULL: there is none, or there are several. */
const struct process_entry *end_awaited_of_trap(const struct process_entry *p, uint64_t since_ns);
/* Appends why a process that was asked to end at that time goes on: "runs on: it ignores SIGTERM".
 * Returns whether the reason is known. */
bool end_awaited_put_state(struct buffer *out, const struct process_entry *p, uint64_t since_ns);

/* Appends the remedy; nothing if the process does not wait in this way. */
void end_awaited_remedy(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_chain *chain, struct buffer *out);
