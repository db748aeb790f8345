/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a process that are held up while another one rests, or takes connections. */
#pragma once

#include "analyze/waits/wait_chain.h"

/* Finds the thread that has been held up longest, `except` apart: an answer depends on it. Returns
 * how many are held up; 0: `longest` is unchanged. */
unsigned wait_find_held(const struct wait_graph *g, const struct waits_process *p,
	const struct waits_thread *except, struct wait_link *longest);
