/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that a process waits for, or that do not read what it sends. */
#ifndef SOOTH_ANALYZE_WAIT_BEYOND_H
#define SOOTH_ANALYZE_WAIT_BEYOND_H

#include "base/buffer.h"
#include "model/batch.h"

#define WAIT_BEYOND_MOST 8

/* Appends the PIDs (uint32_t) of other processes, by the records of the probe waits with details:
 * those of the chains of the waits that have lasted a second, and the peers of connections with
 * much unread data, or with any if the peer is stopped. */
void wait_find_beyond(const struct batch *records, uint32_t pid, struct buffer *out);

#endif
