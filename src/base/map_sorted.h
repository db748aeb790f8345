/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/map.h"

/* Returns copies of all m->count values, sorted by `order`, for the caller to free. NULL: no
 * memory. */
void *map_sorted(const struct map *m, int (*order)(const void *left, const void *right));
