/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target that is slowed too much: after a first look at what the probes take of its time, its
 * allocations may be sampled from then on instead of all being added up. What was added up before
 * is left out; low-rate targets keep it all.
 */
#ifndef SOOTH_OS_LINUX_HEAP_ADAPT_H
#define SOOTH_OS_LINUX_HEAP_ADAPT_H

#include <time.h>

#include "collect/backend.h"
#include "model/process_id.h"

struct heap_state;

#define HEAP_ADAPT_PROCESSES 16 /* of which the CPU time is read; those of a target are few */

struct heap_adapt {
	bool is_pending;
	uint64_t since_ns;
	size_t count;
	struct heap_adapt_process {
		clockid_t clock;
		uint64_t cpu_ns; /* when it was attached to */
	} processes[HEAP_ADAPT_PROCESSES];
};

/* Its probes stand. */
void heap_adapt_add(
	struct heap_adapt *a, struct backend_run *run, const struct process_id *process);
/* Decides, when it is time to; true: it is not yet. */
bool heap_adapt_waits(struct heap_state *s, struct backend_run *run, bool is_stopping);

#endif
