/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A shell, npm, timeout or the master of a server does no work itself: the user wants a diagnosis
 * of the processes that it started.
 */
#ifndef SOOTH_CLI_DIAGNOSING_TREE_H
#define SOOTH_CLI_DIAGNOSING_TREE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

/* `pids` has one process (uint32_t). If it waits for its descendants, appends up to 64 of these,
 * without the caller; else the descendants that run the same program. Appends nothing for an agent.
 * Returns whether any was appended, or -ENOMEM. */
int diagnosing_add_tree(struct buffer *pids, struct sooth_error *err);

#endif
