/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fuzz targets share: the entry libFuzzer calls, and a check no build turns off. */
#ifndef SOOTH_TESTS_FUZZ_H
#define SOOTH_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
