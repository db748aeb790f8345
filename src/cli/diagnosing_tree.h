/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that are diagnosed with the given ones. An agent leaves the work to its tools and
 * MCP servers; a shell, npm, timeout or the master of a server leaves it to what it started.
 */
#ifndef SOOTH_CLI_DIAGNOSING_TREE_H
#define SOOTH_CLI_DIAGNOSING_TREE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends to `pids` (uint32_t) the session of each main process or launcher of an agent. A single
 * process of another kind: if it waits for its descendants, up to 64 of these, else the descendants
 * that run the same program, and those that do not rest: that compute, are held up or stopped. The
 * caller itself is never appended. Returns whether any was appended, or -ENOMEM. */
int diagnosing_add_related(struct buffer *pids, struct sooth_error *err);
bool diagnosing_has_pid(const struct buffer *pids, uint32_t pid);

#endif
