/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that are held up beside the one that the chain begins with. */
#pragma once

#include "analyze/waits/wait_chain.h"

/* Appends "; 4 of its threads are held up: 12 opens the FIFO jobs: ..., 15 s", if the first process
 * of the chain rests or runs while other threads of that process are in calls in which no thread
 * rests. */
void wait_put_beside(
	struct buffer *out, const struct wait_graph *g, const struct wait_chain *chain);
