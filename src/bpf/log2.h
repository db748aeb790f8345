/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Logarithms to the base of 2 and the histogram slots made from them; the same in the kernel, in
 * the views and in tests. 0 counts as 1.
 */
#ifndef SOOTH_BPF_LOG2_H
#define SOOTH_BPF_LOG2_H

#include <sooth/record.h> /* the integer types, of whichever side */

/* The log2 of a value below 2^32. Unrolled: clang makes more code of a loop, and the verifier walks
 * through all of it. */
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

/* The slot of a value, of at most 32: slot i is for values from 2^i up to 2^(i+1), the last one
 * also for everything above. */
static inline uint32_t log2_bucket(uint64_t value, uint32_t slots)
{
	return value >> slots ? slots - 1 : log2_low(value);
}

/* Four classes between two powers of two: the exponent times four and the next two bits. */
static inline uint32_t size_class_of(uint64_t size)
{
	uint32_t exponent = log2_of(size);

	return exponent < 2 ? exponent * 4
			    : exponent * 4 + (uint32_t)((size >> (exponent - 2)) & 3);
}

/* The size that stands for `size` among samples: sizes have the same weight if they are the same in
 * nine bits. At least 1; a size that does not fit is always sampled. */
static inline uint32_t sampled_size_of(uint64_t size)
{
	uint32_t exponent = log2_of(size), shift = exponent > 8 ? exponent - 8 : 0;

	if (exponent >= 32)
		return ~0u;
	if (!shift)
		return size ? (uint32_t)size : 1;
	return (uint32_t)((size >> shift << shift) + (1ull << (shift - 1)));
}

/* The smallest size of a class. */
static inline uint64_t size_class_from(uint32_t size_class)
{
	uint32_t exponent = size_class / 4;

	if (exponent < 2)
		return exponent ? 2 : 0;
	return exponent < 64 ? (uint64_t)(4 + (size_class & 3)) << (exponent - 2) : ~0ULL;
}

#endif
