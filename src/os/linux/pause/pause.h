/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holding threads for a moment, by ptrace(2): PTRACE_SEIZE and PTRACE_INTERRUPT,
 * never a signal, so that the kernel lets them run on when sooth dies in the middle.
 *
 * Stopping is asynchronous. A thread that sleeps in a call is better not asked to
 * stop: it makes nothing, and some calls (epoll_wait) return EINTR by it. The caller
 * gives threads that run.
 *
 * All calls on one hold come from one thread, which has no other hold: only it may command
 * its tracees. The exit status of a child of this process is left to whoever waits for it,
 * who may be told of stops as well (so waits for a pidfd to be readable first).
 * Waiting for stops it sleeps until SIGCHLD, which the kernel sends for each; a program that
 * blocks it in all its threads has none of them disturbed (epoll_wait() returns EINTR by it).
 * Needs what ptrace needs (same user and dumpable, or cap_sys_ptrace).
 */
#ifndef SOOTH_OS_LINUX_PAUSE_H
#define SOOTH_OS_LINUX_PAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct pause;

/* -ENOMEM. */
int pause_new(struct pause **out, struct sooth_error *err);
/* Ask threads to stop that are not held yet. Returns how many were asked now. One that
 * cannot be traced is counted as refused (once), one that is gone is not. */
size_t pause_take(struct pause *h, const pid_t *tids, size_t count);
/* Until each thread asked has stopped or is gone, or the time is over; returns how many
 * still run. What else stops them meanwhile (a signal to be delivered) is kept for the release. */
size_t pause_wait(struct pause *h, uint64_t timeout_ns);
/* Let all go on, and deliver the signals that came. A thread that has not stopped yet (it
 * sleeps in a call that nothing interrupts) is let go as it stops: call pause_reap() now and then
 * until it returns 0. A thread that a stop signal had stopped stays stopped. */
void pause_release(struct pause *h);
/* Threads that were asked to stop, have not yet, and are no longer wanted. */
size_t pause_reap(struct pause *h);
size_t pause_count(const struct pause *h);   /* held or asked */
size_t pause_refused(const struct pause *h); /* since it was made */
void pause_free(struct pause *h);	     /* releases */

/*
 * A program from its exec until its libraries are mapped. `pid` is a child that has not
 * exec'd yet (is_before_exec), or a process that has just done so; it is seized, and stopped
 * at the exec and at each system call of the dynamic loader. `mapped` is called while it
 * stands: at first, and whenever executable mappings have come (it looks for itself, in
 * /proc/PID/maps). Let go of when code outside the interpreter makes its first call, when a
 * static program begins, after calls_max stops, when it ends, when *cancel becomes true.
 * The interpreter is the mapping that holds AT_BASE of /proc/PID/auxv; a program without one
 * is static, or is itself the loader, if it is a library. One that is the libc as well (musl)
 * is done when it tells debuggers so (struct r_debug).
 *
 * Returns 0 when it was watched to that point; -ETIME: not (calls_max), -ECANCELED: not
 * (*cancel, which may be NULL), -ESRCH: it ended, -EPERM: it cannot be traced, or what else
 * failed, with err filled. In all cases it runs on, untraced.
 */
int pause_loading(pid_t pid, bool is_before_exec, void (*mapped)(void *user, pid_t pid), void *user,
	unsigned calls_max, const volatile bool *cancel, struct sooth_error *err);
/*
 * Whether a thread of this process traces `pid`. Any thread may ask: when pause_loading() runs
 * in another one, this tells that the child may be let go to its exec.
 */
bool pause_is_seized(pid_t pid);

#endif
