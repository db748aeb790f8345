/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "analyze/waits/wait_chain.h"

/* Replaces the link of an idle process if it watches something whose other end is stopped or owes
 * an answer, or if another of its threads waits for such an end or for a child. Otherwise leaves
 * the link as it is. */
void wait_trouble_find(const struct wait_graph *g, struct wait_link *link);
