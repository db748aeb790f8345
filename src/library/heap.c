/* SPDX-License-Identifier: BSD-2-Clause */
/* Trackers of allocations: events are the calls of the allocator. */
#include <sooth/heap.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/error.h"
#include "base/map.h"
#include "base/options.h"
#include "library/observation.h"
#include "library/stacks.h"
#include "library/table.h"
#include "library/tracker_calls.h"
#include "model/batch.h"
#include "model/process_id.h"
#include "model/row_list.h"
#include "model/stream_records.h"
#include "probes/heap.h"

#define BLOCKS_MAX (1u << 24)
#define GROUPS_MAX (1u << 12)

#define SNAPSHOT_ROW(F, S)                                                                         \
	F(S, TEXT, function, ALWAYS, "function that allocated the blocks")                         \
	F(S, TEXT, phase, MAYBE(phase_state), "phase in which the blocks were allocated")          \
	F(S, U64, blocks, ALWAYS, "number of live blocks")                                         \
	F(S, U64, bytes, ALWAYS, "bytes requested for the blocks", .unit = SOOTH_UNIT_BYTES)       \
	F(S, U64, oldest_ns, ALWAYS, "when the oldest was allocated (CLOCK_MONOTONIC)",            \
		.unit = SOOTH_UNIT_TIME_NS)

ROW_TABLE(snapshot, SNAPSHOT_ROW, "live", snapshot_row);

struct block_key {
	struct process_id process;
	uint64_t address;
};

/* Equal names are equal pointers. */
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

/* The blocks that are live. */
struct heap_blocks {
	struct map live;	 /* struct block_key -> struct block */
	struct process_id ended; /* the last process that ended; its blocks are kept; zeros: none */
};

/* Returns NULL if memory ran out. */
static struct heap_blocks *heap_blocks_new(void)
{
	struct heap_blocks *b = calloc(1, sizeof(*b));

	if (b)
		map_init(&b->live, sizeof(struct block_key), sizeof(struct block), BLOCKS_MAX);
	return b;
}

static void heap_blocks_free(struct heap_blocks *b)
{
	if (b)
		map_fini(&b->live);
	free(b);
}

/* --- calls --- */

static void drop_block(struct heap_blocks *b, const struct sooth_record *r, uint64_t address)
{
	struct block_key key = { process_id_of(r), address };

	map_remove(&b->live, &key);
}

static void heap_blocks_forget(struct heap_blocks *b, struct process_id gone)
{
	map_for_each_key (&b->live, const struct block_key *, next) {
		struct block_key key = *next;

		if (!memcmp(&key.process, &gone, sizeof(gone)))
			map_remove(&b->live, &key);
	}
}

/* Notes the end of a process. Its leaked blocks are kept until another process ends or calls. */
static void heap_blocks_end(struct heap_blocks *b, struct process_id ended)
{
	if (b->ended.pid)
		heap_blocks_forget(b, b->ended);
	b->ended = ended;
}

/* Adds a call. The names in the event have to stay valid as long as the blocks. */
static void heap_blocks_take(
	struct heap_blocks *b, const struct heap_call *call, const struct sooth_heap_event *event)
{
	struct block_key key = { process_id_of(&call->record), call->address };
	bool moves = call->old_address_state == SOOTH_STATE_VALUE && call->old_address;
	struct block *block;

	if (b->ended.pid) /* another process still runs */
		heap_blocks_end(b, (struct process_id){ 0 });
	if (call->function == HEAP_FREE) {
		drop_block(b, &call->record, call->address);
		return;
	}
	/* A failed realloc keeps the old block; a realloc to size 0 may return NULL and still free
	 * it. */
	if (moves && (call->address || !call->size))
		drop_block(b, &call->record, call->old_address);
	block = call->address ? map_put(&b->live, &key, NULL) : NULL;
	if (block)
		*block = (struct block){ { event->function, event->phase }, event->size,
			event->time_ns };
}

/* --- rows --- */

