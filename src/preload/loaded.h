/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects in the loader's list. */
#ifndef SOOTH_PRELOAD_LOADED_H
#define SOOTH_PRELOAD_LOADED_H

#include <link.h>

#include "preload/preload.h"

struct loaded_object {
	bool may_allocate; /* it exports a function of an allocator, or does not show what */
	bool calls;	   /* it calls the C library's */
};

struct loaded_object loaded_object(const struct dl_phdr_info *info);

#endif
