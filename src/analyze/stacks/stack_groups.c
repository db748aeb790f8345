/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of threads. */
#include "analyze/stacks/stack_groups.h"

#include <stdlib.h>

#include "analyze/records.h"
#include "base/map.h"

#define GROUPS_MAX 65536

struct group_key {
	uint32_t stack; /* 0: none was read */
	uint32_t call;
	uint8_t stack_state, call_state, state, is_on_cpu, has_moved;
	uint8_t unused[3];
};

static struct group_key key_of(const struct stacks_thread *t)
{
	return (struct group_key){ .stack = t->stack_state ? 0 : t->stack,
		.call = t->call_state ? 0 : t->syscall,
		.stack_state = t->stack_state,
		.call_state = t->call_state,
		.state = (uint8_t)t->state,
		.is_on_cpu = t->is_on_cpu,
		.has_moved = t->has_moved };
}

bool stack_group_has(const struct stack_group *group, const struct stacks_thread *t)
{
	struct group_key a = key_of(group->first), b = key_of(t);

	return !memcmp(&a, &b, sizeof(a));
}

static bool computes(const struct stack_group *g)
{
	return g->first->state == 'R';
}

static int by_weight(const void *left, const void *right)
{
	const struct stack_group *a = left, *b = right;

	if (computes(a) != computes(b))
		return computes(a) ? -1 : 1;
	if (a->has_main != b->has_main)
		return a->has_main ? -1 : 1;
	if (a->threads != b->threads)
		return a->threads > b->threads ? -1 : 1;
	return a->first->record.tid < b->first->record.tid ? -1 : 1;
}

static void take(struct map *by_key, struct buffer *groups, const struct stacks_thread *t)
{
	struct group_key key = key_of(t);
	bool is_new, is_main = t->record.tid == t->record.pid;
	uint32_t *number = map_put(by_key, &key, &is_new);
	struct stack_group *g;

	if (!number)
		return;
	if (is_new) {
		struct stack_group made = { .first = t };

		*number = (uint32_t)(groups->size / sizeof(made));
		buffer_append(groups, &made, sizeof(made));
	}
	if (buffer_failed(groups))
		return;
	g = (struct stack_group *)(void *)groups->data + *number;
	g->threads++;
	g->has_main |= is_main;
	if (is_main)
		g->first = t;
}

void stack_groups(struct buffer *groups, const struct batch *records, uint32_t tid)
{
	struct map by_key;

	map_init(&by_key, sizeof(struct group_key), sizeof(uint32_t), GROUPS_MAX);
	batch_for_each (r, records) {
		const struct stacks_thread *t = record_as(r, STACKS_THREAD, sizeof(*t));

		if (t && (!tid || t->record.tid == tid))
			take(&by_key, groups, t);
	}
	map_fini(&by_key);
	if (groups->size)
		qsort(groups->data, groups->size / sizeof(struct stack_group),
			sizeof(struct stack_group), by_weight);
}
