/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/rights/explain_only.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/capabilities.h"
#include "os/linux/rights/filter_code.h"
#include "os/linux/rights/forbid_writing.h"
#include "os/linux/rights/parser_process.h"

#define REFUSE	    FILTER_RETURN(SECCOMP_RET_ERRNO | EPERM)
#define ALLOW	    FILTER_RETURN(SECCOMP_RET_ALLOW)
#define EQUALS(n)   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1)
#define HAS_BITS(b) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, b, 0, 1)
/* Skips the `length` instructions of a call with arguments unless it is this call. */
#define UNLESS(name, length) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, length)
#define CALL(name)	     EQUALS(SYS_##name), REFUSE
/* To the C library the kernel is an old one: its other call has flags that a filter sees. */
#define UNKNOWN(name) EQUALS(SYS_##name), FILTER_RETURN(SECCOMP_RET_ERRNO | ENOSYS)

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)
#define PRIVILEGED (S_ISUID | S_ISGID)

/* linux/fs.h: flags of files, as chattr(1) sets them */
#define SET_FLAGS  0x40086602
#define SET_XFLAGS 0x401c5820

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* Also io_uring, which makes calls that no filter sees, and every call of another machine. */
static const struct sock_filter filter[] = {
	FILTER_LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_MACHINE, 1, 0),
	REFUSE,
	FILTER_LOAD(nr),
#if defined(__x86_64__)
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), /* x32 */
	REFUSE,
	UNLESS(open, 4),
	FILTER_LOAD(args[2]),
	HAS_BITS(PRIVILEGED),
	REFUSE,
	ALLOW,
	CALL(creat),
	CALL(chmod),
	CALL(chown),
	CALL(lchown),
	CALL(mknod),
#endif
	UNLESS(openat, 4),
	FILTER_LOAD(args[3]),
	HAS_BITS(PRIVILEGED),
	REFUSE,
	ALLOW,
	UNLESS(clone, 4),
	FILTER_LOAD(args[0]),
	HAS_BITS(NAMESPACES),
	REFUSE,
	ALLOW,
	/* Typing into a terminal, and flags of files */
	UNLESS(ioctl, 10),
	FILTER_LOAD(args[1]),
	EQUALS(TIOCSTI),
	REFUSE,
	EQUALS(TIOCLINUX),
	REFUSE,
	EQUALS(SET_FLAGS),
	REFUSE,
	EQUALS(SET_XFLAGS),
	REFUSE,
	ALLOW,
	/* Limits of other processes: the one of the CPU time ends them. */
	UNLESS(prlimit64, 4),
	FILTER_LOAD(args[0]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
	REFUSE,
	ALLOW,
	UNKNOWN(clone3),
	UNKNOWN(openat2),
	/* Other processes, and the kernel */
	CALL(socket),
	CALL(socketpair),
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(pidfd_open),
	CALL(pidfd_getfd),
	CALL(pidfd_send_signal),
	CALL(setpriority),
	CALL(sched_setaffinity),
	CALL(sched_setattr),
	CALL(sched_setparam),
	CALL(sched_setscheduler),
	CALL(ioprio_set),
	CALL(shmget),
	CALL(shmat),
	CALL(shmctl),
	CALL(semget),
	CALL(semctl),
	CALL(msgget),
	CALL(msgsnd),
	CALL(msgctl),
	CALL(mq_open),
	CALL(io_uring_setup),
	CALL(bpf),
	CALL(perf_event_open),
	CALL(userfaultfd),
	CALL(keyctl),
	CALL(add_key),
	CALL(request_key),
	/* Namespaces and mounts, by which a file of another place could be reached */
	CALL(unshare),
	CALL(setns),
	CALL(chroot),
	CALL(pivot_root),
	CALL(mount),
	CALL(umount2),
	CALL(open_tree),
	CALL(move_mount),
	CALL(fsopen),
	CALL(fspick),
	CALL(fsmount),
	CALL(mount_setattr),
	CALL(open_by_handle_at),
	CALL(name_to_handle_at),
	/* Owners, modes and times of files, and files that are devices */
	CALL(fchmod),
	CALL(fchmodat),
	CALL(fchmodat2),
	CALL(fchown),
	CALL(fchownat),
	CALL(setxattr),
	CALL(lsetxattr),
	CALL(fsetxattr),
	CALL(removexattr),
	CALL(lremovexattr),
	CALL(fremovexattr),
	CALL(utimensat),
	CALL(mknodat),
	ALLOW,
};

static void install_filter(const struct sock_filter *rows, size_t count)
{
	const struct sock_fprog program = { (unsigned short)count, (struct sock_filter *)rows };

	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

/* Signals only to the pager, and to itself, as abort() does. */
static void refuse_signals(pid_t pager)
{
	const struct sock_filter signals[] = {
		FILTER_LOAD(nr),
		UNLESS(tgkill, 4),
		FILTER_LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0),
		REFUSE,
		ALLOW,
		UNLESS(kill, 4),
		FILTER_LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(pager ? pager : getpid()), 1, 0),
		REFUSE,
		ALLOW,
		CALL(tkill),
		CALL(rt_sigqueueinfo),
		CALL(rt_tgsigqueueinfo),
		ALLOW,
	};

	install_filter(signals, ARRAY_SIZE(signals));
}

void explain_only(const struct os *os, const struct explain_only *what)
{
	parser_process_end();
	if (geteuid()) {
		caller_drop_all(os);
		return;
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	forbid_writing(what->places, what->count);
	caller_keep_capabilities(1u << CAP_DAC_OVERRIDE | 1u << CAP_KILL |
				 (what->is_sudo ? 1u << CAP_SETUID | 1u << CAP_SETGID : 0));
	refuse_signals(what->pager);
	install_filter(filter, ARRAY_SIZE(filter));
}
