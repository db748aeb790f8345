/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that may never return: a file on a dead network mount or behind a file
 * system whose daemon hangs, the arguments of a process that lie in such a file.
 * They are given up after a time.
 *
 * A thread cannot make them: a request that a FUSE daemon has taken and does not
 * answer waits uninterruptibly, and a process whose thread does so can neither end
 * nor be killed. So the thread has a process make the call, with its memory (as after
 * vfork(2)), and waits for that; the thread can be killed, and that process is left
 * behind. It has none of the descriptors but the one the call is about, so it holds
 * nothing open that others wait to see closed.
 */
#ifndef SOOTH_OS_LINUX_TIMEOUT_H
#define SOOTH_OS_LINUX_TIMEOUT_H

#include <sys/types.h>

#include "base/buffer.h"

#define TIMEOUT_MS 300 /* what a healthy system never takes for one small call */

struct timeout_thread;

/* Zeroed is valid: the thread is made when it is first needed. */
struct timeout {
	struct timeout_thread *thread; /* NULL: none, or the last one is stuck */
	unsigned stuck;		       /* threads left to their calls */
};

/*
 * Have work(argument) done; of the descriptors it may use `kept` alone (-1: none), and
 * those it opens are closed when it returns. 0 when it returned in time; the result is
 * in the argument. -ETIMEDOUT when it did not: `argument` is unchanged, and the work
 * goes on with a copy, so it may point to nothing that the caller lets go of; `drop`
 * (NULL: none) lets go of what the copy holds when it returns after all.
 * -EBUSY without a try when too much is stuck already.
 */
int timeout_call(struct timeout *p, void (*work)(void *argument), void (*drop)(void *argument),
	void *argument, size_t size, int kept, int timeout_ms);
/* The same in two steps, with something else done between them: 0 or why it was not tried; then 0
 * or -ETIMEDOUT, the time being that of waiting. Nothing else may be begun meanwhile. */
int timeout_begin(struct timeout *p, void (*work)(void *argument), void (*drop)(void *argument),
	const void *argument, size_t size, int kept);
int timeout_end(struct timeout *p, void *argument, size_t size, int timeout_ms);
/* As procfs_read_at(), and -ETIMEDOUT or -EBUSY. */
int timeout_read_at(struct timeout *p, int process, const char *name, struct buffer *out,
	size_t limit, int timeout_ms);
void timeout_fini(struct timeout *p);

#endif
