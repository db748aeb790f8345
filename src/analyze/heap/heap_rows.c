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

#define COUNTED(member_, help_, ...)                                                               \
	FIELD_NUMBER(heap_totals_row, member_, help_,                                              \
		FIELD_STATE_AT(heap_totals_row, measured_state), ##__VA_ARGS__)
#define LIVE(member_, help_, ...)                                                                  \
	FIELD_NUMBER(heap_totals_row, member_, help_, FIELD_STATE_AT(heap_totals_row, live_state), \
		##__VA_ARGS__)

static const struct sooth_field heap_totals_fields[] = {
	COUNTED(events, "outermost calls that returned; of free: that were made",
		.merge = SOOTH_MERGE_SUM),
	COUNTED(failed, "of these without memory though some was asked for",
		.merge = SOOTH_MERGE_SUM),
	COUNTED(overflows, "of these whose number times size does not fit",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_totals_row, unfinished, "entered, not returned by the end",
		FIELD_STATE_AT(heap_totals_row, unfinished_state)),
	COUNTED(allocated_bytes, "asked for by calls that got it, realloc's new size too",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
	LIVE(freed_bytes, "of blocks that free and realloc gave back", .unit = SOOTH_UNIT_BYTES,
		.merge = SOOTH_MERGE_SUM),
	LIVE(live_bytes, "of blocks not given back when their process or the observation ended",
		.unit = SOOTH_UNIT_BYTES),
	LIVE(live_blocks, "how many these are"),
	LIVE(peak_bytes, "the most that was live at once in all processes",
		.unit = SOOTH_UNIT_BYTES),
	LIVE(peak_after_ns, "when that was, from the begin on", .unit = SOOTH_UNIT_NS),
	LIVE(frees_unknown, "of blocks that nobody was seen to get"),
	LIVE(frees_inherited, "of a forked child's copies of its parent's blocks"),
	LIVE(frees_from_before, "of blocks from before the observation"),
	LIVE(replaced_blocks, "given again without having been seen to be freed"),
	LIVE(exec_blocks, "live when their process replaced its program, and gone with it"),
	LIVE(exec_bytes, "of these", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(heap_totals_row, lost, "calls that are not in the stream"),
	FIELD_NUMBER(heap_totals_row, processes, "that allocated"),
	{ .name = "rate_per_s",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		FIELD_AT(heap_totals_row, rate_per_s),
		FIELD_STATE_AT(heap_totals_row, rate_state),
		.help = "calls a second, over the whole observation" },
	FIELD_STRING(heap_totals_row, inexact, "why freed, live and peak bytes are not exact",
		FIELD_STATE_AT(heap_totals_row, inexact_state)),
};

static const struct sooth_field heap_type_fields[] = {
	FIELD_FUNCTION(heap_type_row),
	FIELD_NUMBER(heap_type_row, count, "calls that returned; of free: that were made",
		.label = "CALLS", .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_type_row, failed, "of these without memory though some was asked for",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_type_row, overflows, "of these whose number times size does not fit",
		.is_hidden = true),
	FIELD_NUMBER(heap_type_row, unfinished, "entered, not returned by the end",
		FIELD_STATE_AT(heap_type_row, unfinished_state)),
	FIELD_NUMBER(heap_type_row, bytes, "asked for by calls that got it",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM,
		FIELD_STATE_AT(heap_type_row, bytes_state)),
	FIELD_NUMBER(heap_type_row, mean_bytes, "of one of these calls", .label = "MEAN SIZE",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(heap_type_row, mean_bytes_state)),
	FIELD_NUMBER(heap_type_row, total_ns, "time in the calls", .label = "TOTAL",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM,
		FIELD_STATE_AT(heap_type_row, time_state)),
	FIELD_NUMBER(heap_type_row, mean_ns, "of one", .label = "MEAN", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(heap_type_row, mean_ns_state)),
	FIELD_NUMBER(heap_type_row, max_ns, "the longest", .label = "MAX", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_MAX, FIELD_STATE_AT(heap_type_row, time_state)),
};

static const struct sooth_field heap_size_fields[] = {
	FIELD_NUMBER(heap_size_row, from_bytes, "size asked for, at least", .label = "SIZE FROM",
		.unit = SOOTH_UNIT_BYTES, .is_key = true),
	FIELD_NUMBER(heap_size_row, below_bytes, "and less than this", .label = "BELOW",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(heap_size_row, below_state)),
	FIELD_NUMBER(heap_size_row, count, "calls that asked for it", .label = "CALLS",
		.merge = SOOTH_MERGE_SUM),
	{ .name = "share_percent",
		.label = "SHARE%",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(heap_size_row, share_percent),
		.help = "of all calls that ask for memory" },
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
		.help = "of the thread that forked or replaced the program last" },
	FIELD_NUMBER(heap_process_row, events, "outermost calls", .label = "CALLS",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_process_row, allocated_bytes, "asked for by calls that got it",
		.label = "ALLOCATED", .unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
	OF_PROCESS(live_bytes, "not given back by its end, or by the observation's",
		.label = "LIVE", .unit = SOOTH_UNIT_BYTES),
	OF_PROCESS(live_blocks, "how many blocks these are", .label = "BLOCKS"),
	OF_PROCESS(peak_bytes, "the most that was live in it at once", .label = "PEAK",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_TRUTH(heap_process_row, has_left, "it ended while observed", .is_hidden = true),
};

static const struct sooth_field heap_gap_fields[] = {
	FIELD_PID(heap_gap_row),
	FIELD_STRING(heap_gap_row, path, "the file whose calls were not seen", .label = "FILE",
		.may_shrink = true),
	FIELD_NUMBER(heap_gap_row, unseen_ns, "from when it was mapped until it was probed",
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
		"the instruction cannot be emulated: some 20 times the price",
		.label = "SINGLE-STEPPED"),
	FIELD_STRING(heap_site_row, why, "why there", .may_shrink = true),
};

static const struct sooth_field heap_probes_fields[] = {
	FIELD_NUMBER(heap_probes_row, sites, "functions probed"),
	FIELD_NUMBER(heap_probes_row, files, "in so many files"),
	FIELD_NUMBER(heap_probes_row, single_stepped,
		"of these at an instruction that cannot be emulated: some 20 times the price"),
	FIELD_NUMBER(heap_probes_row, attach_ns, "all attaching together", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(heap_probes_row, cost_state)),
	FIELD_NUMBER(heap_probes_row, forgotten_ns,
		"from the end until the kernel had taken the probes out", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(heap_probes_row, cost_state)),
};

ROW_SCHEMA(heap_totals, "totals", heap_totals_row,
	.line = "{events} calls[, {rate_per_s} per second]: {allocated_bytes} allocated, "
		"{freed_bytes} freed, {failed} failed\nlive at the end: {live_bytes} in "
		"{live_blocks} blocks; peak {peak_bytes} after {peak_after_ns}[\nnot exact: "
		"{inexact}]");
ROW_SCHEMA(heap_type, "by_type", heap_type_row);
ROW_SCHEMA(heap_size, "sizes", heap_size_row);
ROW_SCHEMA(heap_process, "processes", heap_process_row);
ROW_SCHEMA(heap_gap, "gaps", heap_gap_row);
ROW_SCHEMA(heap_site, "sites", heap_site_row);
ROW_SCHEMA(heap_probes, "probes", heap_probes_row,
	.line = "probed: {sites} functions in {files} files, {single_stepped} single-stepped[; "
		"attached in {attach_ns}, detached in {forgotten_ns}]");
