/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of the allocator added up by function. Aggregates and single calls give the same sums.
 * Single calls are added directly: explain/reduce.h would make an aggregate of each, too slow for
 * millions of calls per second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "probes/heap.h"

struct heap_function_sum {
	uint64_t count, failed, overflows, unfinished;
	uint64_t bytes;
	uint64_t total_ns, max_ns;
	bool is_partial; /* `failed` is a lower bound */
};

/* Returns the state of the value `failed`: not measured if only some calls were checked for failure
 * and none of those failed, else `measured_state`. */
uint8_t heap_failed_state(const struct heap_function_sum *sum, uint8_t measured_state);

struct heap_sums {
	struct heap_function_sum functions[HEAP_FUNCTIONS + 1]; /* last entry: unknown functions */
	uint64_t histogram[HEAP_BUCKETS];
	struct heap_function_sum all;
	bool has_any;
};

void heap_sums_add_call(struct heap_sums *s, const struct heap_call *c);
void heap_sums_add_count(struct heap_sums *s, const struct heap_count *c);
/* Returns whether the call is a request for memory that failed. */
bool heap_call_failed(const struct heap_call *c);
