/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that a run cannot see, because they do not load sooth's library. The kernel's records of
 * each exec name them (preload_late.h). Where the kernel refuses these records, sooth searches the
 * known processes and their children from time to time, and may miss a short program. */
#pragma once

#include "os/linux/heap/preload/preload_run.h"

void preload_unseen_init(struct preload_unseen *u);
void preload_unseen_fini(struct preload_unseen *u);
/* Reports a program by its path or name, once. */
void preload_unseen_add(struct preload_unseen *u, struct span name);
/* Starts to watch for programs that load the library but cannot connect. Returns 0 or a negative
 * errno. */
int preload_unseen_watch(struct preload_run *s, struct sooth_error *err);
/* Returns whether a program could not connect. */
bool preload_unseen_marked(const struct preload_run *s);
/* Searches for such programs. Called with the run's lock held. */
void preload_unseen_find_programs(struct preload_run *s, uint64_t now_ns);
