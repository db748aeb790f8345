/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child that waits until its parent is gone, however the parent ends, and then removes the
 * definitions of probes. The child has none of the parent's files open, has its own session, and
 * gets no signal that is sent to the parent.
 *
 * Releasing an event takes the kernel some 100 ms, when no process has a breakpoint any more. So a
 * parent that ends passes its events to the guard and does not wait.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/process_id.h"

struct uprobes_guard {
	pid_t pid;
	int socket; /* end of file on it means the end of the parent */
};

/* Makes a forked child independent of its parent: default signals, of which it ignores those that
 * end a program, no open files but `kept`, which is sorted, its own session, and at last this name.
 */
void uprobes_guard_become(int *kept, size_t count, const char *name);

/* The guard's task: remove the events below `count` in the group (owner, guard's PID). */
struct uprobes_guarded {
	int tracefs;
	int latch; /* see tracefs.h */
	struct process_id owner;
	uint64_t *count; /* counter in shared memory */
};

int uprobes_guard_start(struct uprobes_guard *guard, const struct uprobes_guarded *guarded,
	struct sooth_error *err);

/* Passes descriptors of events to the guard; after that end it with uprobes_guard_end(.., false).
 * False: the guard is gone or has no room, and the caller has to remove the events. */
bool uprobes_guard_pass(const struct uprobes_guard *guard, const int *events, size_t count);

/*
 * End and reap it. If something is left to remove (not is_clean), a process forked by it removes
 * that, which is not a child of this one and is not waited for.
 */
void uprobes_guard_end(struct uprobes_guard *guard, bool is_clean);
