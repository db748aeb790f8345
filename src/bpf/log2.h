/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Logarithms to the base of 2 and the histogram slots made from them; the same in the kernel, in
 * the views and in tests. 0 counts as 1.
 */
#ifndef SOOTH_BPF_LOG2_H
#define SOOTH_BPF_LOG2_H

#include <sooth/record.h> /* the integer types, of whichever side */

/* Of a value below 2^32. Unrolled: clang makes more code of a loop, and the verifier walks through
 * all of it. */
static inline uint32_t log2_low(uint64_t value)
{
	uint32_t bits = 0;

	if (value >> 16) {
		bits += 16;
		value >>= 16;
	}
	if (value >> 8) {
		bits += 8;
		value >>= 8;
	}
	if (value >> 4) {
		bits += 4;
		value >>= 4;
	}
	if (value >> 2) {
		bits += 2;
		value >>= 2;
	}
	return bits + (uint32_t)(value >> 1);
}

static inline uint32_t log2_of(uint64_t value)
{
	return value >> 32 ? 32 + log2_low(value >> 32) : log2_low(value);
}

/* Of at most 32 slots: slot i is for values from 2^i up to 2^(i+1), the last one also for
 * everything above. */
static inline uint32_t log2_bucket(uint64_t value, uint32_t slots)
{
	return value >> slots ? slots - 1 : log2_low(value);
}

#endif
