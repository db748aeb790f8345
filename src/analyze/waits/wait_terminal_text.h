/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits at a terminal: of a program that uses it, and of the one that runs the pseudo terminal. */
#pragma once

#include "analyze/waits/wait_chain.h"
#include "base/buffer.h"

/* Appends a wait for input: "waits for input from its terminal /dev/pts/3: it asks for a password".
 */
void wait_terminal_text(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link);
/* Appends "waits for output of bash (12) on the pseudo terminal /dev/pts/3 that it runs". */
void pty_master_text(struct buffer *out, const struct wait_graph *g, const struct wait_link *link);
