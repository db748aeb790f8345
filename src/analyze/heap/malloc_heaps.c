/* SPDX-License-Identifier: BSD-2-Clause */
/* Resident memory of the allocator of each process, against what the program has not freed. */
#include "analyze/heap/malloc_heaps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/heap/heap_fragmentation.h"
#include "analyze/process_view.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"

#define NOTABLE_PERCENT 50	   /* share of free memory that is called fragmentation */
#define NOTABLE_BYTES	(8u << 20) /* resident memory that is worth a remedy */
#define LINE_BYTES	(1u << 20) /* resident memory that is worth a line beside others */
#define ROWS_FOR_PEOPLE 3

#define HEAP_ROW(F, S)                                                                             \
	F(S, PID)                                                                                  \
	F(S, U64, resident_bytes, ALWAYS, "resident memory of the allocator's heaps",              \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_resident_bytes, ALWAYS,                                                     \
		"resident part of blocks that the program has not freed, with their headers",      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_bytes, ALWAYS, "size of these blocks, resident or not",                     \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_blocks, ALWAYS, "number of these blocks")                                   \
	F(S, U64, free_bytes, ALWAYS, "resident, and in no live block", .unit = SOOTH_UNIT_BYTES)  \
	F(S, U64, free_page_bytes, ALWAYS, "of these in pages without a live block",               \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, REAL, free_percent, ALWAYS, "share of free_bytes in resident_bytes",                  \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, U32, arenas, ALWAYS, "number of arenas of the allocator")                             \
	F(S, U64, arena_bytes, ALWAYS, "resident in other arenas than the first",                  \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, unread_bytes, ALWAYS, "resident in parts of the heaps that were not read",       \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, read_ns, ALWAYS, "time that reading the heaps took", .unit = SOOTH_UNIT_NS)      \
	F(S, BOOL, is_upper_bound, ALWAYS, "small freed blocks may count as live")                 \
	F(S, TEXT, text, ALWAYS, "the values as a sentence", .is_hidden = true)                    \
	F(S, TEXT, remedy, MAYBE(remedy_state), "what returns the free memory to the system")

ROW_TABLE(row, HEAP_ROW, "malloc_heaps", malloc_heap_row, .line = "{text}[\n  {remedy}]");

static const struct section section =
	SECTION_OF("malloc_heaps", row_schema, TABLE, .rows_most = ROWS_FOR_PEOPLE);

static const struct sooth_schema *const tables[] = { &row_schema, NULL };

struct heaps_state {
	struct process_view view; /* first: process_view_push() */
	enum malloc_heaps_place place;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct heaps_state *s = state;

	(void)err;
	if (options)
		s->place = ((const struct malloc_heaps_options *)options)->place;
	process_view_init(&s->view, output, MALLOC_HEAP);
	return 0;
}

/* --- text --- */

static bool is_notable(const struct malloc_heap *h)
{
	return heap_free_percent(h) >= NOTABLE_PERCENT && h->resident_bytes >= NOTABLE_BYTES;
}

static void put_text(const struct malloc_heap *h, bool with_pid, struct buffer *out)
{
	if (with_pid)
		buffer_format(out, "process %u: ", h->record.pid);
	buffer_format(out, "%s resident in the glibc heap, %s%s live",
		SENTENCE_SIZE(h->resident_bytes), h->is_upper_bound ? "at most " : "",
		SENTENCE_SIZE(h->live_resident_bytes));
	if (is_notable(h))
		buffer_format(out, ": fragmentation, %.0f %% is free inside the allocator",
			heap_free_percent(h));
}

static void note_unread(
	struct process_view *v, const struct malloc_heap *h, const struct sooth_record *r)
{
	struct span reason = record_text(r, &h->reason);
	char what[96], why[192];

