/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Heaps of language runtimes, which take their memory from the kernel and not from malloc: probes
 * on allocators do not see them, and a report that says nothing about them misleads. Named for
 * processes that were attached to, once probes are out.
 */
#ifndef SOOTH_OS_LINUX_HEAP_MANAGED_H
#define SOOTH_OS_LINUX_HEAP_MANAGED_H

#include "base/buffer.h"
#include "collect/backend.h"
#include "model/process_id.h"

/* A limit for each runtime of those of `processes` (struct process_id) that still run. */
void heap_managed_emit(struct backend_run *run, const struct buffer *processes);

#endif
