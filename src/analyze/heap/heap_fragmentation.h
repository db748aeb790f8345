/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that an allocator has from the kernel and the program does not use: how much, where it is,
 * and what returns it. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "probes/malloc.h"

/* Returns the resident bytes that are in no live block. */
uint64_t heap_free_bytes(const struct malloc_heap *h);
/* Returns their share of the resident bytes, in percent: at least that, if a part was not read. */
double heap_free_percent(const struct malloc_heap *h);
/* Returns whether so little was left unread that the heap is not fragmented if its sums are not. */
bool heap_is_mostly_read(const struct malloc_heap *h);
/* Appends what returns the free memory to the system, or keeps it smaller. */
void heap_put_remedy(const struct malloc_heap *h, struct buffer *out);
