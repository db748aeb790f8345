/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target that is slowed too much: what the probes take of its time is looked at again and again,
 * and once it is too much, its allocations are sampled from then on instead of all being added up.
 * Allocations that were added up before stay, block by block, so nothing is estimated of them.
 */
#ifndef SOOTH_OS_LINUX_HEAP_ADAPT_H
#define SOOTH_OS_LINUX_HEAP_ADAPT_H

#include "base/map.h"
#include "collect/backend.h"
#include "model/process_id.h"

struct heap_state;

struct heap_adapt {
	bool is_over; /* the target is sampled */
	uint64_t began_ns, looked_ns;
	struct map processes; /* struct process_id -> struct heap_adapt_process */
};

void heap_adapt_init(struct heap_adapt *a);
void heap_adapt_fini(struct heap_adapt *a);
/* A process that ran before: what it used until now is not its observers'. */
void heap_adapt_add(
	struct heap_adapt *a, struct backend_run *run, const struct process_id *process);
/* Decides, when it is time to. */
void heap_adapt_decide(struct heap_state *s, struct backend_run *run);

#endif
