/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The allocations added up in the kernel, by stack. */
#define WITH_STACKS
#define WITH_SUMS
#include "bpf/heap.bpf.c"
