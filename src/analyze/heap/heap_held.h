/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live set as the kernel side adds it up: sums by stack and size class, and what a process
 * holds. They come from time to time, so a process may have left, or run another program, when
 * the last of them arrive.
 */
#ifndef SOOTH_ANALYZE_HEAP_HELD_H
#define SOOTH_ANALYZE_HEAP_HELD_H

#include "analyze/heap/heap_live.h"

void heap_held_take_sum(struct heap_live *l, const struct heap_sum *s);
void heap_held_add(struct heap_live *l, const struct heap_held *h);

#endif
