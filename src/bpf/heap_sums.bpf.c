/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* heap.bpf.c with sums by stack in the kernel. */
#define WITH_STACKS
#define WITH_SUMS
#include "bpf/heap.bpf.c"
