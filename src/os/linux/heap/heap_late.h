/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on allocators that were loaded late by programs with sooth's library. Such a program's
 * other calls are recorded by the library, so only the one file is probed, by events of its own,
 * and only in processes that loaded it: their threads are marked (FOLLOW_MARK), and so are those of
 * their children until they begin another program, which inherit the events, too.
 */
#ifndef SOOTH_OS_LINUX_HEAP_LATE_H
#define SOOTH_OS_LINUX_HEAP_LATE_H

#include "os/linux/heap/heap_attach.h"

/* All threads of a process, which has mapped that file. -ENOENT: no allocator is found in it; other
 * errors as of a prober. */
int heap_late_probe(struct heap_attach *a, const struct process_id *process, uint64_t device,
	uint64_t inode, struct sooth_error *err);
/* A child of `parent` was created, which may be such a process. */
int heap_late_child(struct heap_attach *a, const struct process_id *process, uint32_t parent,
	struct sooth_error *err);
/* A process has ended. */
void heap_late_over(struct heap_attach *a, const struct process_id *process);

#endif
