/* SPDX-License-Identifier: BSD-2-Clause */
/* syscalls by dtrace(1), with the table of calls and the errors of this system. */
#include "os/bsd/errno_numbers.h"
#include "os/bsd/syscalls_dtrace.h"

static int open_calls(struct backend_run *run, struct sooth_error *err)
{
	return syscalls_dtrace_open(run, SYSCALL_ABI_DARWIN, darwin_errno, err);
}

const struct backend backend_syscalls_dtrace_darwin = SYSCALLS_DTRACE_BACKEND(open_calls);
