/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second thread that gets the tracer out of a deadlock. A thread that execs ends all others of
 * its process and waits, under a lock, until the traced ones have been reaped; PTRACE_SEIZE of a
 * further one waits for that lock. So seizing is guarded: when it takes too long, this thread
 * reaps the ended ones.
 */
#ifndef SOOTH_OS_LINUX_PAUSE_RESCUE_H
#define SOOTH_OS_LINUX_PAUSE_RESCUE_H

#include <pthread.h>
#include <stdbool.h>

struct rescue {
	pthread_t thread;
	int alarm; /* timerfd(2) */
	int quit;  /* eventfd(2) */
	void (*reap)(void *user);
	void *user;
};

/* `reap` is called in the second thread. 0 or a negative errno. */
int rescue_start(struct rescue *r, void (*reap)(void *user), void *user);
void rescue_stop(struct rescue *r);
void rescue_guard(struct rescue *r, bool is_on);

#endif
