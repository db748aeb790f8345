/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of ptrace(2) and of the Yama module, as far as their answer helps the user. */
#include "os/linux/ptrace/tracer_refusal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/needs.h"
#include "symbols/instruction.h"

#define YAMA_SCOPE    "/proc/sys/kernel/yama/ptrace_scope"
#define ANCESTORS_MAX 1024 /* of a host whose process table changes meanwhile */

enum yama_scope { YAMA_OFF, YAMA_DESCENDANTS, YAMA_ADMIN, YAMA_NOBODY };

static enum yama_scope yama_scope(void)
{
	char text[16] = "";
	int fd = open(YAMA_SCOPE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return YAMA_OFF;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return (enum yama_scope)atoi(text);
}

static int test_ptrace(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (needs_kernel_release() < KERNEL_RELEASE(5, 3)) {
		error_set(
			err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "trace system calls by ptrace");
		error_why(err, "this kernel has no PTRACE_GET_SYSCALL_INFO");
		error_missing(err, "Linux 5.3 or later");
		return error_remedy(err, "use a newer kernel");
	}
	if (yama_scope() < YAMA_NOBODY)
		return 0;
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "trace system calls by ptrace");
	error_why(err, YAMA_SCOPE " is 3: no process may be traced until the next boot");
	return error_remedy(err, "run sooth as root, without --backend ptrace");
}

const struct need need_ptrace = { "ptrace",
	"Linux 5.3 or later, and kernel.yama.ptrace_scope below 3", test_ptrace };

/* Returns the number behind a name in the status of a process; 0: none, or the process is gone. */
static pid_t status_number(pid_t pid, const char *name)
{
	struct buffer status = { 0 };
	uint64_t number = 0;

	procfs_read(pid, "status", &status, PROCFS_SMALL);
	task_status_number(&number, name, status.data, status.size);
	buffer_fini(&status);
	return (pid_t)number;
}

static int refuse_by_yama(struct sooth_error *err)
{
	if (yama_scope() == YAMA_DESCENDANTS) {
		error_why(
			err, YAMA_SCOPE " is 1: only a command that sooth launches may be traced");
		return error_remedy(err, "sooth trace --backend ptrace -- COMMAND, or once: sudo "
					 "sysctl kernel.yama.ptrace_scope=0");
	}
	error_why(err, YAMA_SCOPE " is 2: tracing needs the capability cap_sys_ptrace");
	return error_remedy(err, "run sooth as root");
}

static int refuse_permission(const struct process_id *process, struct sooth_error *err)
{
	pid_t tracer = status_number((pid_t)process->pid, "TracerPid:");

	if (tracer > 0) {
		error_why(err,
			"process %d traces this process already, and a process can have one tracer "
			"only",
			(int)tracer);
		return error_remedy(err, "end the other tracer");
	}
	if (!caller_has_ids_of(process) && geteuid()) {
		error_why(err, "the process belongs to another user");
		return error_remedy(err, "run sooth as root");
	}
	if (yama_scope() != YAMA_OFF)
		return refuse_by_yama(err);
	error_why(err, "the process has more privileges than sooth, or has forbidden it (prctl "
		       "PR_SET_DUMPABLE)");
	return error_remedy(err, "run sooth as root");
}

int tracer_refuse(const struct process_id *process, int status, struct sooth_error *err)
{
	unsigned pid = process->pid;

	if (status == -EPERM) {
		error_set(err, status, SOOTH_FAULT_PRIVILEGE, "trace process %u", pid);
		return refuse_permission(process, err);
	}
	if (status == -ESRCH) {
		error_set(err, status, SOOTH_FAULT_NOT_FOUND, "trace process %u", pid);
		return error_why(err, "the process has ended");
	}
	if (status == -EBUSY) {
		error_set(err, status, SOOTH_FAULT_UNSUPPORTED, "trace process %u", pid);
		error_why(err,
			"its seccomp filter may kill it for continuing the wait in which it is");
		return error_remedy(err, "run sooth as root, without --backend ptrace");
	}
	error_errno(err, status, "trace process %u", pid);
	if (status == -EPIPE)
		error_why(err, "the process of sooth that traces has ended");
	return error_remedy(err, "run the command again");
}

/* Returns whether a process started sooth: a terminal, shell or server to which, or through which,
 * sooth's output goes. */
static bool is_ancestor(pid_t pid)
{
	pid_t at = getppid();

	for (int i = 0; at > 0 && i < ANCESTORS_MAX; i++) {
		if (at == pid)
			return true;
		at = status_number(at, "PPid:");
	}
	return false;
}

/* Returns whether the process has the other end of the pipe to which sooth writes. */
static bool reads_output(pid_t pid)
{
	struct stat output, link, file;
	_cleanup_dir_ DIR *fds = NULL;
	bool found = false;
	char path[32];

	if (fstat(STDOUT_FILENO, &output) || !S_ISFIFO(output.st_mode))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	for (struct dirent *e; fds && !found && (e = readdir(fds));)
		found = !fstatat(dirfd(fds), e->d_name, &link, AT_SYMLINK_NOFOLLOW) &&
			S_ISLNK(link.st_mode) && link.st_mode & S_IRUSR &&
			!fstatat(dirfd(fds), e->d_name, &file, 0) && file.st_dev == output.st_dev &&
			file.st_ino == output.st_ino;
	return found;
}

int tracer_refuse_reader(const struct process_id *process, struct sooth_error *err)
{
	bool has_started = is_ancestor((pid_t)process->pid);

	if (!has_started && !reads_output((pid_t)process->pid))
		return 0;
	error_set(err, -EDEADLK, SOOTH_FAULT_UNSUPPORTED,
		"pause process %u so that no call is lost", (unsigned)process->pid);
	error_why(err, "this process %s: both would wait forever",
		has_started ? "started sooth and may have to read its output"
			    : "reads the output of sooth");
	return error_remedy(err, "run sooth from another terminal, or leave out --lossless");
}
