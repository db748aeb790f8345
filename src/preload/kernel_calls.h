/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls without the C library: they do not change errno, and take no lock. They return the
 * result of the kernel: a negative errno on failure. */
#pragma once

#include <stdint.h>
#include <sys/syscall.h>

static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#endif
}

/* struct timespec, as the kernel has it. */
struct kernel_time {
	int64_t s, ns;
};

#define KERNEL(name_, a_, b_, c_, d_, e_, f_)                                                      \
	kernel_call(SYS_##name_, (long)(a_), (long)(b_), (long)(c_), (long)(d_), (long)(e_),       \
		(long)(f_))
