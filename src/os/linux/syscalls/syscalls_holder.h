/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Losing no system call: a target is held while the ring is too full (ring_holder.h).
 * Whoever is to be held has to be free to be: traced by nobody else, and not one that
 * what sooth writes may have to pass through.
 */
#ifndef SOOTH_OS_LINUX_SYSCALLS_HOLDER_H
#define SOOTH_OS_LINUX_SYSCALLS_HOLDER_H

#include "base/buffer.h"
#include "base/error.h"
#include "core/backend.h"
#include "os/linux/bpf/follow.h"

struct syscalls_holder;

/* Whether this sooth may hold what these options name at all, and whether it may hold a process
 * that runs already. Nothing is touched. */
int syscalls_holder_may_hold(const struct probe_options *options, struct sooth_error *err);
int syscalls_holder_may_hold_process(const struct process_id *process, struct sooth_error *err);

int syscalls_holder_start(
	struct syscalls_holder **out, struct follow *follow, struct sooth_error *err);
/* Append what holds there were since. Takes NULL, as stop does. */
void syscalls_holder_told(struct syscalls_holder *h, struct buffer *out);
/* Lets everything go; the last holds go to `out`, which may be NULL. */
void syscalls_holder_stop(struct syscalls_holder *h, struct buffer *out);

#endif
