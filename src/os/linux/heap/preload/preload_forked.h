/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forked children of programs with sooth's library. A child takes a slot in its program's memory
 * without asking sooth, because a system call could end the child (seccomp). The child writes its
 * PID there. Sooth compares that with the kernel's data: the process maps that memory, or, if it
 * has ended, was forked in the tree.
 */
#pragma once

#include "os/linux/heap/preload/preload_run.h"

/* Finds the process of a slot, for struct preload_segment; `user` is the run. */
bool preload_forked_find(
	void *user, struct preload_segment *segment, struct preload_reading *r, uint32_t parent);
/* Notes that the kernel reported the start of a process: a child that has ended is recognized by
 * this. */
void preload_forked_reported(struct preload_run *s, const struct process_id *process);
