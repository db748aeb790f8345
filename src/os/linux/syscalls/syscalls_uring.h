/* SPDX-License-Identifier: BSD-2-Clause */
/* How this kernel tells what a submission to io_uring asks for. */
#ifndef SOOTH_OS_LINUX_SYSCALLS_URING_H
#define SOOTH_OS_LINUX_SYSCALLS_URING_H

#include <stdint.h>

/*
 * Of the tracepoint io_uring_submit_sqe: which argument is the opcode; 0: the first is the request,
 * which has it. By the kernel's types and not by its release: 5.10.162 and others took io_uring
 * from later ones.
 */
uint32_t syscalls_uring_argument(void);

#endif
