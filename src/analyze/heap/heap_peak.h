/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory that each stack held at the peak. A stack saves its value at its first change after a
 * peak; a stack without a change since then still has that value. So a new peak costs nothing,
 * however many there are.
 */
#ifndef SOOTH_ANALYZE_HEAP_PEAK_H
#define SOOTH_ANALYZE_HEAP_PEAK_H

#include <stdint.h>

struct heap_at_peak {
	uint64_t bytes, blocks;
	uint64_t number; /* number of the peak, from 1; 0: the stack never changed */
};

/* Updates the peak of a stack. Called before its values change, with what it holds now and the
 * number of the latest peak. */
static inline void heap_peak_note(
	struct heap_at_peak *at, uint64_t bytes, uint64_t blocks, uint64_t number)
{
	if (at->number != number)
		*at = (struct heap_at_peak){ bytes, blocks, number };
}

/* Returns the values of a stack at the latest peak; `bytes` and `blocks` are its present values. */
static inline struct heap_at_peak heap_peak_of(
	const struct heap_at_peak *at, uint64_t bytes, uint64_t blocks, uint64_t number)
{
	return at->number == number ? *at : (struct heap_at_peak){ bytes, blocks, number };
}

#endif
