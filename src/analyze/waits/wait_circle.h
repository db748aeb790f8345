/* SPDX-License-Identifier: BSD-2-Clause */
/* Circles in chains of waits: whether they are a deadlock, and with which confidence. */
#pragma once

#include "analyze/waits/wait_chain.h"

/* Ends the chain before a circle in which a process continues by itself. */
void wait_circle_drop(const struct wait_graph *g, struct wait_chain *chain);
void wait_circle_weigh(const struct wait_graph *g, struct wait_chain *chain);
/* Returns the pipe that all of a deadlock wait to read, which only they could write to, as jobs of
 * a build do after the last token of their job server was lost; NULL: it is another circle. */
const struct waits_object *wait_circle_pipe(const struct wait_chain *chain);
