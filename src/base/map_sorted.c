/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/map_sorted.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void *map_sorted(const struct map *m, int (*order)(const void *left, const void *right))
{
	assert(m);

	unsigned char *all = calloc(m->count + 1, m->value_size);
	size_t position = 0, count = 0;
	void *value;

	if (!all)
		return NULL;
	while (map_next(m, &position, NULL, &value))
		memcpy(all + m->value_size * count++, value, m->value_size);
	qsort(all, count, m->value_size, order);
	return all;
}
