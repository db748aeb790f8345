/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the view "heap-table". */
#include "analyze/heap/heap_emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/heap/heap_rows.h"
#include "analyze/records.h"
#include "base/cleanup.h"

#define PROCESSES_FOR_PEOPLE 40

int heap_section(struct heap_scope *scope, const struct section *section, struct sooth_error *err)
{
	/* The output borrows the section until it is closed. */
	int status = output_close_section(scope->output, err);

	if (status)
		return status;
	scope->section = *section;
	return output_section(scope->output, &scope->section, err);
}

/* --- by function --- */

static const struct section type_section = {
	.name = "heap_by_function",
	.schema = &heap_type_schema,
	.shape = SECTION_KEYED,
	.if_empty = "nothing was allocated or freed",
};

static int emit_type(struct heap_scope *scope, uint32_t function, const struct heap_function_sum *f,
	uint8_t unfinished_state, struct sooth_error *err)
{
	uint64_t given = f->count - f->failed;
	bool is_free = function == HEAP_FREE;
	struct heap_type_row row = {
		.function = function,
		.count = f->count,
		.failed = f->failed,
		.overflows = f->overflows,
		.unfinished = f->unfinished,
		.unfinished_state = unfinished_state,
		.bytes = f->bytes,
		.mean_bytes = given ? f->bytes / given : 0,
		.total_ns = f->total_ns,
		.mean_ns = f->count ? f->total_ns / f->count : 0,
		.max_ns = f->max_ns,
		.bytes_state = is_free ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
		.mean_bytes_state = is_free || !given ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
		.time_state = is_free ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
		.mean_ns_state = is_free || !f->count ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
	};

	return OUTPUT_ROW(scope->output, &row, NULL, 0, err);
}

int heap_emit_types(struct heap_scope *scope, const struct heap_sums *sums,
	uint8_t unfinished_state, bool is_blind, struct sooth_error *err)
{
	uint32_t order[HEAP_FUNCTIONS + 1];
	struct section section = type_section;
	int status;

	if (is_blind)
		section.if_empty = "no allocator function was found: no call could be seen";
	status = heap_section(scope, &section, err);

	/* Most calls first; there are a dozen functions. */
	for (uint32_t i = 0; i <= HEAP_FUNCTIONS; i++) {
		uint32_t at = i;

		for (; at && sums->functions[order[at - 1]].count < sums->functions[i].count; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	for (uint32_t i = 0; i <= HEAP_FUNCTIONS && !status; i++) {
		const struct heap_function_sum *f = &sums->functions[order[i]];

		if (f->count || f->unfinished)
			status = emit_type(scope, order[i], f, unfinished_state, err);
	}
	return status;
}

/* --- by size --- */

static const struct section size_section = {
	.name = "heap_sizes",
	.schema = &heap_size_schema,
	.shape = SECTION_TABLE,
};

int heap_emit_sizes(struct heap_scope *scope, const struct heap_sums *sums, struct sooth_error *err)
{
	int status = heap_section(scope, &size_section, err);
	uint64_t all = 0;

	for (unsigned i = 0; i < HEAP_BUCKETS; i++)
		all += sums->histogram[i];
	for (unsigned i = 0; i < HEAP_BUCKETS && !status; i++) {
		bool is_last = i == HEAP_BUCKETS - 1;
		struct heap_size_row row = {
			.from_bytes = i ? (uint64_t)1 << i : 0,
			.below_bytes = is_last ? 0 : (uint64_t)2 << i,
			.below_state = is_last ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
			.count = sums->histogram[i],
			.share_percent = all ? 100.0 * (double)sums->histogram[i] / (double)all : 0,
		};

		if (row.count)
			status = OUTPUT_ROW(scope->output, &row, NULL, 0, err);
	}
	return status;
}

/* --- by process --- */

static const struct section process_section = {
	.name = "heap_processes",
	.schema = &heap_process_schema,
	.shape = SECTION_TABLE,
	.rows_least = 2,
	.rows_most = PROCESSES_FOR_PEOPLE,
};

struct entry {
	const struct process_id *id;
	const struct heap_process *process;
};

static bool has_allocated(const struct heap_process *p)
{
	return p->seen.events || p->counted.events;
}

uint64_t heap_emit_count(const struct heap_live *live)
{
	size_t position = 0;
	uint64_t count = 0;
	void *value;

	while (map_next(&live->processes, &position, NULL, &value))
		count += has_allocated(value);
	return count;
}

static uint64_t allocated(const struct heap_process *p)
{
	return p->counted.allocated_bytes > p->seen.allocated_bytes ? p->counted.allocated_bytes
								    : p->seen.allocated_bytes;
}

/* Largest first, then oldest, so that the order is stable. */
static int by_size(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->process->peak_bytes != y->process->peak_bytes)
		return x->process->peak_bytes < y->process->peak_bytes ? 1 : -1;
	if (allocated(x->process) != allocated(y->process))
		return allocated(x->process) < allocated(y->process) ? 1 : -1;
	if (x->id->start_ticks != y->id->start_ticks)
		return x->id->start_ticks < y->id->start_ticks ? -1 : 1;
	return x->id->pid < y->id->pid ? -1 : x->id->pid > y->id->pid;
}

static int emit_process(struct heap_scope *scope, const struct entry *e, bool by_calls,
	uint8_t live_state, struct sooth_error *err)
{
	const struct heap_process *p = e->process;
	const struct heap_sum *sum = by_calls ? &p->seen : &p->counted;
	struct heap_process_row row = {
		.record = row_head(e->id),
		.events = sum->events,
		.allocated_bytes = sum->allocated_bytes,
		.live_bytes = p->live_bytes,
		.live_blocks = p->live_blocks,
		.peak_bytes = p->peak_bytes,
		.live_state = live_state,
		.name_state = p->name[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.has_left = p->has_left,
	};

	memcpy(row.name, p->name, sizeof(row.name));
	return OUTPUT_ROW(scope->output, &row, NULL, 0, err);
}

int heap_emit_processes(struct heap_scope *scope, const struct heap_live *live, bool by_calls,
	uint8_t live_state, struct sooth_error *err)
{
	_cleanup_free_ struct entry *entries = calloc(live->processes.count + 1, sizeof(*entries));
	int status = heap_section(scope, &process_section, err);
	size_t position = 0, count = 0;
	const void *key;
	void *value;

	if (!entries)
		return error_no_memory(err);
	while (map_next(&live->processes, &position, &key, &value)) {
		if (has_allocated(value))
			entries[count++] = (struct entry){ key, value };
	}
	qsort(entries, count, sizeof(*entries), by_size);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_process(scope, &entries[i], by_calls, live_state, err);
	return status;
}