	if (h->state)
		snprintf(what, sizeof(what), "live memory of the allocator of %u", r->pid);
	else
		snprintf(what, sizeof(what), "%s of the glibc heap of %u",
			SENTENCE_SIZE(h->unread_bytes), r->pid);
	snprintf(why, sizeof(why), "%.*s", SPAN_ARGS(reason));
	output_limit(v->output, what, why, "");
}

static int emit_heap(struct process_view *v, const struct malloc_heap *h, struct sooth_error *err)
{
	struct process_id id = process_id_of(&h->record);
	struct malloc_heap_row row = { .record = row_head(&id),
		.resident_bytes = h->resident_bytes,
		.live_resident_bytes = h->live_resident_bytes,
		.live_bytes = h->live_bytes,
		.live_blocks = h->live_blocks,
		.free_bytes = heap_free_bytes(h),
		.free_page_bytes = h->free_page_bytes,
		.free_percent = heap_free_percent(h),
		.arenas = h->arenas,
		.arena_bytes = h->arena_bytes,
		.unread_bytes = h->unread_bytes,
		.read_ns = h->read_ns,
		.is_upper_bound = h->is_upper_bound,
		.remedy_state = state_if(is_notable(h)) };
	_cleanup_(buffer_fini) struct buffer text = { 0 }, remedy = { 0 };

	put_text(h, !snapshots_are_of_one(v->input), &text);
	if (is_notable(h))
		heap_put_remedy(h, &remedy);
	if (buffer_failed(&text) || buffer_failed(&remedy))
		return error_no_memory(err);
	return OUTPUT_ROW(v->output, &row,
		((struct record_tail[]){
			tail_buffer(&row.text, &text), tail_buffer(&row.remedy, &remedy) }),
		2, err);
}

/* --- the end --- */

/* Orders by free memory, most first. */
static int compare_by_free(const void *a, const void *b)
{
	const struct malloc_heap *x = *(const struct malloc_heap *const *)a;
	const struct malloc_heap *y = *(const struct malloc_heap *const *)b;
	uint64_t of_x = heap_free_bytes(x), of_y = heap_free_bytes(y);

	return of_x != of_y ? (of_x < of_y ? 1 : -1)
			    : (x->record.pid > y->record.pid) - (x->record.pid < y->record.pid);
}

static bool is_shown_here(const struct heaps_state *s)
{
	bool is_fragmented = false;

	if (s->place == MALLOC_HEAPS_ALWAYS)
		return s->view.own.processes.count > 0;
	snapshots_for_each (&s->view.own, one) {
		const struct malloc_heap *h = snapshot_end(one, sizeof(*h));

		is_fragmented |= h && !h->state && is_notable(h);
	}
	return s->view.own.processes.count && is_fragmented == (s->place == MALLOC_HEAPS_FIRST);
}

static int finish(void *state, struct sooth_error *err)
{
	struct process_view *v = state;
	_cleanup_free_ const struct malloc_heap **all =
		calloc(v->own.processes.count + 1, sizeof(*all));
	bool is_one = snapshots_are_of_one(v->input);
	size_t count = 0;
	int status;

	if (!all)
		return error_no_memory(err);
	if (!is_shown_here(state))
		return 0;
	snapshots_for_each (&v->own, one) {
		const struct malloc_heap *h = snapshot_end(one, sizeof(*h));

		if (h && h->reason_state == SOOTH_STATE_VALUE)
			note_unread(v, h, &h->record);
		if (h && !h->state && (is_one || h->resident_bytes >= LINE_BYTES))
			all[count++] = h;
	}
	qsort(all, count, sizeof(*all), compare_by_free);
	status = output_section(v->output, &section, err);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_heap(v, all[i], err);
	return status ?: output_close_section(v->output, err);
}

const struct stage_type stage_malloc_heaps = {
	.name = "malloc-heaps",
	.help = "resident memory of the allocator against live blocks: fragmentation",
	.probe = "malloc",
	.tables = tables,
	.state_size = sizeof(struct heaps_state),
	.init = init,
	.push = process_view_push,
	.finish = finish,
	.fini = process_view_fini,
};
