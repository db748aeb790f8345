/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of one allocating stack over time: what it gained in each of some windows, which double in
 * length as the run goes on. Code that keeps more and more gains in nearly every window and as much
 * late as early; a cache that fills up gains less and less, what is freed in turn falls again. Code
 * that keeps more from time to time is judged by longer parts, each of which has its share. A
 * program that frees all at its end is judged by the time before.
 */
#ifndef SOOTH_ANALYZE_HEAP_GROWTH_H
#define SOOTH_ANALYZE_HEAP_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEAP_WINDOWS	  32
#define HEAP_PARTS_JUDGED 7

/* May be negative: more was freed than allocated. */
struct heap_gains {
	int64_t bytes[HEAP_WINDOWS];
	int64_t blocks[HEAP_WINDOWS];
};

/* A capture may have any values: what no process allocates wraps. */
static inline void heap_gain_add(int64_t *to, uint64_t gain)
{
	*to = (int64_t)((uint64_t)*to + gain);
}

struct heap_clock {
	uint64_t begin_ns, end_ns; /* of the records so far; begin 0: none yet */
	uint64_t window_ns;
};

struct heap_growth {
	bool is_measured; /* the run was long enough */
	bool grows;
	bool may_grow;	 /* it keeps more than at the start, but did not gain all the time */
	unsigned rising; /* of HEAP_PARTS_JUDGED parts of the run: those in which it gained */
	int64_t bytes, blocks;
	double bytes_per_s;
	/* It grew for that time, and then nearly all was freed, at the end of the run; 0: no. */
	uint64_t freed_after_ns;
	double until_bytes_per_s;
};

/* Returns the window of a time. `*fold`: how many times the gains of all stacks have to be folded
 * first. */
unsigned heap_clock_window(struct heap_clock *clock, uint64_t time_ns, unsigned *fold);
/* Merges each two windows into one. */
void heap_gains_fold(struct heap_gains *gains);
struct heap_growth heap_growth_of(const struct heap_clock *clock, const struct heap_gains *gains);

#endif
