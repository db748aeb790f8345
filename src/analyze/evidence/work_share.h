/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU time of a process, where it is spent by its sampled stacks, and whether that process
 * should rather be waiting for requests. A share of little CPU time says nothing: detectors compare
 * `demand` with a threshold first.
 */
#ifndef SOOTH_ANALYZE_WORK_SHARE_H
#define SOOTH_ANALYZE_WORK_SHARE_H

#include "analyze/diagnosis/check.h"
#include "analyze/profile/profile_patterns.h"

struct work_cpu {
	bool is_measured;
	double cpu;    /* percent of one CPU, all threads together */
	double demand; /* `cpu` plus the time in which threads were ready to run */
	uint64_t interval_ns;
};

void work_cpu_of(struct work_cpu *w, const struct check *e);

/* Appends "; in check (server.py:2)": the function that nearly all stacks have, or the hottest;
 * nothing if none has a name. */
void work_put_place(struct buffer *out, const struct check *e);

/* Returns whether the process has a listening socket. */
bool work_has_listener(const struct check *e);
/* Returns whether a process waits for requests by its role: an agent, an MCP or language server. */
bool work_should_wait(const struct process_entry *p);
/* Returns whether others wait for the program: an agent, an MCP or language server, or a
 * listener. */
bool work_is_awaited(const struct check *e);

#endif
