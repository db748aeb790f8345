/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One tracee, seen from the thread that traces it. Stops are read by PTRACE_GETSIGINFO,
 * not taken by wait(2): a stop that was waited for forgets its signal when the tracer is
 * killed before it goes on, and a waitpid() elsewhere in the process may take it first.
 */
#ifndef SOOTH_OS_LINUX_PAUSE_PTRACE_H
#define SOOTH_OS_LINUX_PAUSE_PTRACE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum pause_sight {
	PAUSE_RUNS,
	PAUSE_STANDS,
	PAUSE_ENDED,	/* and is reaped, if that is for the tracer to do */
	PAUSE_VANISHED, /* no tracee of this thread: reaped by others, or it exec'd under another
			 * tid
			 */
};

enum pause_at {
	PAUSE_AT_SIGNAL,   /* one is about to be delivered */
	PAUSE_AT_TRAP,	   /* asked for */
	PAUSE_AT_JOB_STOP, /* a stop signal did it */
	PAUSE_AT_CALL,	   /* entry or return of a system call */
	PAUSE_AT_EXEC,
};

struct pause_stop {
	enum pause_at at;
	int signal; /* to be delivered as it goes on, or 0 */
};

/* `stop` is filled when it stands. */
enum pause_sight pause_look(pid_t tid, struct pause_stop *stop);
/* -ESRCH: gone or ending, -EPERM. Options are PTRACE_O_*. One that is this thread's already is
 * asked to stop. */
int pause_seize(pid_t tid, unsigned long options);
/*
 * An ended thread stays, and holds up the end or the exec of its process, until its tracer
 * has reaped it; so does a process whose parent is another. Only a child of this process
 * is left: its status comes to the tracer and the parent at once. Any thread may call.
 */
void pause_reap_ended(pid_t tid);
/* False: it does not stand, because it was killed. */
bool pause_detach(pid_t tid, int signal);

/*
 * Between two looks: spinning at first, if asked for, then asleep until a stop or an end
 * is told (SIGCHLD, which this thread blocks meanwhile), at most half a millisecond.
 */
struct pause_timeout {
	uint64_t spin_until_ns;
	bool listens, has_heard;
	sigset_t before;
};

void pause_rest(struct pause_timeout *p, uint64_t until_ns);
void pause_rested(struct pause_timeout *p); /* at the end */

#endif
