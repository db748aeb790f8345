/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live set from sums made in the kernel: by stack and size class, and per process. Such records
 * come from time to time, so when the last one arrives the process may have ended, or run another
 * program.
 */
#ifndef SOOTH_ANALYZE_HEAP_HELD_H
#define SOOTH_ANALYZE_HEAP_HELD_H

#include "analyze/heap/heap_live.h"

void heap_held_add_sum(struct heap_live *l, const struct heap_sum *s);
void heap_held_add(struct heap_live *l, const struct heap_held *h);

#endif
