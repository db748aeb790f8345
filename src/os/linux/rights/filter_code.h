/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of seccomp filters: instructions, and the machine whose calls a filter knows. */
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#if defined(__x86_64__)
#define FILTER_MACHINE AUDIT_ARCH_X86_64
#else
#define FILTER_MACHINE AUDIT_ARCH_AARCH64
#endif

#define FILTER_LOAD(field)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define FILTER_RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
