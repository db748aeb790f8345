/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that a process waits for, or that do not read what it sends. */
#pragma once

#include "base/buffer.h"
#include "model/batch.h"

#define WAIT_BEYOND_MOST 8

/* Appends the PIDs (uint32_t) of other processes, from the detailed records of the probe waits: the
 * processes in chains of waits that have lasted a second, and peers that have not read data of a
 * connection: much data, or any if the peer is stopped. */
void wait_find_beyond(const struct batch *records, uint32_t pid, struct buffer *out);
