/* SPDX-License-Identifier: BSD-2-Clause */
/* Constants by their names, in calls that few programs make. Those that would change something
 * fail: what they are to be done to is not there. */
#include "calls.h"

#include <fcntl.h>
#include <linux/fanotify.h>
#include <linux/kcmp.h>
#include <linux/mempolicy.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/quota.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#define NOBODY 999999999 /* no PID is that large */

static void mounts(void)
{
	CALL(mount, P("none"), P("missing"), P("nofs"), MS_NOSUID | MS_NODIRATIME | MS_LAZYTIME, 0);
	told(in_calls("missing"),
		"\"none\", \"missing\", \"nofs\", MS_NOSUID|MS_NODIRATIME|MS_LAZYTIME, NULL");
	CALL(mount, 0, P("missing"), 0, MS_MGC_VAL | MS_REMOUNT | MS_RDONLY, 0);
	told(in_calls("missing"), "NULL, \"missing\", NULL, MS_MGC_VAL|MS_RDONLY|MS_REMOUNT, NULL");
	CALL(umount2, P("missing"), MNT_DETACH | UMOUNT_NOFOLLOW);
	told(in_calls("missing"), "\"missing\", MNT_DETACH|UMOUNT_NOFOLLOW");
	CALL(fsopen, P("nofs"), 1);
	told(NULL, "\"nofs\", FSOPEN_CLOEXEC");
	CALL(fsconfig, 999, 6, 0, 0, 0);
	told(NULL, "999<?>, FSCONFIG_CMD_CREATE, NULL, NULL, 0");
	CALL(fsmount, 999, 1, 2 | 8);
	told(NULL, "999<?>, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC");
	CALL(fspick, AT_FDCWD, P("missing"), 1 | 8);
	told(in_calls("missing"), "AT_FDCWD, \"missing\", FSPICK_CLOEXEC|FSPICK_EMPTY_PATH");
	CALL(open_tree, AT_FDCWD, P("missing"), 1 | O_CLOEXEC);
	told(in_calls("missing"), "AT_FDCWD, \"missing\", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC");
	CALL(move_mount, AT_FDCWD, P("missing"), AT_FDCWD, P("plain"), 1 | 0x40);
	told(in_calls("missing"), "AT_FDCWD, \"missing\", AT_FDCWD, \"plain\", "
				  "MOVE_MOUNT_F_SYMLINKS|MOVE_MOUNT_T_EMPTY_PATH");
}

static void files(void)
{
	CALL(mknodat, AT_FDCWD, P("missing/x"), S_IFREG | S_ISGID | 0644, 0);
	told(in_calls("missing/x"), "AT_FDCWD, \"missing/x\", S_IFREG|S_ISGID|0644, 0");
	CALL(sync_file_range, 999, 0, 4096, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	told(NULL, "999<?>, 0, 4096, SYNC_FILE_RANGE_WRITE|SYNC_FILE_RANGE_WAIT_AFTER");
	CALL(name_to_handle_at, AT_FDCWD, P("missing"), 0, 0, AT_SYMLINK_FOLLOW);
	told(in_calls("missing"), "AT_FDCWD, \"missing\", NULL, NULL, AT_SYMLINK_FOLLOW");
	CALL(quotactl, (int)QCMD(Q_GETQUOTA, GRPQUOTA), P("missing"), 5, 0);
	told(in_calls("missing"), "QCMD(Q_GETQUOTA, GRPQUOTA), \"missing\", 5, NULL");
	/* Names are told with the identifier of a directory only. */
	CALL(fanotify_init, FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_REPORT_NAME, O_RDWR);
	told(NULL, "FAN_CLASS_CONTENT|FAN_CLOEXEC|FAN_REPORT_NAME, O_RDWR");
	CALL(fanotify_init, FAN_CLASS_NOTIF | FAN_REPORT_NAME, O_RDONLY);
	told(NULL, "FAN_CLASS_NOTIF|FAN_REPORT_NAME, O_RDONLY");
	CALL(fanotify_mark, 999, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN | FAN_CLOSE_WRITE,
		AT_FDCWD, P("plain"));
	told(in_calls("plain"),
		"999<?>, FAN_MARK_ADD|FAN_MARK_MOUNT, FAN_CLOSE_WRITE|FAN_OPEN, AT_FDCWD, "
		"\"plain\"");
}

static void processes(void)
{
	char word[] = "word", copy[8];
	struct iovec from = { word, 4 }, to = { copy, 4 };
	long self = CALL(getpid);

	told(NULL, "%s", "");
	CALL(getpriority, PRIO_USER, 0);
	told(NULL, "PRIO_USER, 0");
	CALL(setpriority, PRIO_PGRP, NOBODY, -5);
	told(NULL, "PRIO_PGRP, 999999999, -5");
	CALL(sched_setscheduler, NOBODY, SCHED_FIFO | 0x40000000, 0);
	told(NULL, "999999999, SCHED_FIFO|SCHED_RESET_ON_FORK, NULL");
	CALL(sched_get_priority_max, SCHED_RR);
	told(NULL, "SCHED_RR");
	CALL(ptrace, PTRACE_INTERRUPT, NOBODY, 0, 0);
	told(NULL, "PTRACE_INTERRUPT, 999999999, NULL, NULL");
	CALL(personality, 0xffffffff);
	told(NULL, "0xffffffff");
#ifdef SYS_arch_prctl
	CALL(arch_prctl, 0x1003, 1);
	told(NULL, "ARCH_GET_FS, 0x1");
#endif
	CALL(kcmp, self, self, KCMP_VM, 0, 0);
	told(NULL, "%ld, %ld, KCMP_VM, 0, 0", self, self);
	CALL(seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, 0);
	told(NULL, "SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, NULL");
	CALL(process_vm_writev, NOBODY, P(&from), 1, P(&to), 1, 0);
	told(NULL, "999999999, [4 \"word\"], 1, 0x%lx, 1, 0", P(&to));
	CALL(mbind, 0, 0, MPOL_BIND | MPOL_F_STATIC_NODES, 0, 0, MPOL_MF_STRICT);
	told(NULL, "NULL, 0, MPOL_BIND|MPOL_F_STATIC_NODES, NULL, 0, MPOL_MF_STRICT");
	CALL(set_mempolicy, MPOL_BIND | MPOL_F_RELATIVE_NODES, 0, 0);
	told(NULL, "MPOL_BIND|MPOL_F_RELATIVE_NODES, NULL, 0");
	CALL(futex_waitv, 0, 0, 0, 0, CLOCK_MONOTONIC);
	told(NULL, "NULL, 0, 0, NULL, CLOCK_MONOTONIC");
}

void calls_of_flags(void)
{
	mounts();
	files();
	processes();
}
