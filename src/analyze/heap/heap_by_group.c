/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of blocks by thread, and by exact size. */
#include <stdlib.h>
#include <string.h>

#include "analyze/heap/heap_stacks.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "model/row_list.h"
#include "model/schema.h"

#define GROUP_ROW(F, S)                                                                            \
	F(S, U64, live_bytes, ALWAYS, "bytes that were not freed", .label = "LIVE",                \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_blocks, ALWAYS, "blocks that were not freed", .label = "BLOCKS")            \
	F(S, U64, allocated_bytes, ALWAYS, "bytes that were allocated", .label = "ALLOCATED",      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, calls, ALWAYS, "successful allocator calls", .label = "CALLS")

#define THREAD_ROW(F, S)                                                                           \
	F(S, PID)                                                                                  \
	F(S, TID)                                                                                  \
	F(S, CHARS16, name, MAYBE(name_state), "name of the process at its last fork or exec")     \
	GROUP_ROW(F, S)

#define SIZE_ROW(F, S)                                                                             \
	F(S, U64, size_bytes, ALWAYS, "requested size of the blocks", .label = "SIZE",             \
		.unit = SOOTH_UNIT_BYTES, .is_key = true)                                          \
	GROUP_ROW(F, S)

struct thread_row {
	struct sooth_record record;
	ROW_MEMBERS(THREAD_ROW, thread_row)
};

struct size_row {
	struct sooth_record record;
	ROW_MEMBERS(SIZE_ROW, size_row)
};

ROW_FIELDS(thread_fields, THREAD_ROW, thread_row);
ROW_FIELDS(size_fields, SIZE_ROW, size_row);

const struct sooth_schema heap_thread_row_schema = {
	.name = "heap_threads",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct thread_row),
	SCHEMA_FIELDS(thread_fields),
};

const struct sooth_schema heap_exact_size_row_schema = {
	.name = "heap_exact_sizes",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct size_row),
	SCHEMA_FIELDS(size_fields),
};

static const struct section threads_section = {
	.name = "heap_threads",
	.title = "threads that allocate, by memory not freed",
	.schema = &heap_thread_row_schema,
	.shape = SECTION_TABLE,
	.columns = "pid,tid,name,live_bytes,live_blocks,allocated_bytes,calls",
	.rows_most = HEAP_STACKS_SHOWN,
};

static const struct section sizes_section = {
	.name = "heap_exact_sizes",
	.title = "sizes of blocks, by memory not freed",
	.schema = &heap_exact_size_row_schema,
	.shape = SECTION_TABLE,
	.rows_most = HEAP_STACKS_SHOWN,
};

struct entry {
	const struct heap_group_key *key;
	const struct heap_group *group;
};

/* Most live bytes first, then most allocated; then an order that is always the same. */
static int by_live(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->group->live_bytes != b->group->live_bytes)
		return a->group->live_bytes > b->group->live_bytes ? -1 : 1;
	if (a->group->allocated_bytes != b->group->allocated_bytes)
		return a->group->allocated_bytes > b->group->allocated_bytes ? -1 : 1;
	if (a->key->process.pid != b->key->process.pid)
		return a->key->process.pid < b->key->process.pid ? -1 : 1;
	return a->key->value < b->key->value ? -1 : a->key->value > b->key->value;
}

static int emit_thread(struct output *output, const struct heap_live *live, const struct entry *e,
	struct sooth_error *err)
{
	const struct heap_process *p = map_get(&live->processes, &e->key->process);
	struct thread_row row = { .record = row_head(&e->key->process),
		.live_bytes = e->group->live_bytes,
		.live_blocks = e->group->live_blocks,
		.allocated_bytes = e->group->allocated_bytes,
		.calls = e->group->calls,
		.name_state = state_if(p && p->name[0]) };

	row.record.tid = (uint32_t)e->key->value;
	if (p)
		memcpy(row.name, p->name, sizeof(row.name));
	return OUTPUT_ROW(output, &row, NULL, 0, err);
}

static int emit_size(struct output *output, const struct entry *e, struct sooth_error *err)
{
	struct size_row row = { .size_bytes = e->key->value,
		.live_bytes = e->group->live_bytes,
		.live_blocks = e->group->live_blocks,
		.allocated_bytes = e->group->allocated_bytes,
		.calls = e->group->calls };

	return OUTPUT_ROW(output, &row, NULL, 0, err);
}

int heap_by_group_emit(
	struct heap_scope *scope, const struct heap_live *live, struct sooth_error *err)
{
	const struct heap_groups *g = &live->groups;
	_cleanup_free_ struct entry *all = calloc(g->all.count + 1, sizeof(*all));
	size_t count = 0, position = 0;
	const void *key;
	void *value;
	int status;

	if (!all)
		return error_no_memory(err);
	while (map_next(&g->all, &position, &key, &value))
		all[count++] = (struct entry){ key, value };
	qsort(all, count, sizeof(*all), by_live);
	if (live->has_held)
		output_limit(scope->output,
			g->by == HEAP_GROUPS_BY_THREAD ? "threads that allocate"
						       : "exact sizes of blocks",
			"the kernel added the calls up: single calls were not recorded",
			"record every call: --exact");
	else if (g->all.refused)
		output_limit(scope->output, "some threads or sizes",
			"a table in sooth is full: further ones are not counted", "");
	status = heap_section(
		scope, g->by == HEAP_GROUPS_BY_THREAD ? &threads_section : &sizes_section, err);
	for (size_t i = 0; i < count && !status; i++)
		status = g->by == HEAP_GROUPS_BY_THREAD
				 ? emit_thread(scope->output, live, &all[i], err)
				 : emit_size(scope->output, &all[i], err);
	return status;
}
