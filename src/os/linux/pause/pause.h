/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pausing threads for a moment, by ptrace(2): PTRACE_SEIZE and PTRACE_INTERRUPT, never a signal,
 * so that the kernel lets them run on if sooth dies meanwhile.
 *
 * Stopping is asynchronous. A thread that sleeps in a call is better left alone: it produces
 * nothing, and some calls (epoll_wait) return EINTR by it. The caller selects running threads.
 *
 * All calls on one pause come from one thread, which has no other pause: only it may control its
 * tracees. The exit status of a child of this process is left to the code that waits for it, which
 * may see stops as well (so it should wait for a readable pidfd first). While it waits for stops
 * it sleeps until SIGCHLD, which the kernel sends for each; if a program blocks that signal in all
 * its threads, no thread is interrupted (epoll_wait() returns EINTR by it). Needs the permissions
 * of ptrace (same user and dumpable, or cap_sys_ptrace).
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum pause_state {
	PAUSE_RUNNING,
	PAUSE_STOPPED,
	PAUSE_ENDED, /* ended, and reaped if the tracer has to do that */
	/* no tracee of this thread: reaped elsewhere, or it exec'd under another tid */
	PAUSE_VANISHED,
};

enum pause_at {
	PAUSE_AT_SIGNAL,   /* a signal is about to be delivered */
	PAUSE_AT_TRAP,	   /* stopped as requested */
	PAUSE_AT_JOB_STOP, /* stopped by a stop signal */
	PAUSE_AT_CALL,	   /* entry or return of a system call */
	PAUSE_AT_EXEC,
};

struct pause_stop {
	enum pause_at at;
	int signal; /* signal to deliver when the thread continues; 0: none */
};

/* Waiting between two checks: spinning at first, if requested, then asleep until a stop or an end
 * is signaled (SIGCHLD, which this thread blocks meanwhile), at most half a millisecond. */
struct pause_sleeper {
	uint64_t spin_until_ns;
	bool is_blocking, has_signal;
	sigset_t before;
};

struct pause;

/* Makes a pause. Returns -ENOMEM on failure. */
int pause_new(struct pause **out, struct sooth_error *err);
/* Requests a stop of threads that are not paused yet. Returns how many were requested now. A thread
 * that cannot be traced is counted as refused (once); a thread that is gone is not. */
size_t pause_threads(struct pause *p, const pid_t *tids, size_t count);
/* Waits until each requested thread has stopped or is gone, or the timeout is over. Returns how
 * many still run. Another stop meanwhile (a signal to be delivered) is kept for the release. */
size_t pause_wait(struct pause *p, uint64_t timeout_ns);
/* Lets all threads continue, and delivers the signals that arrived. A thread that has not stopped
 * yet (it sleeps in an uninterruptible call) is released when it stops: call pause_release_late()
 * from time to time until it returns 0. A thread that was stopped by a stop signal stays
 * stopped. */
void pause_release(struct pause *p);
/* Returns the threads with a requested stop that have not stopped yet and are no longer needed. */
size_t pause_release_late(struct pause *p);
size_t pause_count_selected(const struct pause *p); /* paused or requested */
/* Returns the address of a paused thread's next instruction; 0: not known. */
uint64_t pause_address(const struct pause *p, pid_t tid);
size_t pause_refused(const struct pause *p); /* since it was made */
void pause_free(struct pause *p);	     /* releases */

typedef void pause_mapped(void *user, pid_t pid, bool has_run);

/*
 * Watches a program from its exec until its libraries are mapped. `pid` is a child that has not
 * exec'd yet (is_before_exec), or a process that has just done so; it is seized, and stopped at
 * the exec and at each system call of the dynamic loader. `mapped` is called while it is stopped:
 * at first, and whenever executable mappings were added (it reads /proc/PID/maps itself). It is
 * released when code outside the interpreter makes its first call, when a static program starts,
 * after calls_max stops, when it ends, when *cancel becomes true. The interpreter is the mapping
 * that contains AT_BASE of /proc/PID/auxv; a program without one is static, or is itself the
 * loader, if it is a library. A loader that is also the libc (musl) is done when it reports so to
 * debuggers (struct r_debug).
 *
 * has_run: it was stopped so late that code of the program, or of a library, may have run before.
 *
 * Returns 0 when it was watched to that point; -ETIME: not (calls_max), -ECANCELED: not (*cancel,
 * which may be NULL), -ESRCH: it ended, -EPERM: it cannot be traced, or another error, with err
 * filled. In all cases it continues, untraced.
 */
int pause_loading(pid_t pid, bool is_before_exec, pause_mapped *mapped, void *user,
	unsigned calls_max, const volatile bool *cancel, struct sooth_error *err);
/* Returns whether a thread of this process traces `pid`. May be called from any thread: if
 * pause_loading() runs in another one, true means that the child may continue to its exec. */
bool pause_is_seized(pid_t pid);

/* Checks a thread; `stop` is filled if it is stopped. */
enum pause_state pause_check(pid_t tid, struct pause_stop *stop);
/* Seizes a thread. -ESRCH: gone or exiting, -EPERM. Options are PTRACE_O_*. If it is already a
 * tracee of this thread, it is requested to stop. */
int pause_seize(pid_t tid, unsigned long options);
/* Detaches. False: the thread is not stopped, because it was killed. */
bool pause_detach(pid_t tid, int signal);

void pause_sleep(struct pause_sleeper *p, uint64_t until_ns);
void pause_sleep_end(struct pause_sleeper *p); /* call it at the end */
