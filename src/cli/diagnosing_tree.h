/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the processes that are diagnosed with the given ones. An agent leaves the work to its tools
 * and MCP servers; a shell, npm, timeout or the master of a server leaves it to the processes that
 * it started. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends to `pids` (uint32_t) the session of each main process or launcher of an agent. For a
 * single process of another kind: if it waits for its descendants, appends up to 64 of them, else
 * its descendants that run the same program, and descendants that do not rest: that compute, are
 * held up or stopped. Never appends the caller itself. Returns whether any process was appended, or
 * -ENOMEM. */
int diagnosing_add_related(struct buffer *pids, struct sooth_error *err);
bool diagnosing_has_pid(const struct buffer *pids, uint32_t pid);
