/* SPDX-License-Identifier: BSD-2-Clause */
/* Launching a command that waits until it may run. */
#include "os/linux/launch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exec_search.h"
#include "base/inherited.h"
#include "os/launch_pipe.h"
#include "os/linux/files/procfs.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"

/*
 * The child keeps sooth's standard streams, session and signal dispositions, and runs with the real
 * ids, or the requested ones; privileges from sooth's file do not pass an exec.
 */

/* Sets all groups of the user, as after a login; a user without a name gets only `gid`. */
static int set_groups(uid_t uid, gid_t gid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? initgroups(user->pw_name, gid) : setgroups(1, &gid);
}

static bool has_group(gid_t gid)
{
	gid_t real, effective, saved;

	return !getresgid(&real, &effective, &saved) && real == gid && effective == gid &&
	       saved == gid;
}

static bool has_user(uid_t uid)
{
	uid_t real, effective, saved;

	return !getresuid(&real, &effective, &saved) && real == uid && effective == uid &&
	       saved == uid;
}

static int switch_to_user(const struct launch *launch)
{
	uid_t uid = launch->as_user ? launch->uid : getuid();
	gid_t gid = launch->as_user ? launch->gid : getgid();

	if (launch->as_user && set_groups(uid, gid))
		return -errno;
	/* An id that has no place in the user namespace cannot be set, not even again. */
	if ((!has_group(gid) && setresgid(gid, gid, gid)) ||
		(!has_user(uid) && setresuid(uid, uid, uid)))
		return -errno;
	return 0;
}

bool launch_find(const struct launch *launch, char path[PATH_MAX])
{
	const char *at = NULL;

	assert(launch);
	if (strchr(launch->name, '/'))
		return snprintf(path, PATH_MAX, "%s", launch->name) < PATH_MAX;
	return exec_search_next(launch->name, &at, path);
}

static int set_preload(struct launch_preload *preload)
{
	/* AddressSanitizer refuses to start where a library is loaded before it. */
	static const char unchecked[] = "verify_asan_link_order=0";
	const char *others = getenv("LD_PRELOAD"), *asan = getenv("ASAN_OPTIONS");
	char *all, *options;

	if (!others || !*others)
		others = "";
	if (asprintf(&all, "%s%s%s", preload->library, *others ? ":" : "", others) < 0 ||
		setenv("LD_PRELOAD", all, 1) || putenv(preload->variable))
		return -ENOMEM;
	if (asprintf(&options, "%s%s%s", asan ? asan : "", asan ? ":" : "", unchecked) < 0 ||
		setenv("ASAN_OPTIONS", options, 1))
		return -ENOMEM;
	return 0;
}

static int set_filter(struct launch_filter *filter)
{
	const struct sock_fprog program = { (unsigned short)filter->size, (void *)filter->code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -errno;
	return 0;
}

static __attribute__((noreturn)) void run_child(
	char *const *command, const struct launch *launch, int start_pipe, int failure)
{
	struct launch_preload preload;
	int code;

	inherited_restore();
	/* Yama lets a process trace its descendants only, and sooth's tracer is another child. */
	prctl(PR_SET_PTRACER, getppid());
	if (!launch_pipe_read(start_pipe, &preload))
		_exit(127);	  /* sooth is gone, or has released it: do not run unobserved */
	prctl(PR_SET_PTRACER, 0); /* it is traced already, if at all */
	code = switch_to_user(launch);
	if (!code && preload.library[0])
		code = set_preload(&preload);
	if (!code && preload.filter.size)
		code = set_filter(&preload.filter);
	if (!code)
		code = exec_search(command);
	if (write(failure, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int launch_start(
	const struct os *os, char *const *command, struct launch *launch, struct sooth_error *err)
{
	int start_pipe[2], failure[2];

	(void)os;
	if (!command[0])
		return error_set(
			err, -EINVAL, SOOTH_FAULT_USAGE, "launch a command: no command is given");
	if (pipe2(start_pipe, O_CLOEXEC) || pipe2(failure, O_CLOEXEC))
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
	launch->descriptor = open_pidfd(launch->pid);
	if (!procfs_identify(launch->pid, &launch->process))
		return 0;
	if (need_procfs.test(&os_native, err))
		return err->code;
	return error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find the launched command");
}

/* Returns whether the child has ended. waitpid(2) also reports stops of a child that another thread
 * of sooth traces, whatever its options. */
static bool has_ended(const struct launch *launch)
{
	struct pollfd ended = { .fd = launch->descriptor, .events = POLLIN };

	return launch->descriptor < 0 || poll(&ended, 1, 0) > 0;
}

bool launch_reap(const struct os *os, struct launch *launch)
{
	int status;

	(void)os;
	if (launch->status != -1)
		return true;
	if (!has_ended(launch))
		return false;
	if (launch->pid <= 0 || waitpid(launch->pid, &status, WNOHANG) != launch->pid)
		return false;
	launch->status = status;
	return true;
}
