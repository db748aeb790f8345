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
/* A call that is allowed if its third argument has none of these bits. */
#define CALL_WITHOUT(name, bits)                                                                   \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), FILTER_LOAD(args[2]),               \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1), REFUSE, ALLOW

static const struct sock_filter filter[] = {
	FILTER_LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_MACHINE, 1, 0),
	REFUSE,
	FILTER_LOAD(nr), /* those of x32 have a bit that no row has */
	CALL(read),
	CALL(pread64),
	CALL(lseek),
	CALL(fstat),
	CALL(newfstatat), /* fstat() of glibc: the file is open, as paths have no files here */
	CALL(sendto),
	CALL(recvmsg),
	CALL(close),
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	CALL(futex),
	CALL(clock_gettime),
	CALL(getrandom),
	CALL(rt_sigreturn),
	CALL(exit),
	CALL(exit_group),
	CALL_WITHOUT(mmap, PROT_EXEC),
	CALL_WITHOUT(mprotect, PROT_EXEC),
	/* F_GETFD and F_GETFL: 1 and 3 */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 4),
	FILTER_LOAD(args[1]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETFD, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETFL, 0, 1),
	ALLOW,
	REFUSE,
};

bool parser_filter_install(void)
{
	const struct sock_fprog program = { ARRAY_SIZE(filter), (struct sock_filter *)filter };

	return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
