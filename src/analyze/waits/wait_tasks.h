/* SPDX-License-Identifier: BSD-2-Clause */
/* The tasks of an asyncio program. */
#pragma once

#include "analyze/waits/wait_graph.h"
#include "base/buffer.h"

/* Appends "; 3 tasks wait in StreamReader.read, called by fetch < fetch_all < main, and 5 in
 * Queue.get, called by worker < main"; nothing if there are no tasks. */
void wait_put_tasks(struct buffer *out, const struct wait_graph *g, uint32_t pid);
/* Appends "; its asyncio tasks were not read: ..."; or nothing. */
void wait_put_unread_tasks(struct buffer *out, const struct wait_graph *g, uint32_t pid);
