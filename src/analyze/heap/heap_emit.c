/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the view "heap-table". */
#include "analyze/heap/heap_emit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/order.h"
#include "model/schema.h"

#define HEAP_TYPE_ROW(F, S)                                                                        \
	F(S, ENUM32, function, ALWAYS, "allocator function: malloc, free, calloc, ...",            \
		.names = &functions)                                                               \
	F(S, U64, count, ALWAYS, "allocator calls that returned; for free: calls made",            \
		.label = "CALLS", .merge = SOOTH_MERGE_SUM)                                        \
	F(S, U64, failed, MAYBE(failed_state),                                                     \
		"failed allocator calls: no memory was returned; with samples: at least",          \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, overflows, ALWAYS, "allocator calls with a count times size over 64 bits",       \
		.is_hidden = true)                                                                 \
	F(S, U64, unfinished, MAYBE(unfinished_state),                                             \
		"calls still running at the end of the measurement")                               \
	F(S, U64, bytes, MAYBE(bytes_state), "bytes requested by successful allocator calls",      \
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)                                \
	F(S, U64, mean_bytes, MAYBE(mean_bytes_state),                                             \
		"mean bytes requested by a successful allocator call", .label = "MEAN SIZE",       \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, total_ns, MAYBE(time_state), "total time in the allocator calls",                \
		.label = "TOTAL", .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                 \
	F(S, U64, mean_ns, MAYBE(mean_ns_state), "mean time of an allocator call",                 \
		.label = "MEAN", .unit = SOOTH_UNIT_NS)                                            \
	F(S, U64, max_ns, WITH(time_state), "time of the longest allocator call", .label = "MAX",  \
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_MAX)

ROW_STRUCT(heap_type_row, HEAP_TYPE_ROW);

#define HEAP_SIZE_ROW(F, S)                                                                        \
	F(S, U64, from_bytes, ALWAYS, "smallest requested size in this histogram bucket",          \
		.label = "SIZE>=", .unit = SOOTH_UNIT_BYTES, .is_key = true)                       \
	F(S, U64, below_bytes, MAYBE(below_state),                                                 \
		"end of this histogram bucket: requested sizes are smaller", .label = "<",         \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, count, ALWAYS, "allocator calls that request a size in this bucket",             \
		.label = "CALLS", .merge = SOOTH_MERGE_SUM)                                        \
	F(S, REAL, share_percent, ALWAYS, "share of all allocator calls that request memory",      \
		.label = "SHARE%", .decimals = 1, .unit = SOOTH_UNIT_PERCENT)

ROW_STRUCT(heap_size_row, HEAP_SIZE_ROW);

#define HEAP_PROCESS_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, CHARS16, name, MAYBE(name_state), "name of the process at its last fork or exec")     \
	F(S, NAMED, U64, events, calls, ALWAYS,                                                    \
		"outermost allocator calls (not from inside another one)", .label = "CALLS",       \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, allocated_bytes, ALWAYS, "bytes requested by successful allocator calls",        \
		.label = "ALLOCATED", .unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)          \
	F(S, U64, live_bytes, MAYBE(live_state),                                                   \
		"bytes not freed when the process or the recording ended", .label = "LIVE",        \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_blocks, WITH(live_state),                                                   \
		"blocks not freed when the process or the recording ended", .label = "BLOCKS")     \
	F(S, U64, peak_bytes, WITH(live_state),                                                    \
		"highest number of bytes allocated and not freed at one time", .label = "PEAK",    \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, NAMED, BOOL, has_left, has_ended, ALWAYS, "the process ended during the recording",   \
		.is_hidden = true)

ROW_STRUCT(heap_process_row, HEAP_PROCESS_ROW);

/* --- fields --- */

/* Names in the order of the probe; "other" stands for functions of a newer probe. */
static const char *const function_names[] = { "malloc", "free", "calloc", "realloc", "reallocarray",
	"aligned_alloc", "posix_memalign", "memalign", "valloc", "pvalloc", "other" };
static const struct sooth_names functions = { HEAP_FUNCTIONS + 1, function_names };

_Static_assert(sizeof(function_names) / sizeof(function_names[0]) == HEAP_FUNCTIONS + 1,
	"each function has its name");

ROW_SCHEMA(heap_totals, HEAP_TOTALS_ROW, "heap.totals", heap_totals_row,
	.line = "{calls call}[, {rate_per_s} per second]: {allocated_bytes} allocated[, "
		"{freed_bytes} freed], {failed} failed[\nlive at the end: {live_bytes} in "
		"{live_blocks block}][ (bytes +-{live_error_bytes}: 99 %)]"
		"[, "
		"{ended_bytes} of it left by processes that had ended][; "
		"peak {peak_bytes} after {peak_after_ns}][\nnot exact: {inexact}]");
ROW_SCHEMA(heap_type, HEAP_TYPE_ROW, "heap.by_function", heap_type_row);
ROW_SCHEMA(heap_size, HEAP_SIZE_ROW, "heap.sizes", heap_size_row);
ROW_SCHEMA(heap_process, HEAP_PROCESS_ROW, "heap.processes", heap_process_row);
ROW_SCHEMA(heap_gap, HEAP_GAP_ROW, "heap.gaps", heap_gap_row);
ROW_SCHEMA(heap_site, HEAP_SITE_ROW, "heap.sites", heap_site_row);
ROW_SCHEMA(heap_probes, HEAP_PROBES_ROW, "heap.probes", heap_probes_row,
	.line = "probed: {sites function} in {files file}, {single_stepped} single-stepped[; "
		"attached in {attach_ns}, detached in {detach_ns}][; returns only where needed, by "
		"{sessions session link}]");

/* --- sections --- */

#define PROCESSES_FOR_PEOPLE 40

int heap_section(struct heap_scope *scope, const struct section *section, struct sooth_error *err)
{
	assert(scope);
	assert(section);
	/* The output borrows the section until it is closed. */
	int status = output_close_section(scope->output, err);

	if (status)
		return status;
	scope->section = *section;
	if (scope->is_behind)
		scope->section.audience = SECTION_DETAIL;
	if (scope->rows_most && section->rows_most)
		scope->section.rows_most = scope->rows_most;
	if (scope->age[0] && section->rows_most && section->title) {
		snprintf(scope->title, sizeof(scope->title), "%s: %s", section->title, scope->age);
		scope->section.title = scope->title;
	}
	return output_section(scope->output, &scope->section, err);
}

/* --- by function --- */

static const struct section type_section = SECTION_OF(
	"heap_by_function", heap_type_schema, KEYED, .if_empty = "nothing was allocated or freed");

static int emit_type(struct heap_scope *scope, uint32_t function, const struct heap_function_sum *f,
	const struct heap_type_states *states, struct sooth_error *err)
{
	uint64_t given = f->count - f->failed;
	bool is_free = function == HEAP_FREE;
	/* Times of 0 mean that the source file has no times. */
	uint8_t time_state = f->count && !f->max_ns && !states->times
				     ? SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
				     : states->times;
	struct heap_type_row row = {
		.function = function,
		.count = f->count,
		.failed = f->failed,
		.failed_state = heap_failed_state(f, SOOTH_STATE_VALUE),
		.overflows = f->overflows,
		.unfinished = f->unfinished,
		.unfinished_state = states->unfinished,
		.bytes = f->bytes,
		.mean_bytes = given ? f->bytes / given : 0,
		.total_ns = f->total_ns,
		.mean_ns = f->count ? f->total_ns / f->count : 0,
		.max_ns = f->max_ns,
		.bytes_state = is_free ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
		.mean_bytes_state = is_free || !given ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
		.time_state = is_free ? SOOTH_STATE_ABSENT : time_state,
		.mean_ns_state = is_free || !f->count ? SOOTH_STATE_ABSENT : time_state,
	};

	return OUTPUT_ROW(scope->output, &row, NULL, 0, err);
}

int heap_emit_types(struct heap_scope *scope, const struct heap_sums *sums,
	const struct heap_type_states *states, const char *blind, struct sooth_error *err)
{
	uint32_t order[HEAP_FUNCTIONS + 1];
	struct section section = type_section;
	int status;

	if (blind)
		section.if_empty = blind;
	status = heap_section(scope, &section, err);

	/* Emits the functions with most calls first. */
	for (uint32_t i = 0; i <= HEAP_FUNCTIONS; i++) {
		uint32_t at = i;

		for (; at && sums->functions[order[at - 1]].count < sums->functions[i].count; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	for (uint32_t i = 0; i <= HEAP_FUNCTIONS && !status; i++) {
		const struct heap_function_sum *f = &sums->functions[order[i]];

		if (f->count || f->unfinished)
			status = emit_type(scope, order[i], f, states, err);
	}
	return status;
}

/* --- by size --- */

static const struct section size_section = SECTION_OF("heap_sizes", heap_size_schema, TABLE);

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

static const struct section process_section = SECTION_OF("heap_processes", heap_process_schema,
	TABLE, .rows_least = 2, .rows_most = PROCESSES_FOR_PEOPLE);

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
	uint64_t count = 0;

	map_for_each_value (&live->processes, void *, value)
		count += has_allocated(value);
	return count;
}

static uint64_t count_allocated(const struct heap_process *p)
{
	return p->counted.allocated_bytes > p->seen.allocated_bytes ? p->counted.allocated_bytes
								    : p->seen.allocated_bytes;
}

/* Orders by size, largest first, then by age, oldest first, so that the order is stable. */
static int compare_by_size(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = larger_first(x->process->peak_bytes, y->process->peak_bytes);

	order = order ?: larger_first(count_allocated(x->process), count_allocated(y->process));
	order = order ?: smaller_first(x->id->start_ticks, y->id->start_ticks);
	return order ?: smaller_first(x->id->pid, y->id->pid);
}

static int emit_process(struct heap_scope *scope, const struct entry *e, bool by_calls,
	uint8_t live_state, struct sooth_error *err)
{
	const struct heap_process *p = e->process;
	const struct heap_events *sum = by_calls ? &p->seen : &p->counted;
	struct heap_process_row row = {
		.record = row_head(e->id),
		.events = sum->events,
		.allocated_bytes = sum->allocated_bytes,
		.live_bytes = p->live_bytes,
		.live_blocks = p->live_blocks,
		.peak_bytes = p->peak_bytes,
		.live_state = live_state,
		.name_state = state_if(p->name[0]),
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
	size_t count = 0;

	if (!entries)
		return error_no_memory(err);
	map_for_each (&live->processes, const void *, key, void *, value) {
		if (has_allocated(value))
			entries[count++] = (struct entry){ key, value };
	}
	qsort(entries, count, sizeof(*entries), compare_by_size);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_process(scope, &entries[i], by_calls, live_state, err);
	return status;
}
