/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that may never return: for a file on a dead network mount or on a file system whose daemon
 * hangs, or for arguments of a process that such a file backs. These calls time out.
 *
 * A thread cannot make them: a request that a FUSE daemon has accepted and does not answer waits
 * uninterruptibly, and a process with such a thread can neither exit nor be killed. So the thread
 * has a child process that makes the call in shared memory (as after vfork(2)), and waits for it;
 * the thread can be killed, and the child is left behind. The child has only the one descriptor
 * that the call needs, so it keeps no other file open for whose closing others wait. A child that
 * was given no descriptor makes further calls of this kind, if they come within 20 ms.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/buffer.h"

#define TIMEOUT_MS                                                                                 \
	300 /* limit of one small call: a healthy system answers sooner; if the call only lacks    \
	       a CPU, it gets some seconds more */

/* Initializes a condition for pthread_cond_timedwait() on a clock that nothing sets. */
void timeout_cond_init(pthread_cond_t *changed);
struct timespec timeout_deadline(int timeout_ms);

struct timeout_thread;
struct timeout_stuck;

/* Zero-initialized is valid: the thread is created when it is first needed. */
struct timeout {
	struct timeout_thread *thread; /* NULL: none, or the last one is stuck */
	struct timeout_stuck *stuck;   /* counts of abandoned and still stuck calls; NULL: none */
	/* The work allocates nothing and takes no lock, so a child that is stuck can be killed.
	 * Most waits for a page end then, and the call does not count as stuck any more. */
	bool may_kill;
};

/*
 * Runs work(argument) in the child. The work may use only the descriptor `kept` (-1: none); those
 * that it opens are closed when it returns. Returns 0 if it returned in time; the result is in the
 * argument. -ETIMEDOUT: it did not, `argument` is unchanged, and the work goes on with a copy, so
 * it must not point to memory that the caller frees; `drop` (NULL: none) frees the memory that the
 * copy owns if the work returns later. -EBUSY: not tried, because too many calls are stuck already.
 */
int timeout_call(struct timeout *p, void (*work)(void *argument), void (*drop)(void *argument),
	void *argument, size_t size, int kept, int timeout_ms);
/* Calls as timeout_call() does, for files of a process; `about`: its open folder in /proc, -1: no
 * file. -EBUSY also if another call for them hangs already (hung_mounts.h). */
int timeout_call_about(struct timeout *p, void (*work)(void *argument),
	void (*drop)(void *argument), void *argument, size_t size, int kept, int about,
	int timeout_ms);
/* Calls as timeout_call() does, for a call that reads a file: `argument` begins with an int, set to
 * a copy of `fd` that the work may use and that is closed at the end. */
int timeout_call_file(struct timeout *p, void (*work)(void *argument), void *argument, size_t size,
	int fd, int timeout_ms);
/* Does the same as procfs_read_at(). Also returns -ETIMEDOUT or -EBUSY. */
int timeout_read_at(struct timeout *p, int process, const char *name, struct buffer *out,
	size_t limit, int timeout_ms);
void timeout_fini(struct timeout *p);

/* Many small calls that may never return, for the cost of one: they run one after the other. If a
 * call does not return, it is known which, so the rest can run without it. */
struct timed_batch;

/* Processes an item, using the descriptor that is kept. */
typedef void (*timed_work)(void *item, int kept);
/* Opens the /proc folder of the process whose files an item reads, by data that the work does not
 * change. If the item does not return, hung_mounts.h identifies the process by this folder. NULL:
 * no files. */
typedef int (*timed_about)(const void *item, int kept);

/* Makes a batch of `count` zeroed items; `fini` frees the data that an item owns. NULL: out of
 * memory. The items belong to the batch, which the working thread may keep after it was freed
 * here. */
struct timed_batch *timed_batch_new(
	size_t count, size_t size, timed_work work, timed_about about, void (*fini)(void *item));
void *timed_batch_item(struct timed_batch *b, size_t i);
/* Runs the batch, only once. Returns how many items, from the first, are done. If not all are, the
 * next one did not return and must not be read; *status is -ETIMEDOUT then, or the reason why none
 * was tried. */
size_t timed_batch_run(
	struct timed_batch *b, struct timeout *p, int kept, int timeout_ms, int *status);
/* Begins a batch: with timed_batch_end() the same call in two steps, with other work between them.
 * Returns 0 or why it was not tried. Nothing else may be started in between. */
int timed_batch_begin(struct timed_batch *b, struct timeout *p, int kept);
size_t timed_batch_end(struct timed_batch *b, struct timeout *p, int timeout_ms, int *status);
void timed_batch_free(struct timed_batch *b);
