/* SPDX-License-Identifier: BSD-2-Clause */
/* Orders of numbers for qsort(). Several in a row are joined by ?: the first that differ decide. */
#pragma once

#include <stdint.h>

static inline int smaller_first(uint64_t left, uint64_t right)
{
	return (left > right) - (left < right);
}

static inline int larger_first(uint64_t left, uint64_t right)
{
	return smaller_first(right, left);
}
