/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that the invoking user may watch. */
#include "os/linux/rights/caller.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/rights/capabilities.h"
#include "os/linux/files/procfs.h"

#define CAPABILITIES_MAX 64 /* bits of a set */

void caller_keep_least(const struct os *os)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct kept[2] = { 0 };
	uid_t uid = getuid();
	gid_t gid = getgid();

	(void)os;
	if (!caller_is_elevated() || syscall(SYS_capget, &header, kept))
		return;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t kept_bits =
			i == CAP_BPF / 32 ? 1u << CAP_BPF % 32 | 1u << CAP_PERFMON % 32 : 0;

		kept[i].permitted &= kept_bits;
		kept[i].effective = kept[i].permitted;
		kept[i].inheritable = 0;
	}
	/* Changing the ids drops all capabilities of a set-user-ID program, unless it asks to keep
	 * them. */
	prctl(PR_SET_KEEPCAPS, 1);
	if (setresgid(gid, gid, gid) || setresuid(uid, uid, uid) ||
		syscall(SYS_capset, &header, kept))
		_exit(3); /* do not run with privileges that should be gone */
}

bool caller_drop_all(const struct os *os)
{
	(void)os;
	return caller_become(getuid(), getgid());
}

bool caller_become(uid_t uid, gid_t gid)
{
	const struct parser_owner owner = { .uid = uid, .gid = gid };

	return caller_become_owner(&owner);
}

bool caller_become_owner(const struct parser_owner *owner)
{
	uid_t uid = owner->uid;
	gid_t gid = owner->gid;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	bool is_other = uid != getuid();

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* This set limits the privileges that root gets by an exec. Dropping fails for numbers that
	 * the kernel does not know, and without CAP_SETPCAP. */
	for (unsigned long i = 0; i < CAPABILITIES_MAX; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	/* In a user namespace, or without CAP_SETUID, other ids may not be possible. */
	if (is_other && (setgroups(owner->group_count, owner->groups) || setresgid(gid, gid, gid) ||
				setresuid(uid, uid, uid)))
		uid = getuid(), gid = getgid();
	return !setresgid(gid, gid, gid) && !setresuid(uid, uid, uid) &&
	       !syscall(SYS_capset, &header, none);
}

bool caller_keep_capabilities(uint32_t bits)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct kept[2];

	if (syscall(SYS_capget, &header, kept))
		return false;
	kept[0].effective &= bits;
	kept[0].permitted &= bits;
	kept[1] = (struct __user_cap_data_struct){ 0 };
	kept[0].inheritable = 0;
	return !syscall(SYS_capset, &header, kept);
}

bool caller_keep_ids(void)
{
	return caller_keep_capabilities(
		1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_SETPCAP | 1u << CAP_KILL);
}

bool caller_has_ids_of(const struct process_id *process)
{
	struct buffer status = { 0 };
	struct cursor c;
	uint32_t caller = getuid();
	bool all = false;

	assert(process);
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

/* Returns whether the caller may trace the process. The kernel opens this link for processes that
 * may trace by the rule of ptrace(2): ids, groups, capabilities and whether the target is dumpable.
 * Unlike /proc/PID/maps, zombies have it, too. */
static bool may_trace(const struct process_id *process)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/ns/user", (unsigned)process->pid);
	_cleanup_close_ int fd = open_as_caller(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	return fd >= 0;
}

static int refuse_all(struct sooth_error *err)
{
	error_set(
		err, -EPERM, SOOTH_FAULT_PRIVILEGE, "watch every process of a user or of the host");
	error_why(err,
		"with file capabilities sooth watches only processes that are named one by one");
	return error_remedy(err, "run sooth as root, or name processes with -p PID,PID,...");
}

int caller_may_watch(const struct os *os, const struct process_id *process, struct sooth_error *err)
{
	(void)os;
	if (!caller_is_elevated() || (process && may_trace(process)))
		return 0;
	if (!process)
		return refuse_all(err);
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "watch process %u", (unsigned)process->pid);
	error_why(err, "you may not trace this process: with file capabilities sooth watches only "
		       "processes that you could trace yourself");
	return error_remedy(err, "run sooth as root");
}
