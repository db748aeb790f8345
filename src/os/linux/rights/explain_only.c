/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/rights/explain_only.h"

#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/capabilities.h"
#include "os/linux/rights/filter_code.h"
#include "os/linux/rights/forbid_writing.h"

#define REFUSED(name)                                                                              \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),                                     \
		FILTER_RETURN(SECCOMP_RET_ERRNO | EPERM)

/* Also io_uring, which makes calls that no filter sees, and every call of another machine. */
static const struct sock_filter filter[] = {
	FILTER_LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_MACHINE, 1, 0),
	FILTER_RETURN(SECCOMP_RET_ERRNO | EPERM),
	FILTER_LOAD(nr),
#if defined(__x86_64__)
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), /* x32 */
	FILTER_RETURN(SECCOMP_RET_ERRNO | EPERM),
#endif
	REFUSED(socket),
	REFUSED(ptrace),
	REFUSED(process_vm_readv),
	REFUSED(process_vm_writev),
	REFUSED(pidfd_open),
	REFUSED(pidfd_getfd),
	REFUSED(pidfd_send_signal),
	REFUSED(io_uring_setup),
	REFUSED(bpf),
	REFUSED(perf_event_open),
	REFUSED(userfaultfd),
	REFUSED(unshare),
	REFUSED(setns),
	REFUSED(keyctl),
	REFUSED(add_key),
	REFUSED(request_key),
	FILTER_RETURN(SECCOMP_RET_ALLOW),
};

static void keep_rights_of_files(void)
{
	const uint32_t files = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE |
			       1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER | 1u << CAP_SETUID |
			       1u << CAP_SETGID;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct kept[2];

	if (syscall(SYS_capget, &header, kept))
		return;
	kept[0].effective &= files;
	kept[0].permitted &= files;
	kept[0].inheritable = 0;
	kept[1] = (struct __user_cap_data_struct){ 0 };
	syscall(SYS_capset, &header, kept);
}

void explain_only(const struct os *os, const char *const *folders, size_t count)
{
	const struct sock_fprog program = { ARRAY_SIZE(filter), (struct sock_filter *)filter };

	if (caller_is_elevated())
		caller_drop_all(os);
	if (geteuid())
		return;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	forbid_writing(folders, count);
	keep_rights_of_files();
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
