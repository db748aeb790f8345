/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that the user selected by PID, and how many of them have ended. */
#pragma once

#include <stddef.h>

#include "model/process_id.h"

/* Zeroed is valid: none. */
struct top_targets {
	struct process_id *all; /* start_ticks 0: it had ended before */
	size_t count, ended;
};

/* Initializes the targets. Out of memory: there are no targets. */
void top_targets_init(struct top_targets *t, const uint32_t *pids, size_t count);
void top_targets_fini(struct top_targets *t);
/* Counts the targets that have ended. */
void top_targets_update(struct top_targets *t);
