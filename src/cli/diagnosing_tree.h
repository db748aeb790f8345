/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A shell, npm, timeout or the master of a server does nothing itself: a user wants to know what is
 * wrong with what it started.
 */
#ifndef SOOTH_CLI_DIAGNOSING_TREE_H
#define SOOTH_CLI_DIAGNOSING_TREE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

/* `pids` has one process (uint32_t): if that waits for what is below it, appends up to 64 of these
 * processes, the caller excepted; else those below it that run the same program. Nothing is added
 * for an agent. Returns whether there was any, or -ENOMEM. */
int diagnosing_add_tree(struct buffer *pids, struct sooth_error *err);

#endif
