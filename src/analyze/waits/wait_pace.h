/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a blocked writer only waits for a slow reader, which goes on. */
#pragma once

#include "analyze/waits/wait_chain.h"

/* Returns whether the other end reads data, however slowly: then both processes ran between the
 * snapshots. A writer that has just started also runs, until it has filled the pipe of a sleeping
 * reader. With only one snapshot, true for a very short wait. */
bool wait_is_paced(const struct wait_graph *g, const struct wait_link *link);
