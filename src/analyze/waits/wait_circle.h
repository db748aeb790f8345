/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits that lead back to where they began: whether they are a deadlock, and how sure that is. */
#ifndef SOOTH_ANALYZE_WAIT_CIRCLE_H
#define SOOTH_ANALYZE_WAIT_CIRCLE_H

#include "analyze/waits/wait_chain.h"

/* Ends the chain before a circle in which one process goes on by itself. */
void wait_circle_drop(const struct wait_graph *g, struct wait_chain *chain);
void wait_circle_weigh(const struct wait_graph *g, struct wait_chain *chain);

#endif
