/* SPDX-License-Identifier: BSD-2-Clause */
/* Records proc.ties: gathered one by one, completed and written together, because the other ends
 * of all standard inputs are looked for at once. */
#ifndef SOOTH_OS_LINUX_PROC_TIES_H
#define SOOTH_OS_LINUX_PROC_TIES_H

#include "core/backend.h"
#include "os/linux/proc/proc_question.h"
#include "os/linux/proc/proc_writers.h"
#include "os/linux/files/reading.h"
#include "probes/proc.h"

struct proc_ties_reader {
	struct proc_writers writers;
	struct buffer pending; /* struct proc_ties_pending */
	struct buffer scratch;
};

/* May it be a server that has lost its client? Then it matters who holds its standard input. */
enum proc_candidate {
	PROC_CANDIDATE_NOT,   /* it is an agent */
	PROC_CANDIDATE_STRAY, /* it has nothing to do with one that could be seen */
	PROC_CANDIDATE,
};

struct proc_ties_pending {
	struct proc_ties ties;
	struct proc_question answer; /* owned */
	enum proc_candidate candidate;
};

void proc_ties_init(struct proc_ties_reader *r);
void proc_ties_fini(struct proc_ties_reader *r);
/* Takes what the answer holds. */
void proc_ties_add(struct proc_ties_reader *r, const struct backend_run *run,
	const struct reading *reading, struct proc_question *answer, enum proc_candidate candidate);
/* Writes and forgets them. */
void proc_ties_write(struct proc_ties_reader *r, struct backend_run *run,
	const struct proc_neighbours *neighbours);

#endif
