/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Logarithms to the base 2, and histogram slots; the kernel, the views and tests share this code. 0
 * counts as 1.
 */
#pragma once

#include <sooth/record.h> /* the integer types of either side */

/* Returns the log2 of a value below 2^32. It is unrolled, because clang generates more code for a
 * loop, all of which the verifier checks. */
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

/* Returns the slot of a value, of at most 32 slots: slot i is for values from 2^i up to 2^(i+1),
 * the last slot also for all larger values. */
static inline uint32_t log2_bucket(uint64_t value, uint32_t slots)
{
	return value >> slots ? slots - 1 : log2_low(value);
}

/* Returns a size class: the exponent times four plus the next two bits. */
static inline uint32_t size_class_of(uint64_t size)
{
	uint32_t exponent = log2_of(size);

	return exponent < 2 ? exponent * 4
			    : exponent * 4 + (uint32_t)((size >> (exponent - 2)) & 3);
}

/* Returns the size that stands for `size` among samples: sizes with the same first nine bits have
 * the same weight. At least 1; a size that does not fit is always sampled. */
static inline uint32_t sampled_size_of(uint64_t size)
{
	uint32_t exponent = log2_of(size), shift = exponent > 8 ? exponent - 8 : 0;

	if (exponent >= 32)
		return ~0u;
	if (!shift)
		return size ? (uint32_t)size : 1;
	return (uint32_t)((size >> shift << shift) + (1ull << (shift - 1)));
}

/* Returns the smallest size of a class. */
static inline uint64_t size_class_from(uint32_t size_class)
{
	uint32_t exponent = size_class / 4;

	if (exponent < 2)
		return exponent ? 2 : 0;
	return exponent < 64 ? (uint64_t)(4 + (size_class & 3)) << (exponent - 2) : ~0ULL;
}
