/* SPDX-License-Identifier: BSD-2-Clause */
/* A library that allocates by whatever functions it is bound to. */
#include <stddef.h>
#include <stdlib.h>

__attribute__((visibility("default"))) void *deep_get(size_t size);
__attribute__((visibility("default"))) void deep_put(void *block);

void *deep_get(size_t size)
{
	return malloc(size);
}

void deep_put(void *block)
{
	free(block);
}
