/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that a seccomp filter answers with EPERM, as in a sandbox: the kernel then skips the
 * entry of the call for whoever traces it. The calls allowed beside them are counted as well.
 */
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static uint64_t call_count = 100;

static int refuse(long number)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -EOPNOTSUPP;
	return 0;
}

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	int err = workload_ready(w);

	if (!err)
		err = truth_begin(&truth);
	if (!err)
		err = refuse(SYS_getppid);
	if (err)
		return err;
	for (uint64_t i = 0; i < call_count; i++) {
		if (syscall(SYS_getppid) != -1 || syscall(SYS_getpgid, -1) != -1)
			return -EIO;
	}
	fprintf(truth.out, "getppid %" PRIu64 " %" PRIu64 "\n", call_count, call_count);
	fprintf(truth.out, "getpgid %" PRIu64 " %" PRIu64 "\n", call_count, call_count);
	return truth_commit(&truth, w);
}

static const struct param params[] = {
	{ "count", "N", "how often (100)", PARAM_NUMBER, &call_count, 0, 1000000000 },
	{ 0 },
};

const struct scenario scenario_refused = {
	.name = "refused",
	.help = "getppid answered by a seccomp filter",
	.params = params,
	.run = run,
};
