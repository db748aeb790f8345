/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks by the thread that allocated them, or by their exact size. Needs records of single calls:
 * the kernel's sums have neither. */
#ifndef SOOTH_ANALYZE_HEAP_GROUPS_H
#define SOOTH_ANALYZE_HEAP_GROUPS_H

#include "base/map.h"
#include "model/process_id.h"

enum heap_grouping {
	HEAP_GROUPS_NONE,
	HEAP_GROUPS_BY_THREAD,
	HEAP_GROUPS_BY_SIZE,
};

/* A thread of a process, or a size, with zeros as process. */
struct heap_group_key {
	struct process_id process;
	uint64_t value; /* thread id; size */
};

struct heap_group {
	uint64_t calls, allocated_bytes;
	uint64_t live_bytes, live_blocks;
};

struct heap_groups {
	enum heap_grouping by;
	struct map all; /* struct heap_group_key -> struct heap_group */
};

void heap_groups_init(struct heap_groups *g);
void heap_groups_fini(struct heap_groups *g);
/* Returns the groups of a process; NULL: not requested, or no room. */
struct heap_group *heap_groups_of(
	struct heap_groups *g, const struct process_id *process, uint32_t tid, uint64_t size);

#endif
