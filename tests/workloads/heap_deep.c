/* SPDX-License-Identifier: BSD-2-Clause */
/* A library that allocates by whatever functions it is bound to. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

__attribute__((visibility("default"))) void *deep_get(size_t size);
__attribute__((visibility("default"))) void deep_put(void *block);
__attribute__((visibility("default"))) void *deep_next(const char *name);

void *deep_get(size_t size)
{
	return malloc(size);
}

void deep_put(void *block)
{
	free(block);
}

void *deep_next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	return found;
}
