/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that a run cannot see, because they do not load its library. The kernel's records of
 * each exec name them (preload_late.h); where these are refused they are looked for now and then
 * among the processes that it knows and their children, so a short one may be missed.
 */
#ifndef SOOTH_OS_LINUX_PRELOAD_UNSEEN_H
#define SOOTH_OS_LINUX_PRELOAD_UNSEEN_H

#include "os/linux/heap/preload_run.h"

void preload_unseen_init(struct preload_unseen *u);
void preload_unseen_fini(struct preload_unseen *u);
/* A program by its path or name, once. */
void preload_unseen_add(struct preload_unseen *u, struct span name);
/* For programs of the run that cannot connect; 0 or a negative errno. */
int preload_unseen_watch(struct preload_run *s, struct sooth_error *err);
/* Whether one could not. */
bool preload_unseen_marked(const struct preload_run *s);
/* With the run's lock held. */
void preload_unseen_find_programs(struct preload_run *s, uint64_t now_ns);

#endif
