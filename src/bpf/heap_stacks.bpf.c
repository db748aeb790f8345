/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* heap.bpf.c with the stacks of allocations. */
#define WITH_STACKS
#include "bpf/heap.bpf.c"
