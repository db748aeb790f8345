/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Losing no system call: a target is held while the ring is too full (ring_pauser.h).
 * Whoever is to be held has to be free to be: traced by nobody else, and not one that
 * what sooth writes may have to pass through.
 */
#ifndef SOOTH_OS_LINUX_SYSCALLS_PAUSER_H
#define SOOTH_OS_LINUX_SYSCALLS_PAUSER_H

#include "base/buffer.h"
#include "base/error.h"
#include "core/backend.h"
#include "os/linux/bpf/follow.h"

struct syscalls_pauser;

/* Whether this sooth may hold what these options name at all, and whether it may hold a process
 * that runs already. Nothing is touched. */
int syscalls_pauser_may_pause(const struct probe_options *options, struct sooth_error *err);
int syscalls_pauser_may_pause_process(const struct process_id *process, struct sooth_error *err);

int syscalls_pauser_start(
	struct syscalls_pauser **out, struct follow *follow, struct sooth_error *err);
/* Append what holds there were since. Takes NULL, as stop does. */
void syscalls_pauser_reported(struct syscalls_pauser *h, struct buffer *out);
/* Lets everything go; the last holds go to `out`, which may be NULL. */
void syscalls_pauser_stop(struct syscalls_pauser *h, struct buffer *out);

#endif