static void sum_by_stack(const struct heap_blocks *b, struct map *groups)
{
	map_for_each_value (&b->live, const struct block *, block) {
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

static int compare_by_bytes(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	return (a->bytes < b->bytes) - (a->bytes > b->bytes);
}

static int append_group(struct sooth_table *table, const struct group *group)
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

/* Returns rows by function and phase, most bytes first; NULL: it failed. */
static struct sooth_table *heap_blocks_table(const struct heap_blocks *b, struct sooth_error *err)
{
	struct sooth_table *table = table_new(err);
	struct map groups;
	struct group *sorted;
	size_t count = 0;
	int status;

	map_init(&groups, sizeof(struct group_key), sizeof(struct group), GROUPS_MAX);
	sum_by_stack(b, &groups);
	sorted = calloc(groups.count + 1, sizeof(*sorted));
	status = table && sorted ? 0 : -ENOMEM;
	map_for_each_value (map_while(!status, &groups), const struct group *, value)
		sorted[count++] = *value;
	if (!status)
		qsort(sorted, count, sizeof(*sorted), compare_by_bytes);
	for (size_t i = 0; i < count && !status; i++)
		status = append_group(table, &sorted[i]);
	free(sorted);
	map_fini(&groups);
	if (!status)
		return table;
	sooth_table_free(table);
	error_no_memory(err);
	return NULL;
}

struct sooth_heap {
	struct tracker tracker;
	struct stacks stacks;
	struct heap_blocks *blocks; /* NULL: not kept */
};

/* --- records --- */

static const char *function_name(const struct sooth_schema *schema, uint8_t function)
{
	const struct sooth_field *field = sooth_schema_field(schema, "function");

	return field && field->names && function < field->names->count
		       ? field->names->names[function]
		       : "?";
}

static uint32_t stack_of(const struct heap_call *call)
{
	return record_holds(&call->record, sizeof(*call)) && call->stack_state == SOOTH_STATE_VALUE
		       ? call->stack
		       : 0;
}

static void store_call(
	struct sooth_heap *h, const struct sooth_schema *schema, const struct heap_call *call)
{
	struct sooth_heap_event event = {
		.function = function_name(schema, call->function),
		.time_ns = call->record.time_ns,
		.duration_ns = call->duration_ns,
		.address = call->address,
		.old_address = call->old_address,
		.size = call->size_state == SOOTH_STATE_VALUE ? call->size : 0,
		.pid = (pid_t)call->record.pid,
		.tid = (pid_t)call->record.tid,
		.error = call->error,
		.is_overflow = call->is_overflow,
		.stack = stack_of(call),
		.phase = tracker_phase_at(&h->tracker, call->record.time_ns),
	};

	if (h->blocks)
		heap_blocks_take(h->blocks, call, &event);
	buffer_append(&h->tracker.coming, &event, sizeof(event));
}

static int handle_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct sooth_heap *h = user;

	switch (record->kind) {
	case HEAP_CALL:
		store_call(h, schema, (const void *)record);
		break;
	case HEAP_STACK:
	case HEAP_FRAME:
		stacks_add_record(&h->stacks, record);
		break;
	case PROCESS_EXEC:
		if (h->blocks)
			heap_blocks_forget(h->blocks, process_id_of(record));
		break;
	case PROCESS_LEAVE:
		if (h->blocks)
			heap_blocks_end(h->blocks, process_id_of(record));
		break;
	default:
		tracker_count(&h->tracker, record);
		break;
	}
	return tracker_check(&h->tracker);
}

/* --- begin and end --- */

static int begin_heap(struct sooth_heap *h, const struct tracker_target *target,
	const struct sooth_heap_tracker_options *options, struct sooth_error *err)
{
	struct sooth_observer_options chosen;
	int status = observation_options(&chosen, options->observer, err);

	chosen.heap = options->heap;
	if (options->buffer_bytes)
		chosen.buffer_bytes = options->buffer_bytes;
	if (!status)
		status = tracker_begin(
			&h->tracker, "heap", "heap", sizeof(struct sooth_heap_event), &chosen, err);
	if (status)
		return status;
	sooth_report_on_record(h->tracker.report, handle_record, h);
	status = tracker_add(&h->tracker, target, err);
	if (!status)
		status = sooth_observer_add_probe(h->tracker.observer, "heap", SOOTH_STREAM, err);
	return status ? status : tracker_start(&h->tracker, err);
}

static int start_tracker(const struct tracker_target *target,
	const struct sooth_heap_tracker_options *options, struct sooth_heap **out,
	struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_heap *h = calloc(1, sizeof(*h));
	struct sooth_heap_tracker_options o = { 0 };
	int status;

	*out = NULL;
	if (!h)
		return error_no_memory(err);
	status = options_copy(&o, sizeof(o), options, err);
	stacks_init(&h->stacks, HEAP_STACK, HEAP_FRAME);
	h->blocks = o.keeps_blocks ? heap_blocks_new() : NULL;
	if (!status)
		status = o.keeps_blocks && !h->blocks ? error_no_memory(err)
						      : begin_heap(h, target, &o, err);
	if (status) {
		sooth_heap_close(h);
		return observation_failed(status, err);
	}
	*out = h;
	return 0;
}

TRACKER_CALLS(heap, sooth_heap_tracker_options)

void sooth_heap_close(struct sooth_heap *h)
{
	if (!h)
		return;
	tracker_fini(&h->tracker);
	stacks_fini(&h->stacks);
	heap_blocks_free(h->blocks);
	free(h);
}

/* --- on request --- */

struct sooth_table *sooth_heap_snapshot(struct sooth_heap *h, struct sooth_error *err)
{
	ERROR_HERE(err);

	if (!h->blocks) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "list live blocks");
		error_why(err, "the tracker does not keep them");
		error_remedy(err, "set keeps_blocks in the options of the tracker");
		return NULL;
	}
	if (tracker_collect(&h->tracker, err) < 0)
		return NULL;
	if (!h->tracker.has_ended)
		heap_blocks_end(h->blocks, (struct process_id){ 0 });
	return heap_blocks_table(h->blocks, err);
}

size_t sooth_heap_frames(struct sooth_heap *h, uint32_t stack, const struct sooth_frame **frames)
{
	*frames = NULL;
	return h->tracker.is_stopped && stack ? stacks_frames(&h->stacks, stack, frames) : 0;
}
