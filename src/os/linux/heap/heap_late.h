/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs with sooth's library whose calls go around it: an allocator that was loaded late, or one
 * that is called directly. All allocators of such a process are probed from then on, and the
 * library leaves its calls to the probes: so calls inside one another are known. The events are of
 * their own, and only in such processes: their threads are marked (FOLLOW_MARK), and so are those
 * of their children until they begin another program, which inherit the events, too.
 */
#ifndef SOOTH_OS_LINUX_HEAP_LATE_H
#define SOOTH_OS_LINUX_HEAP_LATE_H

#include "os/linux/heap/heap_attach.h"

/* Probes all allocators that a process has mapped, for all its threads. Errors are those of a
 * prober. */
int heap_late_probe(
	struct heap_attach *a, const struct process_id *process, struct sooth_error *err);
/* Whether a file was probed then, for any process. */
bool heap_late_has(struct heap_attach *a, uint64_t device, uint64_t inode);
/* A child of `parent` was created, which may be such a process. */
int heap_late_child(struct heap_attach *a, const struct process_id *process, uint32_t parent,
	struct sooth_error *err);
/* A process has ended. */
void heap_late_over(struct heap_attach *a, const struct process_id *process);

#endif
