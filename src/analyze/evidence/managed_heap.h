/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes that remain in a Java heap after garbage collections. Resident memory does not show
 * them: a JVM takes a large part of its heap at once, and fills it with garbage first.
 */
#ifndef SOOTH_ANALYZE_MANAGED_HEAP_H
#define SOOTH_ANALYZE_MANAGED_HEAP_H

#include "analyze/diagnosis/check.h"

struct managed_heap {
	bool is_known;	      /* the JVM's counters were read at both samples */
	uint64_t first, last; /* bytes in the old generation, after a collection */
	uint64_t collections; /* collections between the samples, of all kinds */
	uint64_t interval_ns;
};

void managed_heap_read(struct managed_heap *h, const struct check *e);
/* Returns whether at least `least_bytes` more remain at the last sample than at the first, after
 * enough collections. */
bool managed_heap_grows(const struct managed_heap *h, double least_bytes);

#endif
