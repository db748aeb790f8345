/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of system call numbers of this machine's kernel. */
#pragma once

#include "probes/syscall_names.h"

#if defined(__x86_64__)
#define ABI_64 SYSCALL_ABI_X86_64
#define ABI_32 SYSCALL_ABI_I386
#else
#define ABI_64 SYSCALL_ABI_AARCH64
#define ABI_32 SYSCALL_ABI_ARM
#endif

/* For a selection by name: there is no table of 32-bit Arm. */
#define ABI_32_KNOWN SYSCALL_ABI_I386
