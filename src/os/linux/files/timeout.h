/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that may never return: a file on a dead network mount or on a file system whose daemon
 * hangs, or the arguments of a process that are backed by such a file. They time out.
 *
 * A thread cannot make them: a request that a FUSE daemon has accepted and does not answer waits
 * uninterruptibly, and a process with such a thread can neither exit nor be killed. So the thread
 * has a child process make the call, sharing its memory (as after vfork(2)), and waits for that;
 * the thread can be killed, and the child is left behind. The child has only the one descriptor
 * that the call needs, so it keeps no other file open whose closing others wait for. A child that
 * was given none makes the next calls of this kind, too, if they come within 20 ms.
 */
#ifndef SOOTH_OS_LINUX_TIMEOUT_H
#define SOOTH_OS_LINUX_TIMEOUT_H

#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include "base/buffer.h"

#define TIMEOUT_MS                                                                                 \
	300 /* of one small call: a healthy system answers sooner; if the call only lacks          \
	       a CPU, it gets some seconds more */

/* For pthread_cond_timedwait() on a clock that nothing sets. */
void timeout_cond_init(pthread_cond_t *changed);
struct timespec timeout_deadline(int timeout_ms);

struct timeout_thread;
struct timeout_stuck;

/* Zero-initialized is valid: the thread is created when it is first needed. */
struct timeout {
	struct timeout_thread *thread; /* NULL: none, or the last one is stuck */
	struct timeout_stuck *stuck;   /* counts of abandoned and still stuck calls; NULL: none */
};

/*
 * Runs work(argument) in the child; of the descriptors it may use only `kept` (-1: none), and
 * those it opens are closed when it returns. 0 when it returned in time; the result is in the
 * argument. -ETIMEDOUT when it did not: `argument` is unchanged, and the work goes on with a copy,
 * so it must not point to anything that the caller frees; `drop` (NULL: none) frees what the copy
 * owns when it returns after all. -EBUSY without a try when too many calls are stuck already.
 */
int timeout_call(struct timeout *p, void (*work)(void *argument), void (*drop)(void *argument),
	void *argument, size_t size, int kept, int timeout_ms);
/* The same for a call that asks for files of the process whose folder in /proc is open as `about`:
 * -EBUSY also where another one hangs already (hung_mounts.h). -1: for no file. */
int timeout_call_about(struct timeout *p, void (*work)(void *argument),
	void (*drop)(void *argument), void *argument, size_t size, int kept, int about,
	int timeout_ms);
/* The same for one that reads a file: `argument` begins with an int, set to a copy of `fd` that the
 * work may use; closed at the end. */
int timeout_call_file(struct timeout *p, void (*work)(void *argument), void *argument, size_t size,
	int fd, int timeout_ms);
/* As procfs_read_at(), and -ETIMEDOUT or -EBUSY. */
int timeout_read_at(struct timeout *p, int process, const char *name, struct buffer *out,
	size_t limit, int timeout_ms);
void timeout_fini(struct timeout *p);

/*
 * Many small calls that may never return, for the cost of one: they run one after the other, and
 * the one that does not return is known, so the rest can be done without it.
 */
struct timed_batch;

/* Processes an item, using the descriptor that is kept. */
typedef void (*timed_work)(void *item, int kept);
/* Opens the folder in /proc of the process whose files an item asks for, by what its work leaves as
 * it is: where the item does not return, hung_mounts.h knows it by that. NULL: it asks for none. */
typedef int (*timed_about)(const void *item, int kept);

/*
 * `count` zeroed items of a size; `fini` releases what an item owns. NULL: out of memory. The
 * items belong to the batch, which the working thread may keep after it was freed here.
 */
struct timed_batch *timed_batch_new(
	size_t count, size_t size, timed_work work, timed_about about, void (*fini)(void *item));
void *timed_batch_item(struct timed_batch *b, size_t i);
/*
 * Only once. Returns how many items, from the first, are done. When that is not all, the next one
 * did not return, and must not be read; *status is -ETIMEDOUT then, or the reason why none was
 * tried.
 */
size_t timed_batch_run(
	struct timed_batch *b, struct timeout *p, int kept, int timeout_ms, int *status);
/* The same in two steps, with other work between them: begin returns 0 or why it was not tried.
 * Nothing else may be started in between. */
int timed_batch_begin(struct timed_batch *b, struct timeout *p, int kept);
size_t timed_batch_end(struct timed_batch *b, struct timeout *p, int timeout_ms, int *status);
void timed_batch_free(struct timed_batch *b);

#endif
