/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "heap-table". */
#include "analyze/heap/heap_rows.h"

#include "model/schema.h"

/* In the order of the probe; a function of a newer probe comes last. */
static const char *const function_names[] = { "malloc", "free", "calloc", "realloc", "reallocarray",
	"aligned_alloc", "posix_memalign", "memalign", "valloc", "pvalloc", "other" };
static const struct sooth_names functions = { HEAP_FUNCTIONS + 1, function_names };

_Static_assert(sizeof(function_names) / sizeof(function_names[0]) == HEAP_FUNCTIONS + 1,
	"each function has its name");

#define FIELD_FUNCTION(type_)                                                                      \
	{                                                                                          \
		.name = "function", .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, function),           \
		.names = &functions, .help = "the allocator's function"                            \
	}

#define COUNTED(member_, name_, help_, ...)                                                        \
	FIELD_NUMBER_AS(heap_totals_row, member_, name_, help_,                                    \
		FIELD_STATE_AT(heap_totals_row, measured_state), ##__VA_ARGS__)
#define LIVE(member_, help_, ...)                                                                  \
	FIELD_NUMBER(heap_totals_row, member_, help_, FIELD_STATE_AT(heap_totals_row, live_state), \
		##__VA_ARGS__)

static const struct sooth_field heap_totals_fields[] = {
	COUNTED(events, calls, "outermost calls that returned; of free: that were made",
		.merge = SOOTH_MERGE_SUM),
	COUNTED(failed, failed, "of these failed: no memory returned", .merge = SOOTH_MERGE_SUM),
	COUNTED(overflows, overflows, "of these whose count times size overflows",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_totals_row, unfinished, "entered and not returned at the end",
		FIELD_STATE_AT(heap_totals_row, unfinished_state)),
	COUNTED(allocated_bytes, allocated_bytes,
		"bytes requested by successful calls, new sizes of realloc included",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
	LIVE(freed_bytes, "bytes freed by free and realloc", .unit = SOOTH_UNIT_BYTES,
		.merge = SOOTH_MERGE_SUM),
	LIVE(live_bytes, "bytes not freed when their process or the run ended",
		.unit = SOOTH_UNIT_BYTES),
	LIVE(live_blocks, "blocks not freed"),
	LIVE(peak_bytes, "most live bytes at once, all processes", .unit = SOOTH_UNIT_BYTES),
	LIVE(peak_after_ns, "when the peak was reached, since the start of the run",
		.unit = SOOTH_UNIT_NS),
	LIVE(frees_unknown, "frees of blocks whose allocation was not seen"),
	LIVE(frees_inherited, "frees in a forked child of blocks of its parent"),
	LIVE(frees_from_before, "frees of blocks allocated before attach"),
	LIVE(replaced_blocks, "blocks returned again without a free seen between"),
	LIVE(exec_blocks, "blocks live at exec, and gone with it"),
	LIVE(exec_bytes, "bytes of these blocks", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(heap_totals_row, lost, "calls lost"),
	FIELD_NUMBER(heap_totals_row, processes, "processes that allocated"),
	{ .name = "rate_per_s",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		FIELD_AT(heap_totals_row, rate_per_s),
		FIELD_STATE_AT(heap_totals_row, rate_state),
		.help = "calls per second over the run" },
	FIELD_STRING(heap_totals_row, inexact, "why freed, live and peak bytes are not exact",
		FIELD_STATE_AT(heap_totals_row, inexact_state)),
};

static const struct sooth_field heap_type_fields[] = {
	FIELD_FUNCTION(heap_type_row),
	FIELD_NUMBER(heap_type_row, count, "calls that returned; of free: that were made",
		.label = "CALLS", .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_type_row, failed, "of these failed: no memory returned",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_type_row, overflows, "of these whose count times size overflows",
		.is_hidden = true),
	FIELD_NUMBER(heap_type_row, unfinished, "entered and not returned at the end",
		FIELD_STATE_AT(heap_type_row, unfinished_state)),
	FIELD_NUMBER(heap_type_row, bytes, "bytes requested by successful calls",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM,
		FIELD_STATE_AT(heap_type_row, bytes_state)),
	FIELD_NUMBER(heap_type_row, mean_bytes, "mean size of a successful call",
		.label = "MEAN SIZE", .unit = SOOTH_UNIT_BYTES,
		FIELD_STATE_AT(heap_type_row, mean_bytes_state)),
	FIELD_NUMBER(heap_type_row, total_ns, "time in the calls", .label = "TOTAL",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM,
		FIELD_STATE_AT(heap_type_row, time_state)),
	FIELD_NUMBER(heap_type_row, mean_ns, "mean time of a call", .label = "MEAN",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(heap_type_row, mean_ns_state)),
	FIELD_NUMBER(heap_type_row, max_ns, "longest call", .label = "MAX", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_MAX, FIELD_STATE_AT(heap_type_row, time_state)),
};

static const struct sooth_field heap_size_fields[] = {
	FIELD_NUMBER(heap_size_row, from_bytes, "smallest size requested", .label = "SIZE FROM",
		.unit = SOOTH_UNIT_BYTES, .is_key = true),
	FIELD_NUMBER(heap_size_row, below_bytes, "sizes are below this", .label = "BELOW",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(heap_size_row, below_state)),
	FIELD_NUMBER(heap_size_row, count, "calls of this size", .label = "CALLS",
		.merge = SOOTH_MERGE_SUM),
	{ .name = "share_percent",
		.label = "SHARE%",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(heap_size_row, share_percent),
		.help = "of all calls that request memory" },
};

#define OF_PROCESS(member_, help_, ...)                                                            \
	FIELD_NUMBER(heap_process_row, member_, help_,                                             \
		FIELD_STATE_AT(heap_process_row, live_state), ##__VA_ARGS__)

static const struct sooth_field heap_process_fields[] = {
	FIELD_PID(heap_process_row),
	{ .name = "name",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(heap_process_row, name),
		FIELD_STATE_AT(heap_process_row, name_state),
		.help = "thread name at its last fork or exec" },
	FIELD_NUMBER_AS(heap_process_row, events, calls, "outermost calls", .label = "CALLS",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_process_row, allocated_bytes, "bytes requested by successful calls",
		.label = "ALLOCATED", .unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
	OF_PROCESS(live_bytes, "bytes not freed at its end, or at the end of the run",
		.label = "LIVE", .unit = SOOTH_UNIT_BYTES),
	OF_PROCESS(live_blocks, "blocks not freed", .label = "BLOCKS"),
	OF_PROCESS(
		peak_bytes, "most live bytes at once", .label = "PEAK", .unit = SOOTH_UNIT_BYTES),
	FIELD_TRUTH_AS(heap_process_row, has_left, has_ended, "it ended during the run",
		.is_hidden = true),
};

static const struct sooth_field heap_gap_fields[] = {
	FIELD_PID(heap_gap_row),
	FIELD_STRING(heap_gap_row, path, "file whose calls were missed", .label = "FILE",
		.may_shrink = true),
	FIELD_NUMBER(heap_gap_row, unseen_ns, "time from mapping the file to probing it",
		.label = "UNSEEN FOR", .unit = SOOTH_UNIT_NS),
};

static const struct sooth_field heap_site_fields[] = {
	FIELD_STRING(heap_site_row, path, "the probed file", .label = "FILE", .may_shrink = true),
	FIELD_FUNCTION(heap_site_row),
	{ .name = "offset",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(heap_site_row, offset),
		.unit = SOOTH_UNIT_HEX,
		.help = "of the probed instruction, in the file" },
	FIELD_TRUTH(heap_site_row, has_return, "its return is probed too", .label = "RETURN"),
	FIELD_TRUTH(heap_site_row, is_single_stepped,
		"the instruction is single-stepped, at about 20 times the overhead",
		.label = "SINGLE-STEPPED"),
	FIELD_STRING_AS(
		heap_site_row, why, reason, "why this place was probed", .may_shrink = true),
};

static const struct sooth_field heap_probes_fields[] = {
	FIELD_NUMBER(heap_probes_row, sites, "functions probed"),
	FIELD_NUMBER(heap_probes_row, files, "files probed"),
	FIELD_NUMBER(heap_probes_row, single_stepped,
		"of these single-stepped, at about 20 times the overhead"),
	FIELD_NUMBER(heap_probes_row, attach_ns, "time to attach all probes", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(heap_probes_row, cost_state)),
	FIELD_NUMBER_AS(heap_probes_row, forgotten_ns, detach_ns, "time to remove all probes",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(heap_probes_row, cost_state)),
};

ROW_SCHEMA(heap_totals, "heap.totals", heap_totals_row,
	.line = "{calls} calls[, {rate_per_s} per second]: {allocated_bytes} allocated, "
		"{freed_bytes} freed, {failed} failed\nlive at the end: {live_bytes} in "
		"{live_blocks} blocks; peak {peak_bytes} after {peak_after_ns}[\nnot exact: "
		"{inexact}]");
ROW_SCHEMA(heap_type, "heap.by_function", heap_type_row);
ROW_SCHEMA(heap_size, "heap.sizes", heap_size_row);
ROW_SCHEMA(heap_process, "heap.processes", heap_process_row);
ROW_SCHEMA(heap_gap, "heap.gaps", heap_gap_row);
ROW_SCHEMA(heap_site, "heap.sites", heap_site_row);
ROW_SCHEMA(heap_probes, "heap.probes", heap_probes_row,
	.line = "probed: {sites} functions in {files} files, {single_stepped} single-stepped[; "
		"attached in {attach_ns}, detached in {detach_ns}]");
