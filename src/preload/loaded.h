/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects in the loader's list. */
#pragma once

#include <link.h>

#include "preload/preload.h"

struct loaded_object {
	bool may_allocate; /* exports a function of an allocator, or its exports cannot be read */
	bool calls;	   /* calls the C library's allocator, or looks functions up */
};

struct loaded_object loaded_object(const struct dl_phdr_info *info);
/* Returns whether the address is in the memory of the object. */
bool loaded_has(const struct dl_phdr_info *info, const void *address);
/* Returns an exported function or variable of the object, or NULL. */
void *loaded_symbol(const struct dl_phdr_info *info, const char *name);
/* Returns whether an allocator has a function of that name. */
bool loaded_is_allocator(const char *name);
/* Returns whether the loader searches the object with that address before this library. */
bool loaded_is_before(const void *address);
