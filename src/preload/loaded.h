/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects in the loader's list. */
#ifndef SOOTH_PRELOAD_LOADED_H
#define SOOTH_PRELOAD_LOADED_H

#include <link.h>

#include "preload/preload.h"

struct loaded_object {
	bool may_allocate; /* it exports a function of an allocator, or does not show what */
	bool calls;	   /* it calls the C library's, or looks functions up */
};

struct loaded_object loaded_object(const struct dl_phdr_info *info);
/* Whether that is in its memory. */
bool loaded_has(const struct dl_phdr_info *info, const void *address);
/* A function or object that it exports, or NULL. */
void *loaded_symbol(const struct dl_phdr_info *info, const char *name);
/* Whether an allocator has a function of that name. */
bool loaded_is_allocator(const char *name);
/* Whether the object with that address is searched before this one. */
bool loaded_is_before(const void *address);

#endif
