/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forked children of programs that have sooth's library: they take slots of their program's memory
 * without a word, because a call of the kernel could end them. Which process it is, it writes
 * there; that is compared with what the kernel says: that it maps that memory, or, where it has
 * ended, that it was forked in the tree.
 */
#ifndef SOOTH_OS_LINUX_PRELOAD_FORKED_H
#define SOOTH_OS_LINUX_PRELOAD_FORKED_H

#include "os/linux/heap/preload_run.h"

/* For struct preload_segment; `user` is the run. */
bool preload_forked_find(
	void *user, struct preload_segment *segment, struct preload_reading *r, uint32_t parent);
/* The kernel has reported the start of that process: a child that ended is known by it. */
void preload_forked_reported(struct preload_run *s, const struct process_id *process);

#endif
