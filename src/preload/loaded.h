/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects in the loader's list. */
#ifndef SOOTH_PRELOAD_LOADED_H
#define SOOTH_PRELOAD_LOADED_H

#include <link.h>

#include "preload/preload.h"

/* Whether it exports a function of an allocator, or does not show what it exports. */
bool loaded_may_allocate(const struct dl_phdr_info *info);

#endif
