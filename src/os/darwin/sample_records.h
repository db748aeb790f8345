/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a report of sample(1) as records of the probes profile and stacks. */
#pragma once

#include "model/process_id.h"
#include "os/bsd/named_stacks.h"

struct sample_counts {
	uint64_t running, waiting; /* samples */
	uint32_t threads;
};

/* Writes for each stack as many profile.sample as its own weight. Waiting threads are only counted,
 * because a sample stands for CPU time. False: the report is incomplete. */
bool sample_write_profile(struct named_stacks *s, struct backend_run *run,
	const struct process_id *process, struct span report, struct sample_counts *counts);
/* Writes for each thread the stack that it had in most samples. */
bool sample_write_stacks(struct named_stacks *s, struct backend_run *run,
	const struct process_id *process, struct span report, struct sample_counts *counts);
