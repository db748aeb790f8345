/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptor is opened first and the identity read after: if both agree, the descriptor refers
 * to that process for good, because the kernel reuses a pid only when the process is gone, and a
 * descriptor never changes its process.
 */
#include "os/linux/proc/process_handle.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/procfs.h"

static int gone(const struct process_id *process, struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u", process->pid);
	return error_why(err, "the process has ended");
}

int process_handle_open(
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

int process_handle_signal(const struct os *os, int descriptor, int number, struct sooth_error *err)
{
	(void)os;
	if (!syscall(SYS_pidfd_send_signal, descriptor, number, NULL, 0))
		return 0;
	return error_errno(err, -errno, "send the signal %d", number);
}
