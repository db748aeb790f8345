/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the view "heap-table". */
#pragma once

#include "analyze/heap/heap_functions.h"
#include "analyze/heap/heap_elsewhere.h"
#include "analyze/heap/heap_live.h"
#include "analyze/heap/heap_resident.h"
#include "explain/output.h"
#include "model/row_list.h"
#include "probes/heap.h"

#define HEAP_TOTALS_ROW(F, S)                                                                      \
	F(S, NAMED, U64, events, calls, MAYBE(measured_state),                                     \
		"allocator calls that returned (for free: calls made), without calls from inside " \
		"another one",                                                                     \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, failed, MAYBE(failed_state),                                                     \
		"failed allocator calls: no memory was returned; with samples: at least",          \
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
	F(S, U64, live_error_bytes, MAYBE(error_state),                                            \
		"live_bytes is an estimate: it is wrong by more in 1 of 100 cases",                \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, ended_bytes, MAYBE(ended_state),                                                 \
		"part of live_bytes: not freed by processes that ended before the others",         \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
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

ROW_STRUCT(heap_totals_row, HEAP_TOTALS_ROW);

#define HEAP_GAP_ROW(F, S)                                                                         \
	F(S, PID)                                                                                  \
	F(S, TEXT, path, ALWAYS, "program or library; its first allocator calls were missed",      \
		.label = "FILE", .may_shrink = true)                                               \
	F(S, U64, unseen_ns, ALWAYS,                                                               \
		"time in which allocations of the file were missed: from loading it to its probe", \
		.label = "UNSEEN FOR", .unit = SOOTH_UNIT_NS)

ROW_STRUCT(heap_gap_row, HEAP_GAP_ROW);

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

ROW_STRUCT(heap_site_row, HEAP_SITE_ROW);

#define HEAP_PROBES_ROW(F, S)                                                                      \
	F(S, U64, sites, ALWAYS, "number of functions probed")                                     \
	F(S, U64, files, ALWAYS, "number of programs and libraries probed")                        \
	F(S, U64, single_stepped, ALWAYS,                                                          \
		"probed functions that are single-stepped (about 20 times the overhead)")          \
	F(S, U64, attach_ns, MAYBE(cost_state), "time that attaching all uprobes took",            \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, U64, forgotten_ns, detach_ns, WITH(cost_state),                                \
		"time that removing all uprobes took", .unit = SOOTH_UNIT_NS)                      \
	F(S, U64, sessions, MAYBE(sessions_state),                                                 \
		"number of links that probe the return of a call only if it is needed")

ROW_STRUCT(heap_probes_row, HEAP_PROBES_ROW);

extern const struct sooth_schema heap_totals_schema;
extern const struct sooth_schema heap_type_schema;
extern const struct sooth_schema heap_size_schema;
extern const struct sooth_schema heap_process_schema;
extern const struct sooth_schema heap_gap_schema;
extern const struct sooth_schema heap_site_schema;
extern const struct sooth_schema heap_probes_schema;

/* Where the sections go. */
struct heap_scope {
	struct output *output;
	struct section section;		      /* the open section */
	struct heap_resident_growth resident; /* growth of the processes; zeros: unknown */
	struct heap_elsewhere *elsewhere;     /* what grew otherwise */
	bool is_of_kept;		      /* what is kept was asked for, not only what grows */
	const char *without_stacks;	      /* why no stack is there; NULL: none was made */
	bool is_behind;			      /* the sections are details: an answer precedes */
	const char *loss_remedy;	      /* advice how fewer calls are lost */
	size_t rows_most; /* most rows of a bounded table in text; 0: the table's own */
	char age[48];	  /* text after the titles of such tables; may be empty */
	char title[160];
};

/* Opens a section, and closes the open one. */
int heap_section(struct heap_scope *scope, const struct section *section, struct sooth_error *err);
/* States of values that may be missing: single calls do not give `unfinished`, and sampled calls do
 * not give `times`. */
struct heap_type_states {
	uint8_t unfinished, times;
};
/* Emits allocations by function. `blind`: why nothing was observed, so that a count of 0 calls
 * means nothing; else NULL. */
int heap_emit_types(struct heap_scope *scope, const struct heap_sums *sums,
	const struct heap_type_states *states, const char *blind, struct sooth_error *err);
int heap_emit_sizes(
	struct heap_scope *scope, const struct heap_sums *sums, struct sooth_error *err);
/* Emits a row for each process. `by_calls`: the sums come from single calls, not from aggregates.
 * `live_state`: state of the values that only single calls give. */
int heap_emit_processes(struct heap_scope *scope, const struct heap_live *live, bool by_calls,
	uint8_t live_state, struct sooth_error *err);
/* Returns the number of processes in the table of heap_emit_processes(). */
uint64_t heap_emit_count(const struct heap_live *live);
