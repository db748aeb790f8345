/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_groups.h"

#define GROUPS_MAX (1u << 20)

void heap_groups_init(struct heap_groups *g)
{
	*g = (struct heap_groups){ 0 };
	map_init(&g->all, sizeof(struct heap_group_key), sizeof(struct heap_group), GROUPS_MAX);
}

void heap_groups_fini(struct heap_groups *g)
{
	map_fini(&g->all);
}

struct heap_group *heap_groups_of(
	struct heap_groups *g, const struct process_id *process, uint32_t tid, uint64_t size)
{
	struct heap_group_key key = { .value = size };

	if (g->by == HEAP_GROUPS_BY_THREAD)
		key = (struct heap_group_key){ *process, tid };
	return g->by ? map_put(&g->all, &key, NULL) : NULL;
}
