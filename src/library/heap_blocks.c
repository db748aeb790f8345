/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks by process and address, and rows of what they have in common. */
#include "library/heap_blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/error.h"
#include "base/map.h"
#include "library/table.h"
#include "model/batch.h"
#include "model/process_id.h"
#include "model/row_list.h"
#include "model/schema.h"

#define BLOCKS_MAX (1u << 24)
#define GROUPS_MAX (1u << 12)

#define SNAPSHOT_ROW(F, S)                                                                         \
	F(S, TEXT, function, ALWAYS, "function that allocated the blocks")                         \
	F(S, TEXT, phase, MAYBE(phase_state), "phase in which they were allocated")                \
	F(S, U64, blocks, ALWAYS, "number of live blocks")                                         \
	F(S, U64, bytes, ALWAYS, "bytes requested for them", .unit = SOOTH_UNIT_BYTES)             \
	F(S, U64, oldest_ns, ALWAYS, "when the oldest was allocated (CLOCK_MONOTONIC)",            \
		.unit = SOOTH_UNIT_TIME_NS)

struct snapshot_row {
	struct sooth_record record;
	ROW_MEMBERS(SNAPSHOT_ROW, snapshot_row)
};

ROW_FIELDS(snapshot_fields, SNAPSHOT_ROW, snapshot_row);

static const struct sooth_schema snapshot_schema = {
	.name = "live",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct snapshot_row),
	SCHEMA_FIELDS(snapshot_fields),
};

struct block_key {
	struct process_id process;
	uint64_t address;
};

/* Names are the same pointer when they are the same. */
struct group_key {
	const char *function, *phase;
};

struct block {
	struct group_key group;
	uint64_t bytes, time_ns;
};

struct group {
	struct group_key key;
	uint64_t blocks, bytes, oldest_ns;
};

struct heap_blocks {
	struct map live; /* struct block_key -> struct block */
};

struct heap_blocks *heap_blocks_new(void)
{
	struct heap_blocks *b = calloc(1, sizeof(*b));

	if (b)
		map_init(&b->live, sizeof(struct block_key), sizeof(struct block), BLOCKS_MAX);
	return b;
}

void heap_blocks_free(struct heap_blocks *b)
{
	if (b)
		map_fini(&b->live);
	free(b);
}

/* --- calls --- */

static void drop(struct heap_blocks *b, const struct sooth_record *r, uint64_t address)
{
	struct block_key key = { process_id_of(r), address };

	map_remove(&b->live, &key);
}

void heap_blocks_take(
	struct heap_blocks *b, const struct heap_call *call, const struct sooth_heap_event *event)
{
	struct block_key key = { process_id_of(&call->record), call->address };
	bool moves = call->old_address_state == SOOTH_STATE_VALUE && call->old_address;
	struct block *block;

	if (call->function == HEAP_FREE) {
		drop(b, &call->record, call->address);
		return;
	}
	/* A realloc that failed leaves its block; one to nothing may return nothing. */
	if (moves && (call->address || !call->size))
		drop(b, &call->record, call->old_address);
	block = call->address ? map_put(&b->live, &key, NULL) : NULL;
	if (block)
		*block = (struct block){ { event->function, event->phase }, event->size,
			event->time_ns };
}

void heap_blocks_forget(struct heap_blocks *b, const struct sooth_record *record)
{
	struct process_id gone = process_id_of(record);
	size_t position = 0;
	const void *next;
	void *value;

	while (map_next(&b->live, &position, &next, &value)) {
		struct block_key key = *(const struct block_key *)next;

		if (!memcmp(&key.process, &gone, sizeof(gone)))
			map_remove(&b->live, &key);
	}
}

/* --- rows --- */

static void add_up(const struct heap_blocks *b, struct map *groups)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&b->live, &position, &key, &value)) {
		const struct block *block = value;
		struct group *group = map_put(groups, &block->group, NULL);

		if (!group)
			continue;
		group->key = block->group;
		group->blocks++;
		group->bytes += block->bytes;
		if (!group->oldest_ns || block->time_ns < group->oldest_ns)
			group->oldest_ns = block->time_ns;
	}
}

static int by_bytes(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	return (a->bytes < b->bytes) - (a->bytes > b->bytes);
}

static int append(struct sooth_table *table, const struct group *group)
{
	const char *phase = group->key.phase;
	struct snapshot_row row = { .blocks = group->blocks,
		.bytes = group->bytes,
		.oldest_ns = group->oldest_ns,
		.phase_state = phase ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { tail_string(&row.function, group->key.function),
		tail_string(&row.phase, phase ? phase : "") };
	struct buffer bytes = { 0 };
	int status = -ENOMEM;

	RECORD_APPEND(&bytes, &row, tail, 2);
	if (!buffer_failed(&bytes))
		status = table_append(table, &snapshot_schema, (const void *)bytes.data);
	buffer_fini(&bytes);
	return status;
}

struct sooth_table *heap_blocks_table(const struct heap_blocks *b, struct sooth_error *err)
{
	struct sooth_table *table = table_new(err);
	struct map groups;
	struct group *sorted;
	size_t count = 0, position = 0;
	const void *key;
	void *value;
	int status;

	map_init(&groups, sizeof(struct group_key), sizeof(struct group), GROUPS_MAX);
	add_up(b, &groups);
	sorted = calloc(groups.count + 1, sizeof(*sorted));
	status = table && sorted ? 0 : -ENOMEM;
	while (!status && map_next(&groups, &position, &key, &value))
		sorted[count++] = *(const struct group *)value;
	if (!status)
		qsort(sorted, count, sizeof(*sorted), by_bytes);
	for (size_t i = 0; i < count && !status; i++)
		status = append(table, &sorted[i]);
	free(sorted);
	map_fini(&groups);
	if (!status)
		return table;
	sooth_table_free(table);
	error_no_memory(err);
	return NULL;
}
