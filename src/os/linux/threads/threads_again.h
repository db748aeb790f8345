/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of threads that have not run since they were read. Such a thread stays in its call, so
 * its files need not be read again. A thread that was woken and waits for a CPU keeps its old
 * state; a new nice value is seen when the thread runs. */
#pragma once

#include <sys/types.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/map.h"
#include "collect/backend.h"

struct threads_again {
	struct map processes;	     /* process_id -> struct again_process */
	struct again_process *open;  /* the process being read; NULL: it is not kept */
	struct buffer before, texts; /* its records of the previous sample, and their schedstat */
	size_t at, index;	     /* positions in `before` */
	uint32_t sample;
};

void threads_again_init(struct threads_again *a);
void threads_again_fini(struct threads_again *a);
/* Forgets processes that the previous sample did not have. To be called before each sample. */
void threads_again_begin(struct threads_again *a);
/* Returns true if no thread of the process has run: then their records are written again. To be
 * called before a process is read. */
bool threads_again_process(struct threads_again *a, struct backend_run *run,
	const struct process_id *id, uint32_t *count);
/* Returns true if the thread has not run: then its record is written again. `schedstat`: text of
 * the thread's file of that name. */
bool threads_again_thread(
	struct threads_again *a, struct backend_run *run, uint32_t tid, struct span schedstat);
/* Keeps the record in run->out from the offset on. To be called after a thread was read. */
void threads_again_keep_record(
	struct threads_again *a, const struct backend_run *run, size_t from, struct span schedstat);
/* Ends a process. If it was read only in part, nothing of it is kept. To be called after a process
 * was read. */
void threads_again_end(struct threads_again *a, bool is_whole);
