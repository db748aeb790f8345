/* SPDX-License-Identifier: BSD-2-Clause */
/* To link with, where jemalloc has no files for that: the library that is loaded before has the
 * functions. */
#include <stddef.h>

void *mallocx(size_t size, int flags);
void dallocx(void *block, int flags);

void *mallocx(size_t size, int flags)
{
	(void)size;
	(void)flags;
	return NULL;
}

void dallocx(void *block, int flags)
{
	(void)block;
	(void)flags;
}
