/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/rights/parser_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/rights/filter_code.h"

#define REFUSE FILTER_RETURN(SECCOMP_RET_ERRNO | EPERM)
#define ALLOW  FILTER_RETURN(SECCOMP_RET_ALLOW)

/* A call that is allowed. */
#define CALL(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), ALLOW
/* A call that is allowed if its argument of this number has none of these bits. */
#define CALL_WITHOUT(name, number, bits)                                                           \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), FILTER_LOAD(args[number]),          \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1), REFUSE, ALLOW

/* The numbers of x32 have a bit that no row has. */
#define BEGIN                                                                                      \
	FILTER_LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_MACHINE, 1, 0), REFUSE,      \
		FILTER_LOAD(nr)

/* Calls that read open files, get memory that is not code, answer and end. newfstatat() is fstat()
 * of glibc. */
#define CALLS_OF_OPEN_FILES                                                                        \
	CALL(read), CALL(pread64), CALL(lseek), CALL(fstat), CALL(newfstatat), CALL(sendto),       \
		CALL(recvmsg), CALL(close), CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise),  \
		CALL(futex), CALL(clock_gettime), CALL(getrandom), CALL(rt_sigreturn), CALL(exit), \
		CALL(exit_group), CALL_WITHOUT(mmap, 2, PROT_EXEC),                                \
		CALL_WITHOUT(mprotect, 2, PROT_EXEC)

static const struct sock_filter of_open_files[] = {
	BEGIN,
	CALLS_OF_OPEN_FILES,
	/* F_GETFD and F_GETFL: 1 and 3 */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 4),
	FILTER_LOAD(args[1]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETFD, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETFL, 0, 1),
	ALLOW,
	REFUSE,
};

#define WRITING (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)

/* openat2() has its flags in memory, where no filter sees them. SQLite locks by fcntl(). */
static const struct sock_filter of_owners[] = {
	BEGIN,
	CALLS_OF_OPEN_FILES,
	CALL_WITHOUT(openat, 2, WRITING),
	CALL(openat2),
	CALL(getdents64),
	CALL(readlinkat),
	CALL(statx),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(getcwd),
	CALL(getpid),
	CALL(getuid),
	CALL(geteuid),
#ifdef SYS_open
	CALL_WITHOUT(open, 1, WRITING),
	CALL(stat),
	CALL(lstat),
	CALL(readlink),
	CALL(access),
#endif
	/* Not F_SETOWN and F_SETFL: signals for a descriptor end any process of the user. */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 8),
	FILTER_LOAD(args[1]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETFD, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETFD, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETFL, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETLK, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETLK, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_DUPFD_CLOEXEC, 0, 1),
	ALLOW,
	REFUSE,
};

bool parser_filter_install(bool opens_files)
{
	struct sock_fprog program = { ARRAY_SIZE(of_open_files),
		(struct sock_filter *)of_open_files };

	if (opens_files)
		program = (struct sock_fprog){ ARRAY_SIZE(of_owners),
			(struct sock_filter *)of_owners };
	return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
