/* SPDX-License-Identifier: BSD-2-Clause */
/* The stacks of processes. Each backend reads the registers in its own way; stack_walker.h walks. A
 * thread that ran while it was read is read again; a thread that still runs is marked. */
#pragma once

#include "os/linux/bpf/members.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/profile/stack_walker.h"

struct stacks_reader {
	struct members members;
	struct stack_walker walker;
	/* Appends a struct stacks_seen for each thread, followed by its kernel addresses. Returns
	 * 0, 1 if there are more threads, or a negative errno. */
	int (*read)(struct backend_run *run, const struct process_snapshot *of, struct buffer *out);
	struct buffer seen, again, bytes;
	struct buffer threads; /* struct stacks_reading */
	bool is_memory_refused;
};

/* Opens the reader. Close it also after an error. */
int stacks_reader_open(
	struct stacks_reader *s, const struct backend_run *run, struct sooth_error *err);
void stacks_reader_close(struct stacks_reader *s);
/* Samples stacks, for a backend whose state begins with a reader. */
int stacks_reader_sample(struct backend_run *run, struct sooth_error *err);
int stacks_reader_stop(struct backend_run *run, struct sooth_error *err);
