/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a process that a finding is about: the first few by a value, and their number. */
#ifndef SOOTH_ANALYZE_THREAD_TOP_H
#define SOOTH_ANALYZE_THREAD_TOP_H

#include "analyze/diagnosis/check.h"
#include "analyze/threads/thread_roles.h"

#define THREAD_TOP 5

struct thread_top {
	const struct thread_history *all[THREAD_TOP]; /* the highest value first */
	size_t count;				      /* of all threads that were added */
};

typedef double (*thread_value)(const struct thread_history *t);

void thread_top_add(struct thread_top *top, const struct thread_history *t, thread_value value);
/* Adds a line of evidence for each, "worker (7): ..."; `put` appends what follows. */
void thread_top_emit(const struct thread_top *top, struct check_result *out,
	void (*put)(struct buffer *text, const struct thread_history *t));
/* Returns the role of a thread by its name. */
enum thread_role thread_top_role(const struct thread_history *t);

#endif
