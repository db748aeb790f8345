/* SPDX-License-Identifier: BSD-2-Clause */
/* The overhead of observing processes: the share of their time that the probes took. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "explain/output.h"

struct heap_overheads {
	struct buffer all; /* struct heap_overhead */
};

/* How the processes were observed: advice for a lower overhead depends on this. */
struct heap_observed {
	bool is_sampled, is_launched;
};

extern const struct sooth_schema heap_overhead_row_schema;

void heap_overhead_add_record(struct heap_overheads *o, const struct sooth_record *r);
/* Emits a section "heap_overhead". Text shows only processes that were slowed. */
int heap_overhead_emit(struct heap_overheads *o, struct output *output,
	const struct heap_observed *how, struct sooth_error *err);
void heap_overhead_fini(struct heap_overheads *o);
