/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux behind struct os. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "collect/secrets.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timeout.h"
#include "os/linux/host/freezer.h"
#include "os/linux/host/host.h"
#include "os/linux/rights/caller.h"
#include "os/os.h"

/* --- launching a command that waits until it may run --- */

/*
 * A launched command is a child that waits on a pipe before its exec, so that probes are in place
 * when it starts. A second, close-on-exec pipe reports why an exec failed. The child keeps sooth's
 * standard streams, session and signal dispositions, and runs with the real ids, or the requested
 * ones; privileges from sooth's file do not pass an exec.
 */

#define COMMAND_WORDS_MAX 4096 /* of a script that needs a shell */

/* All groups of the user, as after a login; a user without a name gets just the one. */
static int take_groups(uid_t uid, gid_t gid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? initgroups(user->pw_name, gid) : setgroups(1, &gid);
}

static int become_user(const struct launch *launch)
{
	uid_t uid = launch->as_user ? launch->uid : getuid();
	gid_t gid = launch->as_user ? launch->gid : getgid();

	if (launch->as_user && take_groups(uid, gid))
		return -errno;
	if (setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

static void restore_signals(void)
{
	/* An exec resets handlers; a signal that sooth ignores would stay ignored. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
}

/* A script whose first line names no interpreter is run by a shell (exec(3)). */
static int exec_script(const char *path, char *const *command)
{
	char *arguments[COMMAND_WORDS_MAX + 2] = { "sh", (char *)(uintptr_t)path };

	for (size_t i = 1; command[i]; i++) {
		if (i == COMMAND_WORDS_MAX)
			return -E2BIG;
		arguments[i + 1] = command[i];
	}
	execv("/bin/sh", arguments);
	return -errno;
}

static int exec_path(const char *path, char *const *command)
{
	execv(path, command);
	return errno == ENOEXEC ? exec_script(path, command) : -errno;
}

/*
 * execvp(3) tries an exec in each directory of PATH, and every failed one would be counted as the
 * command's. So the search is made here, by access(2), and only an existing file is executed.
 */
static int exec_found(char *const *command)
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];
	int code = -ENOENT;

	if (strchr(command[0], '/'))
		return exec_path(command[0], command);
	for (path = path ? path : "/bin:/usr/bin"; *path;) {
		size_t size = strcspn(path, ":");

		if (snprintf(candidate, sizeof(candidate), "%.*s%s%s", (int)size, path,
			    size ? "/" : "./", command[0]) < (int)sizeof(candidate) &&
			!access(candidate, X_OK))
			code = exec_path(candidate, command);
		path += size + (path[size] == ':');
	}
	return code;
}

static __attribute__((noreturn)) void child(
	char *const *command, const struct launch *launch, int start_pipe, int failure)
{
	char byte;
	int code;

	restore_signals();
	if (read(start_pipe, &byte, 1) != 1)
		_exit(127); /* sooth is gone, or has released it: do not run unobserved */
	code = become_user(launch);
	if (!code)
		code = exec_found(command);
	if (write(failure, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int launch_start(
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
		child(command, launch, start_pipe[0], failure[1]);
	}
	close(start_pipe[0]);
	close(failure[1]);
	launch->start_pipe = start_pipe[1];
	launch->failure = failure[0];
	launch->status = -1;
	launch->descriptor = open_pidfd(launch->pid);
	if (procfs_identify(launch->pid, &launch->process))
		return error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find the launched command");
	return 0;
}

static int launch_release(const struct os *os, struct launch *launch, struct sooth_error *err)
{
	_cleanup_close_ int start_pipe = TAKE_FD(launch->start_pipe);
	_cleanup_close_ int failure = TAKE_FD(launch->failure);
	int code = 0;

	(void)os;
	if (write(start_pipe, "", 1) != 1) {
		if (errno != EPIPE)
			return error_errno(err, -errno, "let the launched command run");
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "run %s", launch->name);
		return error_why(err, "the command was killed before it started");
	}
	/* End of file: the exec closed the pipe, so it succeeded. */
	if (read(failure, &code, sizeof(code)) != sizeof(code))
		return 0;
	error_set(err, code,
		code == -ENOENT || code == -ENOTDIR ? SOOTH_FAULT_NO_COMMAND
						    : SOOTH_FAULT_NOT_EXECUTABLE,
		"run %s", launch->name);
	error_why(err, "%s",
		code == -EACCES ? "permission denied: the file is not executable, or its folder is "
				  "not accessible"
				: strerror(-code));
	error_remedy(err,
		"check the name of the command and that the file is executable (chmod +x FILE)");
	return code;
}

/* waitpid(2) also reports stops of a child that another thread of sooth traces, whatever its
 * options. */
static bool has_ended(const struct launch *launch)
{
	struct pollfd ended = { .fd = launch->descriptor, .events = POLLIN };

	return launch->descriptor < 0 || poll(&ended, 1, 0) > 0;
}

static bool launch_reap(const struct os *os, struct launch *launch)
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

static void launch_abandon(const struct os *os, struct launch *launch)
{
	(void)os;
	if (launch->start_pipe >= 0) {
		int status;

		close(launch->start_pipe); /* it reads end of file and exits */
		launch->start_pipe = -1;
		if (launch->pid > 0 && launch->status == -1 &&
			waitpid(launch->pid, &status, 0) == launch->pid)
			launch->status = status;
	}
	if (launch->failure >= 0)
		close(launch->failure);
	if (launch->descriptor >= 0)
		close(launch->descriptor);
	launch->failure = launch->descriptor = -1;
}

/* --- a process by a descriptor, so that a reused pid is never taken for it --- */

/*
 * The descriptor is opened first and the identity read after: if both agree, the descriptor refers
 * to that process for good, because the kernel reuses a pid only when the process is gone, and a
 * descriptor never changes its process.
 */

static int gone(const struct process_id *process, struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u", process->pid);
	return error_why(err, "the process has ended");
}

static int process_handle_open(
	const struct os *os, const struct process_id *process, struct sooth_error *err)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, (pid_t)process->pid, 0);
	_cleanup_close_ int proc = -1;
	struct process_id now;

	(void)os;
	if (fd < 0 && errno == ESRCH)
		return gone(process, err);
	if (fd < 0)
		return error_errno(err, -errno, "open process %u", process->pid);
	proc = procfs_open((pid_t)process->pid);
	if (proc < 0 || procfs_identify_at(proc, &now) || now.start_ticks != process->start_ticks ||
		now.pid != process->pid)
		return gone(process, err);
	return TAKE_FD(fd);
}

