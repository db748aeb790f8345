/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux behind struct os. */
#include "collect/secrets.h"
#include "os/os.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "os/linux/rights/caller.h"
#include "os/linux/host/freezer.h"
#include "os/linux/host/host.h"
#include "os/linux/launch.h"
#include "os/linux/proc/process_handle.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timeout.h"

#define WAIT_MAX 64

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
