/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes that remain in a Java heap after its collections: resident memory does not show them,
 * because a JVM takes a large part of its heap at once and fills it with garbage first.
 */
#ifndef SOOTH_ANALYZE_MANAGED_HEAP_H
#define SOOTH_ANALYZE_MANAGED_HEAP_H

#include "analyze/diagnosis/check.h"

struct managed_heap {
	bool is_known;	      /* its counters were read at both looks */
	uint64_t first, last; /* bytes in the old generation, after a collection */
	uint64_t collections; /* in between, of all kinds */
	uint64_t interval_ns;
};

void managed_heap_read(struct managed_heap *h, const struct check *e);
/* Returns whether more remains after each collection than after the one before: by so many bytes in
 * so many collections. */
bool managed_heap_grows(const struct managed_heap *h, double least_bytes);

#endif
