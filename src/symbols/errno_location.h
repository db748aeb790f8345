/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a C library keeps a thread's errno, read from the code of its __errno_location(): glibc
 * adds to the thread pointer an offset that the loader has stored in the library's data, musl a
 * constant. Known for x86-64.
 */
#ifndef SOOTH_SYMBOLS_ERRNO_LOCATION_H
#define SOOTH_SYMBOLS_ERRNO_LOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/instruction.h"

struct errno_location {
	bool is_in_slot; /* the offset from the thread pointer is in memory, 8 bytes at: */
	uint64_t slot;	 /* address as linked */
	int32_t offset;	 /* otherwise: the offset itself */
};

/* `address`: of the code, as linked. False when it has none of the known forms. */
bool errno_location_decode(enum machine machine, const void *code, size_t size, uint64_t address,
	struct errno_location *out);

#endif
