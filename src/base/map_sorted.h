/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOOTH_BASE_MAP_SORTED_H
#define SOOTH_BASE_MAP_SORTED_H

#include "base/map.h"

/* Copies of all values, m->count of them, in an order of qsort(3); to be freed. NULL: no memory. */
void *map_sorted(const struct map *m, int (*order)(const void *left, const void *right));

#endif
