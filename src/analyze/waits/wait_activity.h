/* SPDX-License-Identifier: BSD-2-Clause */
/* What a main process is doing; where nothing says it, what its main thread waits for. */
#ifndef SOOTH_ANALYZE_WAIT_ACTIVITY_H
#define SOOTH_ANALYZE_WAIT_ACTIVITY_H

#include "analyze/activity/activity.h"
#include "analyze/waits/wait_chain.h"

/* As activity_find(), with the wait if the probe waits read the process. */
void wait_activity_find(
	struct activity *a, const struct host_state *host, const struct process_entry *main);
/* Adds the first wait of the chain to an unknown activity. Whether it did. */
bool wait_activity_add(
	struct activity *a, const struct wait_graph *g, const struct wait_chain *chain);

#endif
