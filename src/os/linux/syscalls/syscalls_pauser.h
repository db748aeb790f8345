/* SPDX-License-Identifier: BSD-2-Clause */
/* Loses no system call: a target is paused while the ring is too full (ring_pauser.h). A process
 * may be paused only if no other tracer traces it and sooth's output cannot have to pass through
 * it. */
#ifndef SOOTH_OS_LINUX_SYSCALLS_PAUSER_H
#define SOOTH_OS_LINUX_SYSCALLS_PAUSER_H

#include "base/buffer.h"
#include "base/error.h"
#include "collect/backend.h"
#include "os/linux/bpf/follow.h"

struct syscalls_pauser;

/* Returns whether sooth may pause the target of these options at all, and
 * syscalls_pauser_may_pause_process() whether it may pause a running process. Nothing is
 * changed. */
int syscalls_pauser_may_pause(const struct probe_options *options, struct sooth_error *err);
int syscalls_pauser_may_pause_process(const struct process_id *process, struct sooth_error *err);

int syscalls_pauser_start(
	struct syscalls_pauser **out, struct follow *follow, struct sooth_error *err);
/* Appends the pauses since the last call. Takes NULL, as stop does. */
void syscalls_pauser_drain(struct syscalls_pauser *p, struct buffer *out);
/* Releases everything; the last pauses go to `out`, which may be NULL. */
void syscalls_pauser_stop(struct syscalls_pauser *p, struct buffer *out);

#endif
