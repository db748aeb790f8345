/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of operation_sums.c share. */
#ifndef SOOTH_ANALYZE_OPERATION_PARTS_H
#define SOOTH_ANALYZE_OPERATION_PARTS_H

#include "analyze/calls/operation_sums.h"

void operation_add_time(struct operation_times *times, const struct syscalls_call *call);
void operation_path_key(const struct operation_sums *s, const struct syscalls_call *call,
	struct operation_path *key, struct span path);

/* A call that moved, or should have moved, bytes over a socket. */
void operation_add_socket(struct operation_sums *s, const struct folded_call *c,
	const struct fd_followed *known, bool is_write);
void operation_add_connect(struct operation_sums *s, const struct folded_call *c);
/* getsockopt: what became of a connect that did not wait. */
void operation_add_answer(struct operation_sums *s, const struct folded_call *c);

void operation_add_memory(struct operation_sums *s, const struct folded_call *c);

#endif
