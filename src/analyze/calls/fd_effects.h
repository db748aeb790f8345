/* SPDX-License-Identifier: BSD-2-Clause */
/* What system calls do to descriptors, by the effect in the row of the call. */
#ifndef SOOTH_ANALYZE_FD_EFFECTS_H
#define SOOTH_ANALYZE_FD_EFFECTS_H

#include "analyze/calls/fd_follow.h"

struct fd_table {
	struct map fds;	 /* uint32_t -> struct fd_followed; no key size: not begun */
	char *directory; /* owned; NULL: not known */
	char *arguments; /* owned; NULL: not known */
	size_t arguments_size;
	bool arguments_are_cut;
	char name[16];		   /* of the process; empty: not known */
	bool has_fds, has_sockets; /* a reading: later ones would come in between calls */
	bool has_moved;		   /* to another directory, also one that is not known */
};

/* Of a call that has returned. */
void call_effects_apply(struct fd_follow *f, const struct syscalls_call *call);

/* For the effects: the table of a process, made when it is new; NULL: no memory. */
struct fd_table *fd_follow_table(struct fd_follow *f, const struct process_id *process);
/* A descriptor becomes something new; NULL: it cannot be kept. */
struct fd_followed *fd_follow_set(
	struct fd_follow *f, struct fd_table *t, int64_t fd, enum fd_followed_kind kind);
void fd_follow_close(struct fd_follow *f, struct fd_table *t, int64_t fd);
void fd_follow_copy(struct fd_follow *f, struct fd_table *t, int64_t to,
	const struct fd_followed *from, bool closes_on_exec);
void fd_follow_name(struct fd_followed *known, struct span name);

#endif
