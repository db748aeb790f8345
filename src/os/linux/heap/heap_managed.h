/* SPDX-License-Identifier: BSD-2-Clause */
/* Heaps of language runtimes. They take their memory from the kernel and not from malloc, so probes
 * on allocators do not see them, and a report without them misleads. They are named for processes
 * that were attached to, after the probes are removed. */
#pragma once

#include "base/buffer.h"
#include "collect/backend.h"
#include "model/process_id.h"

/* Emits a limit for each runtime in those of `processes` (struct process_id) that still run. */
void heap_managed_emit(struct backend_run *run, const struct buffer *processes);
