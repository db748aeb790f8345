/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that may never return: a file on a dead network mount. A child process makes them; when it
 * does not answer in time, it is killed, and left behind if even that does not end it. A child of
 * vfork(2), or a thread, would take this process with it.
 */
#ifndef SOOTH_OS_BSD_TIMED_CALL_H
#define SOOTH_OS_BSD_TIMED_CALL_H

#include <stddef.h>
#include <sys/types.h>

#define TIMED_CALL_MS	     2000
#define TIMED_CALL_STUCK_MAX 8

/* Zero-initialized is valid. */
struct timed_calls {
	pid_t stuck[TIMED_CALL_STUCK_MAX];
};

/* The argument is sent back as the work leaves it. */
typedef void (*timed_work)(void *argument);

/*
 * Runs work(argument) in the child, which has no descriptor of this process; of the argument the
 * first `size` bytes come back. 0; -ETIMEDOUT; -EBUSY without a try when too many calls are stuck;
 * else why there is no child. `argument` may be changed in part when it is not 0.
 */
int timed_call(struct timed_calls *t, timed_work work, void *argument, size_t size, int timeout_ms);

#endif
