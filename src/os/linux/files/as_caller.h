/* SPDX-License-Identifier: BSD-2-Clause */
/* Capabilities of sooth's file are lent to its caller, for BPF and perf events only. The kernel
 * also lets cap_perfmon read the mappings of every process (mm_access() in kernel/fork.c), and may
 * let it read more one day. */
#pragma once

#include <stdbool.h>

/* Returns whether sooth has more privileges than its caller. */
bool caller_is_elevated(void);
/* Does openat(2) with the caller's own rights: the lent capabilities are not in effect
 * meanwhile. */
int open_as_caller(int folder, const char *name, int flags);
