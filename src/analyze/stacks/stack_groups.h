/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a process by their stacks: those that are at the same place in the same state are
 * one group. */
#ifndef SOOTH_ANALYZE_STACK_GROUPS_H
#define SOOTH_ANALYZE_STACK_GROUPS_H

#include "base/buffer.h"
#include "model/batch.h"
#include "probes/stacks.h"

struct stack_group {
	const struct stacks_thread *first; /* the main thread where it is one of them */
	uint32_t threads;
	bool has_main;
};

/* Appends struct stack_group, the one that matters first: a thread that computes, then the main
 * thread, then the largest. `tid`: only this thread; 0: all. */
void stack_groups(struct buffer *groups, const struct batch *records, uint32_t tid);
/* Whether a thread is in the group. */
bool stack_group_has(const struct stack_group *group, const struct stacks_thread *t);

#endif