static int process_handle_signal(
	const struct os *os, int descriptor, int number, struct sooth_error *err)
{
	(void)os;
	if (!syscall(SYS_pidfd_send_signal, descriptor, number, NULL, 0))
		return 0;
	return error_errno(err, -errno, "send the signal %d", number);
}

#define WAIT_MAX 64

/* --- struct os --- */

#define BACKEND(probe, name, rank) extern const struct backend backend_##probe##_##name;
#include "os/linux/backends.def"
#undef BACKEND

/* The list is in the order of ranks; a check enforces that. */
#define BACKEND(probe, name, rank) &backend_##probe##_##name,
static const struct backend *const backends[] = {
#include "os/linux/backends.def"
	NULL,
};

static uint64_t linux_now_ns(const struct os *os)
{
	(void)os;
	return clock_monotonic_ns();
}

static int linux_identify(
	const struct os *os, pid_t pid, struct process_id *process, struct sooth_error *err)
{
	int status = procfs_identify(pid, process);

	(void)os;
	if (!status)
		return 0;
	if (status != -ESRCH)
		return error_errno(err, status, "read process %d", (int)pid);
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %d", (int)pid);
	error_why(err, "no process has this PID");
	return error_remedy(err, "`sooth ps -a` lists all processes");
}

/* A zombie has ended: only its parent still has to wait for it. But for one whose first thread
 * alone has: that is a zombie until the others end too. */
static bool linux_is_alive(const struct os *os, const struct process_id *process)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool alive = procfs_read((pid_t)process->pid, "stat", &bytes, PROCFS_SMALL) >= 0 &&
		     procfs_parse_stat(&stat, bytes.data, bytes.size) &&
		     stat.start_ticks == process->start_ticks &&
		     (!procfs_has_ended(&stat) || stat.threads > 1);

	(void)os;
	buffer_fini(&bytes);
	return alive;
}

static void linux_command_line(
	const struct os *os, const struct process_id *process, struct buffer *out)
{
	_cleanup_close_ int fd = procfs_open((pid_t)process->pid);
	struct timeout timeout = { 0 };
	struct buffer raw = { 0 };

	(void)os;
	if (fd >= 0 &&
		timeout_read_at(&timeout, fd, "cmdline", &raw, PROCFS_ARGUMENTS, TIMEOUT_MS) >= 0)
		secrets_mask_arguments(out, (const char *)raw.data, raw.size);
	timeout_fini(&timeout);
	buffer_fini(&raw);
}

static int linux_list(const struct os *os, bool has_uid, uint32_t uid, struct buffer *process_ids,
	struct sooth_error *err)
{
	struct buffer pids = { 0 };
	int status = procfs_list(&pids);
	const pid_t *all = (const void *)pids.data;

	(void)os;
	for (size_t i = 0; i < pids.size / sizeof(*all) && !status; i++) {
		_cleanup_close_ int fd = procfs_open(all[i]);
		struct process_id process;
		struct stat owner;

		if (fd < 0 || fstat(fd, &owner) || (has_uid && owner.st_uid != uid))
			continue;
		if (!procfs_identify_at(fd, &process))
			buffer_append(process_ids, &process, sizeof(process));
	}
	buffer_fini(&pids);
	return status ? error_errno(err, status, "list the processes in /proc") : 0;
}

static int linux_wait(const struct os *os, const int *descriptors, size_t count, int timeout_ms)
{
	struct pollfd polled[WAIT_MAX];
	int readable;

	(void)os;
	count = count < WAIT_MAX ? count : WAIT_MAX;
	for (size_t i = 0; i < count; i++)
		polled[i] = (struct pollfd){ .fd = descriptors[i], .events = POLLIN };
	readable = poll(polled, count, timeout_ms);
	return readable < 0 ? -errno : readable;
}

static void end_with_parent(const struct os *os)
{
	(void)os;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

const struct os os_native = {
	.name = "linux",
	.backends = backends,
	.now_ns = linux_now_ns,
	.realtime_offset_ns = host_realtime_offset_ns,
	.host = host_facts,
	.self = host_self,
	.keep_least = caller_keep_least,
	.end_with_parent = end_with_parent,
	.drop_all = caller_drop_all,
	.environment = host_environment,
	.identify = linux_identify,
	.is_alive = linux_is_alive,
	.command_line = linux_command_line,
	.list = linux_list,
	.open_process = process_handle_open,
	.signal_process = process_handle_signal,
	.launch = launch_start,
	.release = launch_release,
	.reap = launch_reap,
	.abandon = launch_abandon,
	.freeze_group = freezer_set,
	.wait = linux_wait,
};
