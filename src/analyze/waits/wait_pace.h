/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a writer keeps the pace of its reader, or is blocked by it. */
#ifndef SOOTH_ANALYZE_WAIT_PACE_H
#define SOOTH_ANALYZE_WAIT_PACE_H

#include "analyze/waits/wait_chain.h"

/* Whether the other end takes data, however slowly: then both ran between the snapshots. A writer
 * that has just started runs several times before it has filled the pipe of a sleeping reader.
 * With one snapshot only a wait of a moment counts as that. */
bool wait_is_paced(const struct wait_graph *g, const struct wait_link *link);

#endif
