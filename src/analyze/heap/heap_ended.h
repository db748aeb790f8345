/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that a signal ended while sooth had a library or probes in them: reported first. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "explain/output.h"

struct heap_ended {
	struct buffer all; /* struct process_leave */
	bool has_library, has_probes;
};

extern const struct sooth_schema heap_ended_row_schema;

void heap_ended_add_record(struct heap_ended *e, const struct sooth_record *r);
/* Emits a section "heap_ended", if it has a row. */
int heap_ended_emit(const struct heap_ended *e, struct output *output, struct sooth_error *err);
void heap_ended_fini(struct heap_ended *e);
