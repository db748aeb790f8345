/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The allocations with their stacks. */
#define WITH_STACKS
#include "bpf/heap.bpf.c"
