/* SPDX-License-Identifier: BSD-2-Clause */
/* One tracee. */
#include "os/linux/pause/pause_ptrace.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "os/linux/pause/pause.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"

#define REST_NS 500000

/* For a stop that is not caused by a signal the kernel writes the wait status into si_code. */
static struct pause_stop stop_of(const siginfo_t *info)
{
	if (info->si_code == (info->si_signo | PTRACE_EVENT_STOP << 8))
		return (struct pause_stop){
			info->si_signo == SIGTRAP ? PAUSE_AT_TRAP : PAUSE_AT_JOB_STOP, 0
		};
	if (info->si_signo == SIGTRAP && info->si_code == (SIGTRAP | 0x80))
		return (struct pause_stop){ PAUSE_AT_CALL, 0 };
	if (info->si_signo == SIGTRAP && info->si_code == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
		return (struct pause_stop){ PAUSE_AT_EXEC, 0 };
	return (struct pause_stop){ PAUSE_AT_SIGNAL, info->si_signo };
}

/* The number behind a name in a status file, -1 if there is none. */
static pid_t status_number(const struct buffer *status, const char *name)
{
	struct span value;
	struct cursor c;

	if (!task_status_find(&value, name, status->data, status->size))
		return -1;
	c = cursor_over(value.data, value.size);
	return (pid_t)cursor_decimal(&c);
}

/* Its exit status belongs to a waitpid() of this process. If that is unknown, assume so: a status
 * is never taken away. */
static bool is_own_child(pid_t tid)
{
	struct buffer status = { 0 };
	pid_t process, parent;

	procfs_read(tid, "status", &status, PROCFS_SMALL);
	process = status_number(&status, "Tgid:");
	parent = status_number(&status, "PPid:");
	buffer_fini(&status);
	return (process == tid || process < 0) && (parent == getpid() || parent < 0);
}

bool pause_is_seized(pid_t pid)
{
	struct buffer status = { 0 };
	char path[48];

	procfs_read(pid, "status", &status, PROCFS_SMALL);
	snprintf(path, sizeof(path), "/proc/self/task/%d",
		(int)status_number(&status, "TracerPid:"));
	buffer_fini(&status);
	return !access(path, F_OK);
}

static enum pause_state check_end(pid_t tid, int wait_flags)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)tid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL | wait_flags))
		return errno == ECHILD ? PAUSE_VANISHED : PAUSE_RUNNING;
	/* Every wait call sees stops of a tracee, whatever its options. */
	if (!info.si_pid || info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED)
		return PAUSE_RUNNING;
	if (!is_own_child(tid))
		waitid(P_PID, (id_t)tid, &info, WEXITED | WNOHANG | __WALL | wait_flags);
	return PAUSE_ENDED;
}

void pause_reap_ended(pid_t tid)
{
	check_end(tid, 0);
}

enum pause_state pause_check(pid_t tid, struct pause_stop *stop)
{
	siginfo_t info;

	if (!ptrace(PTRACE_GETSIGINFO, tid, NULL, &info)) {
		*stop = stop_of(&info);
		return PAUSE_STOPPED;
	}
	return check_end(tid, __WNOTHREAD);
}

static bool is_ending(pid_t tid)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool is_ending = procfs_read(tid, "stat", &bytes, PROCFS_SMALL) < 0 ||
			 !procfs_parse_stat(&stat, bytes.data, bytes.size) ||
			 procfs_has_ended(&stat);

	buffer_fini(&bytes);
	return is_ending;
}

int pause_seize(pid_t tid, unsigned long options)
{
	/* Twice: an exec may have ended the thread and given its tid to another meanwhile. */
	for (int tries = 0; tries < 2; tries++) {
		if (!ptrace(PTRACE_SEIZE, tid, NULL, options))
			return 0;
		if (errno == ESRCH)
			return -ESRCH;
		/* An exec gives the tid of the process to the calling thread, which may be traced
		 * already. */
		if (!ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
			return 0;
		/* A thread that is exiting is refused in the same way as one without permission. */
		if (is_ending(tid))
			return -ESRCH;
	}
	return -EPERM;
}

bool pause_detach(pid_t tid, int signal)
{
	return !ptrace(PTRACE_DETACH, tid, NULL, (unsigned long)signal);
}

static sigset_t child_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return set;
}

void pause_sleep(struct pause_sleeper *p, uint64_t until_ns)
{
	uint64_t now = clock_monotonic_ns();
	struct timespec most = { .tv_nsec = REST_NS };
	sigset_t set = child_signal();

	if (now < p->spin_until_ns || now >= until_ns)
		return;
	if (!p->is_blocking) {
		/* A stop before this is seen by one more check, a later one wakes the thread. */
		p->is_blocking = !pthread_sigmask(SIG_BLOCK, &set, &p->before);
		if (p->is_blocking)
			return;
	}
	if (until_ns - now < REST_NS)
		most.tv_nsec = (long)(until_ns - now);
	if (sigtimedwait(&set, NULL, &most) == SIGCHLD)
		p->has_signal = true;
}

void pause_sleep_end(struct pause_sleeper *p)
{
	if (!p->is_blocking)
		return;
	pthread_sigmask(SIG_SETMASK, &p->before, NULL);
	/* It may have been sent for a child that other code of this process waits for. */
	if (p->has_signal)
		kill(getpid(), SIGCHLD);
	*p = (struct pause_sleeper){ 0 };
}
