/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of one allocating stack over time: its gain in each of a number of windows, which double
 * in length as the run goes on. Code that leaks gains in nearly every window, as much late as
 * early; a cache that fills up gains less and less; memory that is freed again falls. Code that
 * keeps more from time to time is checked over longer parts of the run, each of which must have a
 * gain. If a program frees everything at its end, only the time before that counts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HEAP_WINDOWS	  32
#define HEAP_PARTS_JUDGED 7

/* May be negative: more was freed than allocated. */
struct heap_gains {
	int64_t bytes[HEAP_WINDOWS];
	int64_t blocks[HEAP_WINDOWS];
};

/* Wraps on overflow: a capture may have values that no process allocates. */
static inline void heap_gain_add(int64_t *to, uint64_t gain)
{
	*to = (int64_t)((uint64_t)*to + gain);
}

struct heap_clock {
	uint64_t begin_ns, end_ns; /* first and last record; begin 0: none yet */
	uint64_t window_ns;
};

struct heap_growth {
	bool is_measured; /* the run was long enough */
	bool grows;
	bool may_grow;	 /* the stack keeps more than at the start, but did not always gain */
	unsigned rising; /* number of the HEAP_PARTS_JUDGED parts of the run with a gain */
	int64_t bytes, blocks;
	double bytes_per_s;
	/* Time for which the stack grew, until nearly all was freed at the end; 0: it was not. */
	uint64_t freed_after_ns;
	double until_bytes_per_s;
};

/* Returns the window of a time. The caller must first fold the gains of all stacks `*fold`
 * times. */
unsigned heap_clock_window(struct heap_clock *clock, uint64_t time_ns, unsigned *fold);
/* Merges each two windows into one. */
void heap_gains_fold(struct heap_gains *gains);
/* Returns the variance of bytes_per_s times the run's seconds, by the variance of the whole gain.
 */
double heap_growth_variance(double of_gain);
struct heap_growth heap_growth_of(const struct heap_clock *clock, const struct heap_gains *gains);
