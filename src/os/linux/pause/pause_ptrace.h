/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One tracee, seen from the thread that traces it. Stops are read by PTRACE_GETSIGINFO, not by
 * wait(2): a stop that was waited for loses its signal if the tracer is killed before the tracee
 * continues, and a waitpid() elsewhere in the process may take it first.
 */
#ifndef SOOTH_OS_LINUX_PAUSE_PTRACE_H
#define SOOTH_OS_LINUX_PAUSE_PTRACE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum pause_state {
	PAUSE_RUNNING,
	PAUSE_STOPPED,
	PAUSE_ENDED, /* and was reaped, if the tracer has to do that */
	/* no tracee of this thread: reaped elsewhere, or it exec'd under another tid */
	PAUSE_VANISHED,
};

enum pause_at {
	PAUSE_AT_SIGNAL,   /* one is about to be delivered */
	PAUSE_AT_TRAP,	   /* as requested */
	PAUSE_AT_JOB_STOP, /* by a stop signal */
	PAUSE_AT_CALL,	   /* entry or return of a system call */
	PAUSE_AT_EXEC,
};

struct pause_stop {
	enum pause_at at;
	int signal; /* to be delivered when it continues, or 0 */
};

/* `stop` is filled if it is stopped. */
enum pause_state pause_check(pid_t tid, struct pause_stop *stop);
/* -ESRCH: gone or exiting, -EPERM. Options are PTRACE_O_*. A tracee of this thread is requested to
 * stop. */
int pause_seize(pid_t tid, unsigned long options);
/*
 * An ended thread stays, and delays the end or the exec of its process, until its tracer has
 * reaped it; so does a process with another parent. Only a child of this process is left: its
 * status reaches the tracer and the parent together. Any thread may call this.
 */
void pause_reap_ended(pid_t tid);
/* False: it is not stopped, because it was killed. */
bool pause_detach(pid_t tid, int signal);

/*
 * Waiting between two checks: spinning at first, if requested, then asleep until a stop or an end
 * is signaled (SIGCHLD, which this thread blocks meanwhile), at most half a millisecond.
 */
struct pause_sleeper {
	uint64_t spin_until_ns;
	bool is_blocking, has_signal;
	sigset_t before;
};

void pause_sleep(struct pause_sleeper *p, uint64_t until_ns);
void pause_sleep_end(struct pause_sleeper *p); /* at the end */

#endif
