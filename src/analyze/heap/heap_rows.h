/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the view "heap-table". */
#ifndef SOOTH_ANALYZE_HEAP_ROWS_H
#define SOOTH_ANALYZE_HEAP_ROWS_H

#include "model/row_list.h"
#include "probes/heap.h"

#define HEAP_TOTALS_ROW(F, S)                                                                      \
	F(S, NAMED, U64, events, calls, MAYBE(measured_state),                                     \
		"allocator calls that returned (for free: calls made), without calls from inside " \
		"another one",                                                                     \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, failed, WITH(measured_state), "failed allocator calls: no memory was returned",  \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, overflows, WITH(measured_state),                                                 \
		"allocator calls with a count times size over 64 bits", .merge = SOOTH_MERGE_SUM)  \
	F(S, U64, unfinished, MAYBE(unfinished_state),                                             \
		"calls still running at the end of the measurement")                               \
	F(S, U64, allocated_bytes, WITH(measured_state),                                           \
		"bytes requested by successful calls, new sizes of realloc included",              \
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)                                \
	F(S, U64, freed_bytes, MAYBE(live_state), "bytes freed by free and realloc",               \
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)                                \
	F(S, U64, live_bytes, WITH(live_state),                                                    \
		"bytes not freed when their process or the run ended", .unit = SOOTH_UNIT_BYTES)   \
	F(S, U64, live_blocks, WITH(live_state), "blocks not freed")                               \
	F(S, U64, peak_bytes, WITH(live_state),                                                    \
		"highest number of bytes allocated and not freed at one time, all processes",      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, peak_after_ns, WITH(live_state), "time from the start of the run to the peak",   \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, frees_unknown, WITH(live_state), "frees of blocks without a seen allocation")    \
	F(S, U64, frees_inherited, WITH(live_state),                                               \
		"frees, by a forked child, of blocks that its parent allocated")                   \
	F(S, U64, frees_from_before, WITH(live_state), "frees of blocks allocated before attach")  \
	F(S, U64, replaced_blocks, WITH(live_state),                                               \
		"addresses allocated twice: the free in between was not seen")                     \
	F(S, U64, exec_blocks, WITH(live_state),                                                   \
		"blocks not freed before an exec, which discards them")                            \
	F(S, U64, exec_bytes, WITH(live_state), "bytes of the blocks that an exec discarded",      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, lost, ALWAYS, "number of allocator calls lost")                                  \
	F(S, U64, processes, ALWAYS, "number of processes that allocated memory")                  \
	F(S, REAL, rate_per_s, MAYBE(rate_state), "allocator calls per second over the recording", \
		.decimals = 1)                                                                     \
	F(S, TEXT, inexact, MAYBE(inexact_state),                                                  \
		"reason why freed, live and peak bytes are not exact")

struct heap_totals_row {
	struct sooth_record record;
	ROW_MEMBERS(HEAP_TOTALS_ROW, heap_totals_row)
};

#define HEAP_TYPE_ROW(F, S)                                                                        \
	F(S, ENUM32, function, ALWAYS, "allocator function: malloc, free, calloc, ...",            \
		.names = &functions)                                                               \
	F(S, U64, count, ALWAYS, "allocator calls that returned; for free: calls made",            \
		.label = "CALLS", .merge = SOOTH_MERGE_SUM)                                        \
	F(S, U64, failed, ALWAYS, "failed allocator calls: no memory was returned",                \
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

struct heap_type_row {
	struct sooth_record record;
	ROW_MEMBERS(HEAP_TYPE_ROW, heap_type_row)
};

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

struct heap_size_row {
	struct sooth_record record;
	ROW_MEMBERS(HEAP_SIZE_ROW, heap_size_row)
};

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

struct heap_process_row {
	struct sooth_record record;
	ROW_MEMBERS(HEAP_PROCESS_ROW, heap_process_row)
};

#define HEAP_GAP_ROW(F, S)                                                                         \
	F(S, PID)                                                                                  \
	F(S, TEXT, path, ALWAYS, "program or library; its first allocator calls were missed",      \
		.label = "FILE", .may_shrink = true)                                               \
	F(S, U64, unseen_ns, ALWAYS,                                                               \
		"time in which allocations of the file were missed: from loading it to its probe", \
		.label = "UNSEEN FOR", .unit = SOOTH_UNIT_NS)

struct heap_gap_row {
	struct sooth_record record;
	ROW_MEMBERS(HEAP_GAP_ROW, heap_gap_row)
};

#define HEAP_SITE_ROW(F, S)                                                                        \
	F(S, TEXT, path, ALWAYS, "path of the probed program or library", .label = "FILE",         \
		.may_shrink = true)                                                                \
	F(S, ENUM32, function, ALWAYS, "allocator function: malloc, free, calloc, ...",            \
		.names = &functions)                                                               \
	F(S, U64, offset, ALWAYS, "offset of the probed instruction in the file",                  \
		.unit = SOOTH_UNIT_HEX)                                                            \
	F(S, BOOL, has_return, ALWAYS, "the return of the function is probed too",                 \
		.label = "RETURN")                                                                 \
	F(S, BOOL, is_single_stepped, ALWAYS,                                                      \
		"the kernel single-steps the probed instruction (about 20 times the overhead)",    \
		.label = "SINGLE-STEPPED")                                                         \
	F(S, NAMED, TEXT, why, reason, ALWAYS, "reason why this function was probed",              \
		.may_shrink = true)

struct heap_site_row {
	struct sooth_record record;
	ROW_MEMBERS(HEAP_SITE_ROW, heap_site_row)
};

#define HEAP_PROBES_ROW(F, S)                                                                      \
	F(S, U64, sites, ALWAYS, "number of functions probed")                                     \
	F(S, U64, files, ALWAYS, "number of programs and libraries probed")                        \
	F(S, U64, single_stepped, ALWAYS,                                                          \
		"probed functions that are single-stepped (about 20 times the overhead)")          \
	F(S, U64, attach_ns, MAYBE(cost_state), "time that attaching all uprobes took",            \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, U64, forgotten_ns, detach_ns, WITH(cost_state),                                \
		"time that removing all uprobes took", .unit = SOOTH_UNIT_NS)

struct heap_probes_row {
	struct sooth_record record;
	ROW_MEMBERS(HEAP_PROBES_ROW, heap_probes_row)
};

extern const struct sooth_schema heap_totals_schema;
extern const struct sooth_schema heap_type_schema;
extern const struct sooth_schema heap_size_schema;
extern const struct sooth_schema heap_process_schema;
extern const struct sooth_schema heap_gap_schema;
extern const struct sooth_schema heap_site_schema;
extern const struct sooth_schema heap_probes_schema;

#endif
