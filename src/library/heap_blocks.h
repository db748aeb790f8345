/* SPDX-License-Identifier: BSD-2-Clause */
/* The blocks that are live, by the calls of a stream; and a table of them. */
#ifndef SOOTH_LIBRARY_HEAP_BLOCKS_H
#define SOOTH_LIBRARY_HEAP_BLOCKS_H

#include <sooth/heap.h>

#include "probes/heap.h"

struct heap_blocks;

/* NULL: no memory. */
struct heap_blocks *heap_blocks_new(void);
void heap_blocks_free(struct heap_blocks *b);
/* The names in the event are borrowed until the end. */
void heap_blocks_take(
	struct heap_blocks *b, const struct heap_call *call, const struct sooth_heap_event *event);
/* An exec or the end of a process: all that it had is gone. */
void heap_blocks_forget(struct heap_blocks *b, const struct sooth_record *record);
/* Rows by function and phase, most bytes first; NULL: it failed. */
struct sooth_table *heap_blocks_table(const struct heap_blocks *b, struct sooth_error *err);

#endif
