/* SPDX-License-Identifier: BSD-2-Clause */
/* The activity of a main process; if unknown, the wait of its main thread. */
#pragma once

#include "analyze/activity/activity.h"
#include "analyze/waits/wait_chain.h"

/* Finds the activity as activity_find() does, but adds the wait if the probe waits recorded the
 * process. */
void wait_activity_find(
	struct activity *a, const struct host_state *host, const struct process_entry *main);
/* Adds the first wait of the chain to an unknown activity. Returns whether it was added. An
 * activity that is idle by the session file becomes one that computes if the first link of the
 * chain uses enough CPU. */
bool wait_activity_add(
	struct activity *a, const struct wait_graph *g, const struct wait_chain *chain);
