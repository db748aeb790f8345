/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * getppid by its x32 number, 0x40000000 | 110, from an ordinary 64-bit process: the number must
 * not be used as an index, and must not be taken for number 110.
 *
 * Seen on Linux 6.18 without CONFIG_X86_X32_ABI: every call returns -ENOSYS and still enters
 * raw_syscalls:sys_enter and sys_exit, with 1073741934 as its number; syscalls:sys_enter_getppid
 * does not fire. strace calls it getppid.
 */
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/syscall.h>

static uint64_t call_count = 100;

#if defined(__x86_64__) && defined(__LP64__)

#define X32_BIT 0x40000000L

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	uint64_t errors = 0;
	int err = workload_ready(w);

	if (!err)
		err = truth_begin(&truth);
	if (err)
		return err;
	for (uint64_t i = 0; i < call_count; i++)
		if (syscall(X32_BIT | SYS_getppid) < 0)
			errors++;
	fprintf(truth.out, "x32:getppid %" PRIu64 " %" PRIu64 "\n", call_count, errors);
	return truth_commit(&truth, w);
}

#else

static int run(const struct workload *w)
{
	(void)w;
	return -EOPNOTSUPP;
}

#endif

static const struct param params[] = {
	{ "count", "N", "how often (100)", PARAM_NUMBER, &call_count, 0, 1000000000 },
	{ 0 },
};

const struct scenario scenario_x32 = {
	.name = "x32",
	.help = "getppid by its x32 number",
	.params = params,
	.run = run,
};
