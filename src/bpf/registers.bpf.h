/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the user registers of a thread, wherever it was interrupted: at the end of its kernel
 * stack. */
#pragma once

#include "bpf/types.bpf.h"

#define KERNEL_STACK_BYTES (16u << 10) /* of kernels before 5.15, unless built for debugging */

/* Finds the registers on kernels before 5.15, where no function returns them. */
static inline struct pt_regs *registers_on_stack(struct task_struct *task)
{
	return (void *)((uint64_t)BPF_CORE_READ(task, stack) + KERNEL_STACK_BYTES -
			bpf_core_type_size(struct pt_regs));
}

/* Returns the registers of a thread that does not run. */
static inline struct pt_regs *registers_of(struct task_struct *task)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (void *)bpf_task_pt_regs(task);
	return registers_on_stack(task);
}

/* Returns the registers of the current thread. */
static inline struct pt_regs *user_registers(struct task_struct *task)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return registers_on_stack(task);
}

#if defined(__TARGET_ARCH_x86)
#define USER_CODE	     0x33 /* the selector of 64-bit code */
#define REGISTER_PC(regs)    BPF_CORE_READ(regs, ip)
#define REGISTER_SP(regs)    BPF_CORE_READ(regs, sp)
#define REGISTER_FP(regs)    BPF_CORE_READ(regs, bp)
#define REGISTER_LINK(regs)  0
#define REGISTER_CALL(regs)  BPF_CORE_READ(regs, orig_ax)
#define HAS_LINK	     0
#define THREAD_POINTER(task) BPF_CORE_READ(task, thread.fsbase)

static inline bool is_64_bit(struct pt_regs *regs)
{
	return (BPF_CORE_READ(regs, cs) & 0xffff) == USER_CODE;
}
#else
#define STATE_32_BIT	     0x10
#define REGISTER_PC(regs)    BPF_CORE_READ(regs, pc)
#define REGISTER_SP(regs)    BPF_CORE_READ(regs, sp)
#define REGISTER_FP(regs)    BPF_CORE_READ(regs, regs[29])
#define REGISTER_LINK(regs)  BPF_CORE_READ(regs, regs[30])
#define REGISTER_CALL(regs)  BPF_CORE_READ(regs, syscallno)
#define HAS_LINK	     1
#define THREAD_POINTER(task) 0 /* not supported */

static inline bool is_64_bit(struct pt_regs *regs)
{
	return !(BPF_CORE_READ(regs, pstate) & STATE_32_BIT);
}
#endif

#define PF_EXITING 0x00000004

/* Returns whether the thread itself acts, in a system call, and not an interrupt: an interrupt in a
 * system call has its own stack, an interrupt in user space is outside a call. The kernel's network
 * work also runs like an interrupt: then the sender is unknown. A thread that ends wakes its parent
 * when it no longer has memory. */
static inline bool is_in_call(struct task_struct *task)
{
	uint64_t begin = (uint64_t)BPF_CORE_READ(task, stack), here = 0;
	void *at = &begin;

	bpf_probe_read_kernel(&here, sizeof(here), &at);
	if (here - begin >= KERNEL_STACK_BYTES)
		return false;
	return BPF_CORE_READ(task, flags) & PF_EXITING ||
	       (BPF_CORE_READ(task, mm) && (long)REGISTER_CALL(user_registers(task)) >= 0);
}
