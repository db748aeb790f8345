/* SPDX-License-Identifier: BSD-2-Clause */
/* Clears memory that held a secret, with stores that a compiler may not leave out. Not every system
 * has explicit_bzero(3). */
#pragma once

#include <stddef.h>

static inline void forget_bytes(void *bytes, size_t size)
{
	volatile unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		at[i] = 0;
}
