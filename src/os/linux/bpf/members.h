/* SPDX-License-Identifier: BSD-2-Clause */
/* Which processes a procfs backend reads: the ones it was told, or all of a user or the host. */
#ifndef SOOTH_OS_LINUX_MEMBERS_H
#define SOOTH_OS_LINUX_MEMBERS_H

#include <sys/types.h>

#include "base/map.h"
#include "core/backend.h"

struct members {
	struct map processes; /* process_id -> struct member */
};

struct member {
	bool is_held; /* a copy of sooth until its exec: not worth a reading yet */
};

void members_init(struct members *m);
void members_fini(struct members *m);
int members_set(struct members *m, const struct process_id *process, unsigned interest,
	struct sooth_error *err);
/* Called with the pid and, where it is known, the identity that pid must still have. */
typedef void (*member_visitor)(
	struct backend_run *run, pid_t pid, const struct process_id *expected);
/* Of a host or a user every process; of one that is to be brief those that were named. The held
 * ones are left out this once; when they are visited again they have become themselves. */
int members_visit(struct members *m, struct backend_run *run, member_visitor visitor,
	struct sooth_error *err);
/* Of a host or a user every process all the same: who is brief of most of them still counts them.
 */
int members_visit_all(struct members *m, struct backend_run *run, member_visitor visitor,
	struct sooth_error *err);

/* As a backend's, whose state begins with a struct members. */
int members_backend_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err);
/* The end of an observation tells nothing that its last sample has not. */
int members_backend_stop(struct backend_run *run, struct sooth_error *err);

#endif
