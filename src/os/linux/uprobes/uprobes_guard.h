/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Definitions of probes outlive the process that made them, and keep their files in use. The guard
 * is a child that only waits until its parent is gone, however it ends, and then removes them. It
 * has none of the parent's files open, has its own session, and is not reached by the signals for
 * the parent.
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
	int socket; /* end of file means the end of the parent */
};

/* The guard's task: the events below `count` in the group (owner, its own pid). */
struct uprobes_guarded {
	int tracefs;
	int latch; /* see tracefs.h */
	struct process_id owner;
	uint64_t *count; /* in shared memory */
};

int uprobes_guard_start(struct uprobes_guard *guard, const struct uprobes_guarded *guarded,
	struct sooth_error *err);
/*
 * End and reap it. If something is left to remove, it is not waited for: it removes that as soon
 * as possible.
 */
void uprobes_guard_end(struct uprobes_guard *guard, bool is_clean);

#endif
