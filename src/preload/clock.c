/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program may make the time-stamp counter a reason to be ended: by prctl(PR_SET_TSC), and in
 * strict seccomp. It says so to the kernel by these functions; then its calls get the time of
 * sooth's last beat. A call of the kernel by an instruction of the program's own is not seen.
 */
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "preload/call.h"
#include "preload/kernel_calls.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int prctl(int option, long a, long b, long c, long d);
EXPORT long syscall(long number, long a, long b, long c, long d, long e, long f);

static void turn_clock_off(void)
{
	clock_is_off = true;
	if (self.slot)
		atomic_store(&self.slot->is_coarse, 1);
}

static void look_at_prctl(long option, long a)
{
	/* Without privilege that comes before a filter. */
	if (option == PR_SET_SECCOMP || option == PR_SET_NO_NEW_PRIVS)
		filter_is_near = true;
	if ((option == PR_SET_TSC && a != PR_TSC_ENABLE) ||
		(option == PR_SET_SECCOMP && a == SECCOMP_MODE_STRICT))
		turn_clock_off();
}

/* In the midst of the search for the real ones. */
static long call_directly(long number, long a, long b, long c, long d, long e, long f)
{
	long result = kernel_call(number, a, b, c, d, e, f);

	return result < 0 && result > -4096 ? -1 : result;
}

/* Both end in jumps: a call of the kernel may return twice (vfork(2)), or on another stack. */
int prctl(int option, long a, long b, long c, long d)
{
	look_at_prctl(option, a);
	if (UNLIKELY(!call_is_resolved() || !loader.prctl))
		return (int)call_directly(SYS_prctl, option, a, b, c, d, 0);
	return loader.prctl(option, a, b, c, d);
}

long syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (UNLIKELY(number == SYS_prctl))
		look_at_prctl(a, b);
	if (UNLIKELY(number == SYS_seccomp))
		filter_is_near = true;
	if (UNLIKELY(number == SYS_seccomp && a == SECCOMP_SET_MODE_STRICT))
		turn_clock_off();
	if (UNLIKELY(!call_is_resolved() || !loader.syscall))
		return call_directly(number, a, b, c, d, e, f);
	return loader.syscall(number, a, b, c, d, e, f);
}
