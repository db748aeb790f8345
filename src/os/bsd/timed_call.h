/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes calls that may never return: a file on a dead network mount. A child process makes the
 * call. If the child does not answer in time, it is killed, and left behind if even that does not
 * end it. A child of vfork(2), or a thread, could block this process.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define TIMED_CALL_MS	     2000
#define TIMED_CALL_STUCK_MAX 8

/* Zero-initialized is valid. */
struct timed_calls {
	pid_t stuck[TIMED_CALL_STUCK_MAX];
};

/* Work in the child. The changed argument is sent back. */
typedef void (*timed_work)(void *argument);

/*
 * Runs work(argument) in a child, which has no descriptor of this process. The first `size` bytes
 * of the argument are copied back. Returns 0; -ETIMEDOUT; -EBUSY without a try if too many calls
 * are stuck; else why there is no child. After a failure `argument` may be changed in part.
 */
int timed_call(struct timed_calls *t, timed_work work, void *argument, size_t size, int timeout_ms);
