/* SPDX-License-Identifier: BSD-2-Clause */
/* Beside heap_own.c in a library: it allocates when it is loaded, before dlopen(3) returns. */
#include <stdlib.h>

#define CALLS 97
#define BYTES 200000001

__attribute__((constructor)) static void allocate(void)
{
	for (int i = 0; i < CALLS; i++)
		free(malloc(BYTES));
}
