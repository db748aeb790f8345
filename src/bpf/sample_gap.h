/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The distance to the next sample; the kernel side and its test share this code. */
#pragma once

#include "bpf/log2.h"

#define GAP_LN_2	  45426 /* ln 2, by 2^16 */
#define GAP_FRACTION_BITS 16

/*
 * Returns an exponentially distributed number with that mean (below 2^40), from a random number of
 * 32 bits: -ln(u) times the mean. So every byte is a sample with the same chance, whatever came
 * before it. BPF has no real numbers: the logarithm to the base 2 is computed bit by bit.
 */
static inline uint64_t sample_gap(uint64_t mean, uint32_t random)
{
	uint64_t drawn = 2ull * random + 1; /* in the middle of its place among 2^33, never 0 */
	uint32_t exponent = log2_of(drawn);
	uint64_t m = exponent > 31 ? drawn >> 1 : drawn << (31 - exponent), log = exponent;

	for (int i = 0; i < GAP_FRACTION_BITS; i++) {
		uint64_t bit;

		m = m * m >> 31;
		bit = m >> 32;
		m >>= bit;
		log = log << 1 | bit;
	}
	log = (33ull << GAP_FRACTION_BITS) - log;
	return mean * (log * GAP_LN_2 >> 16) >> GAP_FRACTION_BITS;
}
