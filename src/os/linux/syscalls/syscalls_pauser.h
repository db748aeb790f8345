/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Losing no system call: a target is paused while the ring is too full (ring_pauser.h). A process
 * may be paused only if it has no other tracer and sooth's output cannot have to pass through it.
 */
#ifndef SOOTH_OS_LINUX_SYSCALLS_PAUSER_H
#define SOOTH_OS_LINUX_SYSCALLS_PAUSER_H

#include "base/buffer.h"
#include "base/error.h"
#include "collect/backend.h"
#include "os/linux/bpf/follow.h"

struct syscalls_pauser;

/* Whether this sooth may pause the target of these options at all, and whether it may pause a
 * running process. Nothing is changed. */
int syscalls_pauser_may_pause(const struct probe_options *options, struct sooth_error *err);
int syscalls_pauser_may_pause_process(const struct process_id *process, struct sooth_error *err);

int syscalls_pauser_start(
	struct syscalls_pauser **out, struct follow *follow, struct sooth_error *err);
/* Append the pauses since the last call. Takes NULL, as stop does. */
void syscalls_pauser_drain(struct syscalls_pauser *p, struct buffer *out);
/* Releases everything; the last pauses go to `out`, which may be NULL. */
void syscalls_pauser_stop(struct syscalls_pauser *p, struct buffer *out);

#endif
