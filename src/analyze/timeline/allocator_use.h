/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of an allocator's memory that is in live blocks. The rest is fragmentation, or kept for
 * later allocations. */
#pragma once

#include "analyze/timeline/timeline_tracker.h"
#include "explain/output.h"

extern const struct sooth_schema allocator_use_schema;

/* Emits a row for each process with both values at its end; `values`: room for a track.
 * `is_launched`: all blocks are known, not only those allocated since attach. */
int allocator_use_emit(struct output *output, const struct timeline_tracker *tracker,
	struct timeline_process *const *processes, size_t count, bool is_launched, double *values,
	struct sooth_error *err);
