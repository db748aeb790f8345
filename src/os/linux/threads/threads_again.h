/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of threads that have not run since they were read: what does not run stays in its call,
 * so its files need not be read again. A thread that was woken and waits for a processor still has
 * the state it had; a new nice value is seen when it runs.
 */
#ifndef SOOTH_OS_LINUX_THREADS_AGAIN_H
#define SOOTH_OS_LINUX_THREADS_AGAIN_H

#include <sys/types.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/map.h"
#include "collect/backend.h"

struct threads_again {
	struct map processes;	     /* process_id -> struct again_process */
	struct again_process *open;  /* the one that is read; NULL: it is not kept */
	struct buffer before, texts; /* its records of the sample before, and their schedstat */
	size_t at, index;	     /* in `before` */
	uint32_t sample;
};

void threads_again_init(struct threads_again *a);
void threads_again_fini(struct threads_again *a);
/* To be called before each sample: forgets processes that the sample before did not have. */
void threads_again_begin(struct threads_again *a);
/* To be called before a process is read. Returns true when none of its threads has run, and their
 * records are written again. */
bool threads_again_process(struct threads_again *a, struct backend_run *run,
	const struct process_id *id, uint32_t *count);
/* `schedstat`: text of the thread's file of that name. True: the thread has not run, and is written
 * again. */
bool threads_again_thread(
	struct threads_again *a, struct backend_run *run, uint32_t tid, struct span schedstat);
/* To be called after a thread was read: keeps what run->out has from that offset on. */
void threads_again_keep_record(
	struct threads_again *a, const struct backend_run *run, size_t from, struct span schedstat);
/* To be called after a process was read. If it was not read as a whole, nothing of it is kept. */
void threads_again_end(struct threads_again *a, bool is_whole);

#endif
