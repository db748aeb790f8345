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
		.names = &functions, .help = "allocator function: malloc, free, calloc, ..."       \
	}

#define COUNTED(member_, name_, help_, ...)                                                        \
	FIELD_NUMBER_AS(heap_totals_row, member_, name_, help_,                                    \
		FIELD_STATE_AT(heap_totals_row, measured_state), ##__VA_ARGS__)
#define LIVE(member_, help_, ...)                                                                  \
	FIELD_NUMBER(heap_totals_row, member_, help_, FIELD_STATE_AT(heap_totals_row, live_state), \
		##__VA_ARGS__)

static const struct sooth_field heap_totals_fields[] = {
	COUNTED(events, calls,
		"allocator calls that returned (for free: calls made), without calls from inside "
		"another one",
		.merge = SOOTH_MERGE_SUM),
	COUNTED(failed, failed, "failed allocator calls: no memory was returned",
		.merge = SOOTH_MERGE_SUM),
	COUNTED(overflows, overflows, "allocator calls whose count times size overflows 64 bits",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_totals_row, unfinished,
		"calls still running at the end of the measurement",
		FIELD_STATE_AT(heap_totals_row, unfinished_state)),
	COUNTED(allocated_bytes, allocated_bytes,
		"bytes requested by successful calls, new sizes of realloc included",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
	LIVE(freed_bytes, "bytes freed by free and realloc", .unit = SOOTH_UNIT_BYTES,
		.merge = SOOTH_MERGE_SUM),
	LIVE(live_bytes, "bytes not freed when their process or the run ended",
		.unit = SOOTH_UNIT_BYTES),
	LIVE(live_blocks, "blocks not freed"),
	LIVE(peak_bytes,
		"highest number of bytes allocated and not freed at one time, all processes",
		.unit = SOOTH_UNIT_BYTES),
	LIVE(peak_after_ns, "time from the start of the run to the peak", .unit = SOOTH_UNIT_NS),
	LIVE(frees_unknown, "frees of blocks whose allocation was not seen"),
	LIVE(frees_inherited, "frees, by a forked child, of blocks that its parent allocated"),
	LIVE(frees_from_before, "frees of blocks allocated before attach"),
	LIVE(replaced_blocks, "addresses allocated twice: the free in between was not seen"),
	LIVE(exec_blocks, "blocks not freed before an exec, which discards them"),
	LIVE(exec_bytes, "bytes of the blocks that an exec discarded", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(heap_totals_row, lost, "number of allocator calls lost"),
	FIELD_NUMBER(heap_totals_row, processes, "number of processes that allocated memory"),
	{ .name = "rate_per_s",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		FIELD_AT(heap_totals_row, rate_per_s),
		FIELD_STATE_AT(heap_totals_row, rate_state),
		.help = "allocator calls per second over the recording" },
	FIELD_STRING(heap_totals_row, inexact,
		"reason why freed, live and peak bytes are not exact",
		FIELD_STATE_AT(heap_totals_row, inexact_state)),
};

static const struct sooth_field heap_type_fields[] = {
	FIELD_FUNCTION(heap_type_row),
	FIELD_NUMBER(heap_type_row, count, "allocator calls that returned; for free: calls made",
		.label = "CALLS", .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_type_row, failed, "failed allocator calls: no memory was returned",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_type_row, overflows,
		"allocator calls whose count times size overflows 64 bits", .is_hidden = true),
	FIELD_NUMBER(heap_type_row, unfinished, "calls still running at the end of the measurement",
		FIELD_STATE_AT(heap_type_row, unfinished_state)),
	FIELD_NUMBER(heap_type_row, bytes, "bytes requested by successful allocator calls",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM,
		FIELD_STATE_AT(heap_type_row, bytes_state)),
	FIELD_NUMBER(heap_type_row, mean_bytes,
		"mean bytes requested by a successful allocator call", .label = "MEAN SIZE",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(heap_type_row, mean_bytes_state)),
	FIELD_NUMBER(heap_type_row, total_ns, "total time in the allocator calls", .label = "TOTAL",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM,
		FIELD_STATE_AT(heap_type_row, time_state)),
	FIELD_NUMBER(heap_type_row, mean_ns, "mean time of an allocator call", .label = "MEAN",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(heap_type_row, mean_ns_state)),
	FIELD_NUMBER(heap_type_row, max_ns, "time of the longest allocator call", .label = "MAX",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_MAX,
		FIELD_STATE_AT(heap_type_row, time_state)),
};

static const struct sooth_field heap_size_fields[] = {
	FIELD_NUMBER(heap_size_row, from_bytes, "smallest requested size in this histogram bucket",
		.label = "SIZE FROM", .unit = SOOTH_UNIT_BYTES, .is_key = true),
	FIELD_NUMBER(heap_size_row, below_bytes,
		"end of this histogram bucket: requested sizes are smaller", .label = "BELOW",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(heap_size_row, below_state)),
	FIELD_NUMBER(heap_size_row, count, "allocator calls that request a size in this bucket",
		.label = "CALLS", .merge = SOOTH_MERGE_SUM),
	{ .name = "share_percent",
		.label = "SHARE%",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(heap_size_row, share_percent),
		.help = "share of all allocator calls that request memory" },
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
		.help = "name of the process at its last fork or exec" },
	FIELD_NUMBER_AS(heap_process_row, events, calls,
		"outermost allocator calls (not from inside another one)", .label = "CALLS",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_process_row, allocated_bytes,
		"bytes requested by successful allocator calls", .label = "ALLOCATED",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
	OF_PROCESS(live_bytes, "bytes not freed when the process or the recording ended",
		.label = "LIVE", .unit = SOOTH_UNIT_BYTES),
	OF_PROCESS(live_blocks, "blocks not freed when the process or the recording ended",
		.label = "BLOCKS"),
	OF_PROCESS(peak_bytes, "highest number of bytes allocated and not freed at one time",
		.label = "PEAK", .unit = SOOTH_UNIT_BYTES),
	FIELD_TRUTH_AS(heap_process_row, has_left, has_ended,
		"the process ended during the recording", .is_hidden = true),
};

static const struct sooth_field heap_gap_fields[] = {
	FIELD_PID(heap_gap_row),
	FIELD_STRING(heap_gap_row, path,
		"program or library whose first allocator calls were missed", .label = "FILE",
		.may_shrink = true),
	FIELD_NUMBER(heap_gap_row, unseen_ns,
		"time in which allocations of the file were missed: from loading it to its probe",
		.label = "UNSEEN FOR", .unit = SOOTH_UNIT_NS),
};

static const struct sooth_field heap_site_fields[] = {
	FIELD_STRING(heap_site_row, path, "path of the probed program or library", .label = "FILE",
		.may_shrink = true),
	FIELD_FUNCTION(heap_site_row),
	{ .name = "offset",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(heap_site_row, offset),
		.unit = SOOTH_UNIT_HEX,
		.help = "offset of the probed instruction in the file" },
	FIELD_TRUTH(heap_site_row, has_return, "the return of the function is probed too",
		.label = "RETURN"),
	FIELD_TRUTH(heap_site_row, is_single_stepped,
		"the kernel single-steps the probed instruction (about 20 times the overhead)",
		.label = "SINGLE-STEPPED"),
	FIELD_STRING_AS(heap_site_row, why, reason, "reason why this function was probed",
		.may_shrink = true),
};

static const struct sooth_field heap_probes_fields[] = {
	FIELD_NUMBER(heap_probes_row, sites, "number of functions probed"),
	FIELD_NUMBER(heap_probes_row, files, "number of programs and libraries probed"),
	FIELD_NUMBER(heap_probes_row, single_stepped,
		"probed functions that are single-stepped (about 20 times the overhead)"),
	FIELD_NUMBER(heap_probes_row, attach_ns, "time that attaching all uprobes took",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(heap_probes_row, cost_state)),
	FIELD_NUMBER_AS(heap_probes_row, forgotten_ns, detach_ns,
		"time that removing all uprobes took", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(heap_probes_row, cost_state)),
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
