/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With prctl(PR_SET_TSC), or in strict seccomp, the kernel kills a program that reads the
 * time-stamp counter. This file wraps the functions by which a program requests that: from then on
 * calls get the time of sooth's last beat. A raw system call is missed.
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

static void note_prctl(long option, long a)
{
	/* A program without privilege has to call one of these before it can set a filter. */
	if (option == PR_SET_SECCOMP || option == PR_SET_NO_NEW_PRIVS)
		filter_is_near = true;
	if ((option == PR_SET_TSC && a != PR_TSC_ENABLE) ||
		(option == PR_SET_SECCOMP && a == SECCOMP_MODE_STRICT))
		turn_clock_off();
}

/* Makes the system call directly, while the real functions are still being looked up. */
static long call_directly(long number, long a, long b, long c, long d, long e, long f)
{
	long result = kernel_call(number, a, b, c, d, e, f);

	return result < 0 && result > -4096 ? -1 : result;
}

/* prctl() and syscall() end in jumps: a call may return twice (vfork(2)), or on another stack. */
int prctl(int option, long a, long b, long c, long d)
{
	note_prctl(option, a);
	if (UNLIKELY(!call_is_resolved() || !loader.prctl))
		return (int)call_directly(SYS_prctl, option, a, b, c, d, 0);
	return loader.prctl(option, a, b, c, d);
}

long syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (UNLIKELY(number == SYS_prctl))
		note_prctl(a, b);
	if (UNLIKELY(number == SYS_seccomp))
		filter_is_near = true;
	if (UNLIKELY(number == SYS_seccomp && a == SECCOMP_SET_MODE_STRICT))
		turn_clock_off();
	if (UNLIKELY(!call_is_resolved() || !loader.syscall))
		return call_directly(number, a, b, c, d, e, f);
	return loader.syscall(number, a, b, c, d, e, f);
}
