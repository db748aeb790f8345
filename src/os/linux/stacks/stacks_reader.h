/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stacks of processes, as a backend samples them: registers by its own means, the walk by
 * stack_walker.h. A thread that ran while it was read is read again; one that still runs is marked.
 */
#ifndef SOOTH_OS_LINUX_STACKS_READER_H
#define SOOTH_OS_LINUX_STACKS_READER_H

#include "os/linux/bpf/members.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/profile/stack_walker.h"

struct stacks_reader {
	struct members members;
	struct stack_walker walker;
	/* Appends a struct stacks_seen of each thread, its kernel addresses behind it. 0, 1 when
	 * there are more, or a negative errno. */
	int (*read)(struct backend_run *run, const struct process_snapshot *of, struct buffer *out);
	struct buffer seen, again, bytes;
	struct buffer threads; /* struct stacks_reading */
	bool is_memory_refused;
};

/* It is to be closed also after an error. */
int stacks_reader_open(
	struct stacks_reader *s, const struct backend_run *run, struct sooth_error *err);
void stacks_reader_close(struct stacks_reader *s);
/* For a backend whose state begins with a reader. */
int stacks_reader_sample(struct backend_run *run, struct sooth_error *err);
int stacks_reader_stop(struct backend_run *run, struct sooth_error *err);

#endif
