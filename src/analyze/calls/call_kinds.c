/* SPDX-License-Identifier: BSD-2-Clause */
/* See call_kinds.h. Numbers of errors are those of Linux, whatever this runs on. */
#include "analyze/calls/call_kinds.h"

#include <string.h>

#include "base/cleanup.h"
#include "model/errno_names.h"

static const struct {
	const char *name;
	uint16_t kinds;
} rows[] = {
	{ "stat", CALL_LOOKS },
	{ "lstat", CALL_LOOKS },
	{ "stat64", CALL_LOOKS },
	{ "lstat64", CALL_LOOKS },
	{ "newfstatat", CALL_LOOKS },
	{ "fstatat64", CALL_LOOKS },
	{ "statx", CALL_LOOKS },
	{ "access", CALL_LOOKS },
	{ "faccessat", CALL_LOOKS },
	{ "faccessat2", CALL_LOOKS },
	{ "readlink", CALL_LOOKS },
	{ "readlinkat", CALL_LOOKS },
	{ "statfs", CALL_LOOKS },
	{ "statfs64", CALL_LOOKS },
	{ "getxattr", CALL_LOOKS },
	{ "lgetxattr", CALL_LOOKS },
	{ "listxattr", CALL_LOOKS },
	{ "name_to_handle_at", CALL_LOOKS },
	{ "getdents", CALL_LOOKS },
	{ "getdents64", CALL_LOOKS },
	{ "open", CALL_LOOKS | CALL_OPENS },
	{ "openat", CALL_LOOKS | CALL_OPENS },
	{ "openat2", CALL_LOOKS | CALL_OPENS },
	{ "creat", CALL_OPENS },
	{ "close", CALL_CLOSES },
	{ "truncate", CALL_EMPTIES },
	{ "truncate64", CALL_EMPTIES },
	{ "ftruncate", CALL_EMPTIES },
	{ "ftruncate64", CALL_EMPTIES },
	{ "unlink", CALL_REMOVES },
	{ "unlinkat", CALL_REMOVES },
	{ "rename", CALL_RENAMES },
	{ "renameat", CALL_RENAMES },
	{ "renameat2", CALL_RENAMES },
	{ "lseek", CALL_SEEKS },
	{ "connect", CALL_CONNECTS | CALL_PATIENT },
	{ "getsockopt", CALL_ASKS_SOCKET },
	{ "poll", CALL_POLLS },
	{ "ppoll", CALL_POLLS },
	{ "ppoll_time64", CALL_POLLS },
	{ "select", CALL_POLLS },
	{ "_newselect", CALL_POLLS },
	{ "pselect6", CALL_POLLS },
	{ "pselect6_time64", CALL_POLLS },
	{ "epoll_wait", CALL_POLLS },
	{ "epoll_pwait", CALL_POLLS },
	{ "epoll_pwait2", CALL_POLLS },
	{ "nanosleep", CALL_SLEEPS },
	{ "clock_nanosleep", CALL_SLEEPS },
	{ "clock_nanosleep_time64", CALL_SLEEPS },
	{ "futex", CALL_FUTEX },
	{ "futex_time64", CALL_FUTEX },
	{ "sched_yield", CALL_YIELDS | CALL_PATIENT },
	{ "dup", CALL_MAKES },
	{ "dup2", CALL_MAKES },
	{ "dup3", CALL_MAKES },
	{ "socket", CALL_MAKES },
	{ "accept", CALL_MAKES },
	{ "accept4", CALL_MAKES },
	{ "memfd_create", CALL_MAKES },
	/* A child begins, or a lock is had; what a descriptor does that is no file. */
	{ "vfork", CALL_PATIENT },
	{ "clone", CALL_PATIENT },
	{ "clone3", CALL_PATIENT },
	{ "fcntl", CALL_PATIENT },
	{ "fcntl64", CALL_PATIENT },
	{ "ioctl", CALL_PATIENT },
	{ "ptrace", CALL_PATIENT },
	{ "membarrier", CALL_PATIENT },
	{ "msgsnd", CALL_PATIENT },
	{ "semtimedop_time64", CALL_PATIENT },
	{ "mq_timedsend", CALL_PATIENT },
	{ "sendmmsg", CALL_PATIENT },
	{ "recvmmsg", CALL_PATIENT },
	{ "recvmmsg_time64", CALL_PATIENT },
	{ "process_madvise", CALL_PATIENT },
	{ "getrandom", CALL_PATIENT },
	{ "rt_sigreturn", CALL_PATIENT },
	{ "futex_wake", CALL_PATIENT },
};

