/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of struct os that only these systems have: kqueue(2) on processes, launched commands.
 *
 * A kqueue that watches a process becomes readable when the process ends. A signal is sent to the
 * PID right after kqueue has shown that the process runs. In between the process may end, and its
 * PID be reused; neither system has a call without that gap.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/exec_search.h"
#include "base/inherited.h"
#include "os/bsd/services.h"
#include "os/launch_pipe.h"

static int refuse_ended_process(const struct process_id *process, struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u", process->pid);
	return error_why(err, "the process has ended");
}

int bsd_open_process(const struct os *os, const struct process_id *process, struct sooth_error *err)
{
	_cleanup_close_ int queue = kqueue();
	struct kevent change;

	if (queue < 0)
		return error_errno(err, -errno, "make a kqueue");
	EV_SET(&change, process->pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
	if (kevent(queue, &change, 1, NULL, 0, NULL)) {
		if (errno == ESRCH)
			return refuse_ended_process(process, err);
		return error_errno(err, -errno, "watch process %u", process->pid);
	}
	/* Check the identity only now: so the queue watches this process. */
	if (!os->is_alive(os, process))
		return refuse_ended_process(process, err);
	return TAKE_FD(queue);
}

int bsd_signal_process(const struct os *os, int descriptor, const struct process_id *process,
	int number, struct sooth_error *err)
{
	const int queue[] = { descriptor };

	if (os->wait(os, queue, 1, 0) > 0)
		return refuse_ended_process(process, err);
	if (!kill((pid_t)process->pid, number))
		return 0;
	return error_errno(err, -errno, "send the signal %d", number);
}

/* --- how processes end --- */

/* macOS reports the status on request, but not that of other users' processes. */
#ifndef NOTE_EXITSTATUS
#define NOTE_EXITSTATUS 0
#endif

int bsd_native_watch_exit(pid_t pid)
{
	_cleanup_close_ int queue = kqueue();
	struct kevent change;

	if (queue < 0)
		return -errno;
	fcntl(queue, F_SETFD, FD_CLOEXEC);
	EV_SET(&change, pid, EVFILT_PROC, EV_ADD, (unsigned)NOTE_EXIT | NOTE_EXITSTATUS, 0, NULL);
	if (kevent(queue, &change, 1, NULL, 0, NULL)) {
		EV_SET(&change, pid, EVFILT_PROC, EV_ADD, (unsigned)NOTE_EXIT, 0, NULL);
		if (kevent(queue, &change, 1, NULL, 0, NULL))
			return -errno;
	}
	return TAKE_FD(queue);
}

int bsd_native_exit_status(int descriptor, uint32_t *status)
{
	const struct timespec now = { 0 };
	struct kevent event;

	if (kevent(descriptor, NULL, 0, &event, 1, &now) != 1)
		return -EAGAIN;
	if (NOTE_EXITSTATUS && !(event.fflags & NOTE_EXITSTATUS))
		return -EPERM;
	*status = (uint32_t)event.data;
	return 0;
}

/* --- launched commands: a child waits on a pipe until its exec may happen --- */

/* Assumes the real ids, or the requested ones, and gives up the saved ids. */
static int switch_to_user(const struct launch *launch)
{
	uid_t uid = launch->as_user ? launch->uid : getuid();
	gid_t gid = launch->as_user ? launch->gid : getgid();

	if (uid == geteuid() && gid == getegid())
		return 0;
	if (setgid(gid) || setuid(uid))
		return -errno;
	return getuid() == uid && geteuid() == uid ? 0 : -EPERM;
}

static __attribute__((noreturn)) void run_child(
	char *const *command, const struct launch *launch, int start_pipe, int failure)
{
	struct launch_preload preload;
	int code;

	inherited_restore();
	if (!launch_pipe_read(start_pipe, &preload))
		_exit(127); /* sooth is gone: do not run unobserved */
	if (preload.variable[0] && putenv(preload.variable))
		_exit(126);
	code = switch_to_user(launch);
	if (!code)
		code = exec_search(command);
	if (write(failure, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

static int make_pipe(int ends[2])
{
	if (pipe(ends))
		return -errno;
	for (int i = 0; i < 2; i++)
		fcntl(ends[i], F_SETFD, FD_CLOEXEC);
	return 0;
}

static int watch_exit(pid_t pid)
{
	int queue = kqueue();
	struct kevent change;

	EV_SET(&change, pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
	if (queue >= 0 && kevent(queue, &change, 1, NULL, 0, NULL)) {
		close(queue);
		return -1;
	}
	return queue;
}

int bsd_launch(
	const struct os *os, char *const *command, struct launch *launch, struct sooth_error *err)
{
	int start_pipe[2], failure[2];

	if (!command[0])
		return error_set(
			err, -EINVAL, SOOTH_FAULT_USAGE, "launch a command: no command is given");
	if (make_pipe(start_pipe) || make_pipe(failure))
		return error_errno(err, -errno, "make a pipe");
	launch->name = command[0];
	launch->pid = fork();
	if (launch->pid < 0)
		return error_errno(err, -errno, "fork");
	if (!launch->pid) {
		close(start_pipe[1]);
		run_child(command, launch, start_pipe[0], failure[1]);
	}
	close(start_pipe[0]);
	close(failure[1]);
	launch->start_pipe = start_pipe[1];
	launch->failure = failure[0];
	launch->status = -1;
	launch->descriptor = watch_exit(launch->pid);
	return os->identify(os, launch->pid, &launch->process, err);
}

bool bsd_reap(const struct os *os, struct launch *launch)
{
	int status;

	(void)os;
	if (launch->status != -1)
		return true;
	if (launch->pid <= 0 || waitpid(launch->pid, &status, WNOHANG) != launch->pid)
		return false;
	launch->status = status;
	return true;
}

/* --- rights: neither system has capabilities of files, and sooth is not set-user-id --- */

void bsd_keep_least(const struct os *os)
{
	(void)os;
}

void bsd_end_with_parent(const struct os *os, int life)
{
	(void)os;
	(void)life;
}

bool bsd_drop_all(const struct os *os)
{
	(void)os;
	return getuid() == geteuid() && getgid() == getegid();
}
