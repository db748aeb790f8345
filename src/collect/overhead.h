/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides when the probe of a source takes too much of its target's CPU time. */
#pragma once

#include "collect/backend.h"

struct overhead {
	uint64_t began_ns, looked_ns;
	uint64_t hits, cpu_ns; /* at the last measurement */
	unsigned strikes;      /* measurements in a row above the limit; a high one counts more */
	bool is_light;	       /* the backend has taken a step: an event costs its default */
};

/* Begins to measure the overhead. Reports it if a limit is requested that the backend cannot keep,
 * because it has no way to observe less. */
void overhead_begin(struct overhead *o, struct backend_run *run, uint64_t now_ns);
/* Returns whether it is time to measure again. */
bool overhead_is_due(const struct overhead *o, const struct backend_run *run, uint64_t now_ns);
/* Measures. `cpu_ns`: CPU time of the target so far. Returns the overhead in percent if it has been
 * above the limit for long enough, else 0. */
unsigned overhead_measure(
	struct overhead *o, struct backend_run *run, uint64_t cpu_ns, uint64_t now_ns);
/* Reports a step as a limit. */
void overhead_report(const struct overhead *o, struct backend_run *run,
	const struct backend_step *step, unsigned percent, uint64_t now_ns);
