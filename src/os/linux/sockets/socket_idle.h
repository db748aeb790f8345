/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes without a socket that have not run since they were read: such a process opens nothing,
 * so its descriptors need not be read again. A process that shares its table of descriptors with
 * another process is read again when it runs itself. */
#pragma once

#include <sys/types.h>

#include "base/map.h"
#include "collect/backend.h"
#include "probes/sockets.h"

struct socket_idle {
	struct map processes; /* process_id -> uint64_t: CPU time when it had no socket */
};

void socket_idle_init(struct socket_idle *s);
void socket_idle_fini(struct socket_idle *s);
/* Reads the CPU time of a process (0: it cannot be read). True: the process still has no socket,
 * and this is written. */
bool socket_idle_write(const struct socket_idle *s, struct backend_run *run, pid_t pid,
	const struct process_id *id, uint64_t *cpu_ns);
/* Notes the state of the descriptors, which were read after the CPU time. */
void socket_idle_note(struct socket_idle *s, const struct backend_run *run,
	const struct sockets_process *found, uint64_t cpu_ns);
