/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that calls jemalloc's own functions, 1000 times each: it needs
 * LD_PRELOAD=libjemalloc.so.2. No other library in front of that one has these names.
 */
#include <stddef.h>
#include <stdlib.h>

extern void *mallocx(size_t size, int flags);
extern void dallocx(void *block, int flags);

int main(void)
{
	for (int i = 0; i < 1000; i++) {
		void *block = mallocx(4321, 0);

		if (!block)
			return EXIT_FAILURE;
		dallocx(block, 0);
	}
	return EXIT_SUCCESS;
}
