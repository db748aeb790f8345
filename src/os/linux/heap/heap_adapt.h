/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reduces the overhead for a target that is slowed too much. The overhead of the probes is measured
 * again and again. Once it is too high, allocations are sampled from then on instead of all being
 * aggregated. Allocations that were aggregated earlier are kept block by block, so none of them is
 * estimated.
 */
#pragma once

#include "base/map.h"
#include "collect/backend.h"
#include "model/process_id.h"

struct heap_state;

struct heap_adapt {
	bool is_over;	       /* the target is sampled, or never will be */
	unsigned most_percent; /* maximum overhead, of the CPU time of all observed processes */
	uint64_t began_ns, looked_ns;
	struct map processes; /* struct process_id -> struct heap_adapt_process */
};

void heap_adapt_init(struct heap_adapt *a, bool is_requested, uint64_t most_percent);
void heap_adapt_fini(struct heap_adapt *a);
/* Adds a process that ran before the attach: the CPU time that it has used so far was not
 * observed. */
void heap_adapt_add(struct heap_adapt *a, const struct process_id *process);
/* Decides whether to sample, when it is time to. */
void heap_adapt_decide(struct heap_state *s, struct backend_run *run);
