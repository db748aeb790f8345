/* SPDX-License-Identifier: BSD-2-Clause */
/* Where this kernel has the opcode of a submission to io_uring. */
#ifndef SOOTH_OS_LINUX_SYSCALLS_URING_H
#define SOOTH_OS_LINUX_SYSCALLS_URING_H

#include <stdint.h>

/*
 * In the tracepoint io_uring_submit_sqe: the argument that is the opcode; 0: the first argument is
 * the request, which contains it. Decided by the kernel's types and not by its release: 5.10.162
 * and others backported io_uring from later kernels.
 */
uint32_t syscalls_uring_argument(void);

#endif
