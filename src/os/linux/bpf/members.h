/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that a procfs backend reads: selected ones, or all of a user or the host. */
#pragma once

#include <sys/types.h>

#include "base/map.h"
#include "collect/backend.h"

struct members {
	struct map processes; /* process_id -> struct member */
};

struct member {
	bool is_before_exec; /* not exec'd yet: still a copy of sooth, not worth reading */
};

void members_init(struct members *m);
void members_fini(struct members *m);
/* Called with the PID and, if known, the identity that the PID must still have. */
typedef void (*member_visitor)(
	struct backend_run *run, pid_t pid, const struct process_id *expected);
/* Visits every process of a host or a user; a brief run visits only the named ones. Processes that
 * have not exec'd yet are skipped; at the next visit they run their own program. */
int members_visit(struct members *m, struct backend_run *run, member_visitor visitor,
	struct sooth_error *err);
/* Visits every process of a host or a user, even for a brief backend, which counts them. */
int members_visit_all(struct members *m, struct backend_run *run, member_visitor visitor,
	struct sooth_error *err);

/* Sets the interest in a process, for a backend whose state begins with a struct members. */
int members_backend_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err);
/* Does nothing: the end of a run adds nothing to the last sample. */
int members_backend_stop(struct backend_run *run, struct sooth_error *err);
