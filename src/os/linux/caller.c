/* SPDX-License-Identifier: BSD-2-Clause */
/* What the invoking user may watch; see caller.h. */
#include "os/linux/caller.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/procfs.h"

/* AT_SECURE: the kernel gave this program more than its caller has (ld.so(8)). */
static bool is_elevated(void)
{
	return getuid() != 0 && getauxval(AT_SECURE);
}

static int refuse(struct sooth_error *err, const char *tried)
{
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "%s", tried);
	error_why(err,
		"it belongs to another user, and sooth's capabilities are not yours to use on it");
	return error_remedy(err, "run sooth as that user, or as root");
}

static bool ids_are_callers(const struct process_id *process)
{
	struct buffer status = { 0 };
	struct cursor c;
	uint32_t caller = getuid();
	bool all = false;

	if (procfs_read((pid_t)process->pid, "status", &status, PROCFS_SMALL) < 0)
		return false;
	c = cursor_over(status.data, status.size);
	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor ids = cursor_over(line.data, line.size);

		if (!cursor_skip(&ids, "Uid:"))
			continue;
		all = cursor_decimal(&ids) == caller && cursor_decimal(&ids) == caller &&
		      cursor_decimal(&ids) == caller && !ids.failed;
		break;
	}
	buffer_fini(&status);
	return all;
}

/* Files in /proc/PID belong to root when the process is not dumpable (proc(5)); the directory
 * itself does not. */
static bool is_dumpable(const struct process_id *process)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/stat", (unsigned)process->pid);
	return !stat(path, &st) && st.st_uid == getuid();
}

int caller_may_watch(const struct process_id *process, struct sooth_error *err)
{
	char tried[64];

	if (!is_elevated() || (ids_are_callers(process) && is_dumpable(process)))
		return 0;
	snprintf(tried, sizeof(tried), "watch process %u", (unsigned)process->pid);
	return refuse(err, tried);
}

int caller_may_watch_user(uint32_t uid, struct sooth_error *err)
{
	char tried[64];

	if (!is_elevated() || (uid && uid == getuid()))
		return 0;
	snprintf(tried, sizeof(tried), "watch the processes of user %u", uid);
	return refuse(err, tried);
}
