/* SPDX-License-Identifier: BSD-2-Clause */
/* A chain of waits as rows of the schemas in why_rows.h, for members that are lists. */
#pragma once

#include "analyze/waits/wait_chain.h"

void wait_append_link_rows(
	struct buffer *rows, const struct wait_graph *g, const struct wait_chain *chain);
/* Appends a struct why_thread_row for each thread of the processes in the chain, 64 at most. */
void wait_append_thread_rows(
	struct buffer *rows, const struct wait_graph *g, const struct wait_chain *chain);
/* Appends a struct why_remedy_row, if there is a remedy. */
void wait_append_remedy_row(struct buffer *rows, const struct wait_chain *chain);
/* Appends what shows more than one look at a session that computes. */
void wait_append_watch_row(struct buffer *rows, uint32_t pid);
