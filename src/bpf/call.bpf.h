/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A function call in user space: its registers at the entry and after the return. */
#pragma once

#include "bpf/types.bpf.h"

#if defined(__TARGET_ARCH_x86)

#define CALL_ADDRESS(regs)    ((uint64_t)(regs)->ip)
#define CALL_STACK(regs)      ((uint64_t)(regs)->sp)
#define CALL_RESULT(regs)     ((uint64_t)(regs)->ax)
#define CALL_ARGUMENT_1(regs) ((uint64_t)(regs)->di)
#define CALL_ARGUMENT_2(regs) ((uint64_t)(regs)->si)
#define CALL_ARGUMENT_3(regs) ((uint64_t)(regs)->dx)
#define CALL_ARGUMENT_4(regs) ((uint64_t)(regs)->cx)
#define CALL_ARGUMENT_5(regs) ((uint64_t)(regs)->r8)
#define RETURN_ADDRESS_BYTES  8 /* bytes on the stack at the entry, which the return removes */

/* Valid only while the stack pointer is unchanged since the entry. */
#define CALL_RETURN_ADDRESS(regs) stack_word(CALL_STACK(regs))

static inline uint64_t stack_word(uint64_t at)
{
	uint64_t word = 0;

	bpf_probe_read_user(&word, sizeof(word), (const void *)(unsigned long)at);
	return word;
}

#elif defined(__TARGET_ARCH_arm64)

#define CALL_ADDRESS(context)	 ((context)->pc)
#define CALL_STACK(context)	 ((context)->sp)
#define CALL_RESULT(context)	 ((context)->regs[0])
#define CALL_ARGUMENT_1(context) ((context)->regs[0])
#define CALL_ARGUMENT_2(context) ((context)->regs[1])
#define CALL_ARGUMENT_3(context) ((context)->regs[2])
#define CALL_ARGUMENT_4(context) ((context)->regs[3])
#define CALL_ARGUMENT_5(context) ((context)->regs[4])
#define RETURN_ADDRESS_BYTES	 0

#define CALL_RETURN_ADDRESS(context) ((context)->regs[30])

#else
#error "the programs on user functions know x86-64 and aarch64"
#endif
