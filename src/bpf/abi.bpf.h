/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds the ABI of a system call, and its arguments. The values are those of enum syscall_abi; a
 * test keeps both sides the same.
 */
#pragma once

#define ABI_X86_64  0
#define ABI_AARCH64 1
#define ABI_I386    2
#define ABI_X32	    3
#define ABI_ARM	    4

#define NR_CLONE3 435 /* the same in each of them */

#if defined(__TARGET_ARCH_x86)

#define ABI_NATIVE	   ABI_X86_64
#define NR_EXECVE	   59
#define NR_EXECVEAT	   322
#define NR_EXIT		   60
#define NR_EXIT_GROUP	   231
#define NR_RT_SIGRETURN	   15
#define NR_I386_EXIT	   1
#define NR_I386_EXIT_GROUP 252

#define X32_BIT	  0x40000000L
#define TS_COMPAT 0x0002 /* arch/x86/include/asm/thread_info.h: the thread is in a 32-bit entry */

/* Returns the number of the call that is returning. */
static inline long abi_number(struct pt_regs *regs)
{
	return (long)regs->orig_ax;
}

static inline uint32_t abi_of(struct task_struct *task, long *number)
{
	if (TASK_READ(task, thread_info.status) & TS_COMPAT)
		return ABI_I386;
	/* A tracer sets -1 to skip a call, which has every bit set. */
	if (*number > 0 && *number & X32_BIT) {
		*number &= ~X32_BIT;
		return ABI_X32;
	}
	return ABI_X86_64;
}

/* Returns whether a call ends the thread and never returns. */
static inline bool abi_is_last(uint32_t abi, uint32_t number)
{
	if (abi == ABI_I386)
		return number == NR_I386_EXIT || number == NR_I386_EXIT_GROUP;
	return number == NR_EXIT || number == NR_EXIT_GROUP; /* the same in x32 */
}

/* Returns whether a call creates a thread or process, which then returns 0 from it too. */
static inline bool abi_is_fork(uint32_t abi, uint32_t number)
{
	if (abi == ABI_I386) /* fork, clone, vfork */
		return number == 2 || number == 120 || number == 190 || number == NR_CLONE3;
	return (number >= 56 && number <= 58) || number == NR_CLONE3; /* clone, fork, vfork */
}

static inline void abi_arguments(struct pt_regs *regs, uint32_t abi, uint64_t *arguments)
{
	if (abi == ABI_I386) {
		arguments[0] = (uint32_t)regs->bx;
		arguments[1] = (uint32_t)regs->cx;
		arguments[2] = (uint32_t)regs->dx;
		arguments[3] = (uint32_t)regs->si;
		arguments[4] = (uint32_t)regs->di;
		arguments[5] = (uint32_t)regs->bp;
		return;
	}
	arguments[0] = regs->di;
	arguments[1] = regs->si;
	arguments[2] = regs->dx;
	arguments[3] = regs->r10;
	arguments[4] = regs->r8;
	arguments[5] = regs->r9;
}

#elif defined(__TARGET_ARCH_arm64)

#define ABI_NATIVE	ABI_AARCH64
#define NR_EXECVE	221
#define NR_EXECVEAT	281
#define NR_EXIT		93
#define NR_EXIT_GROUP	94
#define NR_RT_SIGRETURN 139

#define TIF_32BIT (1UL << 22) /* arch/arm64/include/asm/thread_info.h */

static inline long abi_number(struct pt_regs *regs)
{
	return regs->syscallno;
}

static inline uint32_t abi_of(struct task_struct *task, long *number)
{
	return TASK_READ(task, thread_info.flags) & TIF_32BIT ? ABI_ARM : ABI_AARCH64;
}

#define NR_ARM_EXIT	  1
#define NR_ARM_EXIT_GROUP 248

static inline bool abi_is_last(uint32_t abi, uint32_t number)
{
	if (abi == ABI_ARM)
		return number == NR_ARM_EXIT || number == NR_ARM_EXIT_GROUP;
	return number == NR_EXIT || number == NR_EXIT_GROUP;
}

static inline bool abi_is_fork(uint32_t abi, uint32_t number)
{
	if (abi == ABI_ARM) /* fork, clone, vfork */
		return number == 2 || number == 120 || number == 190 || number == NR_CLONE3;
	return number == 220 || number == NR_CLONE3; /* clone */
}

static inline void abi_arguments(struct pt_regs *regs, uint32_t abi, uint64_t *arguments)
{
	arguments[0] = regs->orig_x0;
	for (int i = 1; i < 6; i++)
		arguments[i] = regs->regs[i];
}

#else
#error "the system call programs know x86-64 and aarch64"
#endif
