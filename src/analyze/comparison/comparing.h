/* SPDX-License-Identifier: BSD-2-Clause */
/* State shared by the comparison and its output. */
#pragma once

#include "analyze/comparison/comparison_keys.h"

#define COMPARISON_SIGMAS 3.0

struct comparing {
	struct output *output;
	struct compared_rows a, b;
	double a_s, b_s; /* length of each run in seconds; 0: unknown */
	double share;
	struct comparison_reported reported;
	uint64_t rows, not_measured;
	struct buffer findings, changes; /* struct change_row */
};

static inline bool comparing_has_table(
	const struct comparison_side *side, const struct sooth_schema *schema)
{
	for (size_t i = 0; i < side->table_count; i++) {
		if (side->tables[i].schema == schema)
			return true;
	}
	return false;
}

/* Compares allocations, if both captures have them. */
int comparing_emit_heap(struct comparing *c, struct sooth_error *err);
/* Emits the sections once everything is compared. */
int comparing_emit(struct comparing *c, struct sooth_error *err);
