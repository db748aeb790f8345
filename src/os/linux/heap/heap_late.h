/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs with sooth's library whose calls bypass it: they loaded an allocator late, or call one
 * directly. From then on all allocators of such a process are probed, and the library leaves its
 * calls to the probes, so that nested calls are recognized. These processes have events of their
 * own. Their threads are marked (FOLLOW_MARK), and so are the threads of their children, which
 * inherit the events, until a child begins another program.
 */
#pragma once

#include "os/linux/heap/heap_attach.h"

/* Probes all allocators that a process has mapped, for all its threads. Errors are those of a
 * prober. */
int heap_late_probe(
	struct heap_attach *a, const struct process_id *process, struct sooth_error *err);
/* Returns whether a file was probed by heap_late_probe(), for any process. */
bool heap_late_has(struct heap_attach *a, uint64_t device, uint64_t inode);
/* Notes that `parent`, which may be such a process, has a new child. */
int heap_late_child(struct heap_attach *a, const struct process_id *process, uint32_t parent,
	struct sooth_error *err);
/* Notes that a process has ended. */
void heap_late_over(struct heap_attach *a, const struct process_id *process);
