/* SPDX-License-Identifier: BSD-2-Clause */
/* Records proc.ties: gathered one by one, completed and written together, because the other ends
 * of all standard inputs are looked for at once. */
#ifndef SOOTH_OS_LINUX_PROC_INPUTS_H
#define SOOTH_OS_LINUX_PROC_INPUTS_H

#include "core/backend.h"
#include "os/linux/proc/proc_slow_reads.h"
#include "os/linux/proc/proc_input_writers.h"
#include "os/linux/files/process_snapshot.h"
#include "probes/proc.h"

struct proc_inputs_reader {
	struct proc_input_writers writers;
	struct buffer pending; /* struct proc_inputs_pending */
	struct buffer scratch;
};

/* May it be a server that has lost its client? Then it matters who holds its standard input. */
enum proc_candidate {
	PROC_CANDIDATE_NOT,	 /* it is an agent */
	PROC_CANDIDATE_DETACHED, /* it has nothing to do with one that could be seen */
	PROC_CANDIDATE,
};

struct proc_inputs_pending {
	struct proc_ties links;
	struct proc_slow_reads answer; /* owned */
	enum proc_candidate candidate;
};

void proc_inputs_init(struct proc_inputs_reader *r);
void proc_inputs_fini(struct proc_inputs_reader *r);
/* Takes what the answer holds. */
void proc_inputs_add(struct proc_inputs_reader *r, const struct backend_run *run,
	const struct process_snapshot *reading, struct proc_slow_reads *answer,
	enum proc_candidate candidate);
/* Writes and forgets them. */
void proc_inputs_write(struct proc_inputs_reader *r, struct backend_run *run,
	const struct proc_neighbours *neighbours);

#endif