void call_kinds_init(struct call_kinds *k)
{
	*k = (struct call_kinds){ 0 };
	for (unsigned abi = 0; abi < SYSCALL_TABLE_ABIS; abi++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			int32_t number = syscall_number(abi, rows[i].name, strlen(rows[i].name));

			if (number >= 0 && number < CALL_TYPES_NUMBERS)
				k->of[abi][number] = rows[i].kinds;
		}
	}
}

unsigned call_kinds_of(const struct call_kinds *k, const struct syscalls_call *call)
{
	unsigned abi = call->abi == SYSCALL_ABI_X32 ? SYSCALL_ABI_X86_64 : call->abi;
	uint32_t number = call->number & ~SYSCALL_X32_BIT;

	return abi < SYSCALL_TABLE_ABIS && number < CALL_TYPES_NUMBERS ? k->of[abi][number] : 0;
}

/* --- errors --- */

static bool is_any_answer(unsigned error)
{
	return error == LINUX_EINTR || error == LINUX_EAGAIN || error == LINUX_ETIMEDOUT ||
	       error == LINUX_EALREADY || error == LINUX_EINPROGRESS ||
	       (error >= LINUX_ERESTARTSYS && error <= LINUX_ERESTARTSYS + 4);
}

/* By the beginning of its name. */
static const struct {
	const char *name;
	uint16_t error;
} answers[] = {
	{ "ioctl", 25 },	    /* ENOTTY: is it a terminal? */
	{ "ioctl", 22 },	    /* EINVAL, of some devices */
	{ "lseek", 29 },	    /* ESPIPE: can it be sought? */
	{ "_llseek", 29 },	    /* the same */
	{ "mkdir", 17 },	    /* EEXIST: make it if it is not there */
	{ "link", 17 },		    /* as a lock */
	{ "symlink", 17 },	    /* the same */
	{ "open", 17 },		    /* O_EXCL, as a lock or for a name of its own */
	{ "epoll_ctl", 17 },	    /* EEXIST: then it is changed */
	{ "epoll_ctl", 2 },	    /* ENOENT: then it is added, or was closed */
	{ "epoll_ctl", 1 },	    /* EPERM: of a file, which is always ready */
	{ "wait", 10 },		    /* ECHILD: no child is left */
	{ "kill", 3 },		    /* ESRCH: is it there? */
	{ "tgkill", 3 },	    /* the same */
	{ "kill", 1 },		    /* EPERM: it is, and another user's */
	{ "getxattr", 61 },	    /* ENODATA: it has none */
	{ "lgetxattr", 61 },	    /* the same */
	{ "fgetxattr", 61 },	    /* the same */
	{ "getxattr", 95 },	    /* EOPNOTSUPP */
	{ "lgetxattr", 95 },	    /* the same */
	{ "readlink", 22 },	    /* EINVAL: it is no link */
	{ "getpeername", 107 },	    /* ENOTCONN: is it connected? */
	{ "shutdown", 107 },	    /* the peer was first */
	{ "close", 9 },		    /* EBADF: all numbers are closed, open or not */
	{ "fcntl", 9 },		    /* is it open? */
	{ "rmdir", 39 },	    /* ENOTEMPTY: remove it if it is empty */
	{ "futex", 1 },		    /* EPERM, of robust ones */
	{ "inotify_rm_watch", 22 }, /* it went with its file */
	{ "inotify_add_watch", 2 }, /* what is to come is waited for */
	{ "prctl", 22 },	    /* does this kernel know it? */
	{ "madvise", 22 },	    /* the same */
	{ "restart_syscall", 4 },
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

bool call_error_is_answer(const struct syscall_row *row, unsigned error)
{
	/* Which peer does not answer is told of connections. */
	if (is_any_answer(error) || !strcmp(row->name, "connect"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		if (answers[i].error == error && begins(row->name, answers[i].name))
			return true;
	}
	return false;
}

bool call_error_is_grave(unsigned error)
{
	/* EIO, ENOMEM, ENFILE, EMFILE, ENOSPC, EROFS, ESTALE, EDQUOT */
	static const uint8_t grave[] = { 5, 12, 23, 24, 28, 30, 116, 122 };

	for (size_t i = 0; i < ARRAY_SIZE(grave); i++) {
		if (grave[i] == error)
			return true;
	}
	return false;
}
