/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for the processes, among many, whose wait matters; the others are counted. */
#pragma once

#include "analyze/activity/activity.h"
#include "analyze/waits/wait_chain.h"
#include "base/buffer.h"

#define WAIT_RESTS 5 /* kinds of processes without a line */

struct wait_screen {
	struct buffer candidates; /* struct candidate of wait_screen.c */
	struct buffer texts;	  /* texts of the candidates */
	unsigned rests[WAIT_RESTS];
};

/* Adds a chain. `activity`: of a main process of an agent, else NULL; `text` is copied. */
void wait_screen_add(struct wait_screen *s, uint32_t pid, const struct wait_chain *chain,
	const struct activity *activity, struct span text);
/* Appends lines, the worst first: deadlocks, uninterruptible and stopped processes, then the
 * longest waits; those at work last. A process in the chain of another has no line. */
void wait_screen_put(struct wait_screen *s, struct buffer *out);
void wait_screen_fini(struct wait_screen *s);
