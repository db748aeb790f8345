/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child that waits until its parent is gone, however it ends, and then removes the definitions
 * of probes. It has none of the parent's files open, has its own session, and is not reached by
 * the signals for the parent.
 *
 * Releasing an event takes the kernel some 100 ms, in which no process has a breakpoint any more:
 * so a parent that ends passes its events to the guard instead, and does not wait.
 */
#ifndef SOOTH_OS_LINUX_UPROBES_GUARD_H
#define SOOTH_OS_LINUX_UPROBES_GUARD_H

#include <stdbool.h>
#include <stddef.h>
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
 * Pass descriptors of events to it, and then end the guard with uprobes_guard_end(.., false).
 * Returns false when it is gone or has not enough room: then the caller removes the events.
 */
bool uprobes_guard_pass(const struct uprobes_guard *guard, const int *events, size_t count);

/*
 * End and reap it. If something is left to remove (not is_clean), a process forked by it removes
 * that, which is not a child of this one and is not waited for.
 */
void uprobes_guard_end(struct uprobes_guard *guard, bool is_clean);

#endif
