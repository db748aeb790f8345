/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Definitions of probes outlive whoever made them, and pin the files they stand in.
 * The guard is a child that does nothing but wait until its parent is gone, by
 * whatever way, and remove them then. It holds none of the parent's files, has a
 * session of its own, and is not disturbed by the signals meant for the parent.
 */
#ifndef SOOTH_OS_LINUX_UPROBES_GUARD_H
#define SOOTH_OS_LINUX_UPROBES_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/process_id.h"

struct uprobes_guard {
	pid_t pid;
	int socket; /* its end of file is the end of the parent */
};

/* What the guard watches over: the events below `count` in the group (owner, its own pid). */
struct uprobes_guarded {
	int tracefs;
	int latch; /* see tracefs.h */
	struct process_id owner;
	uint64_t *count; /* in memory that both share */
};

int uprobes_guard_start(struct uprobes_guard *guard, const struct uprobes_guarded *guarded,
	struct sooth_error *err);
/*
 * Let it end and reap it. When something is left to remove, it is not waited for: it
 * does that as soon as it can.
 */
void uprobes_guard_end(struct uprobes_guard *guard, bool is_clean);

#endif
