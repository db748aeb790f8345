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

ROW_FIELDS(heap_totals_fields, HEAP_TOTALS_ROW, heap_totals_row);

ROW_FIELDS(heap_type_fields, HEAP_TYPE_ROW, heap_type_row);

ROW_FIELDS(heap_size_fields, HEAP_SIZE_ROW, heap_size_row);

ROW_FIELDS(heap_process_fields, HEAP_PROCESS_ROW, heap_process_row);

ROW_FIELDS(heap_gap_fields, HEAP_GAP_ROW, heap_gap_row);

ROW_FIELDS(heap_site_fields, HEAP_SITE_ROW, heap_site_row);

ROW_FIELDS(heap_probes_fields, HEAP_PROBES_ROW, heap_probes_row);

ROW_SCHEMA(heap_totals, "heap.totals", heap_totals_row,
	.line = "{calls call}[, {rate_per_s} per second]: {allocated_bytes} allocated[, "
		"{freed_bytes} freed], {failed} failed[\nlive at the end: {live_bytes} in "
		"{live_blocks block}; peak {peak_bytes} after {peak_after_ns}][\nnot exact: "
		"{inexact}]");
ROW_SCHEMA(heap_type, "heap.by_function", heap_type_row);
ROW_SCHEMA(heap_size, "heap.sizes", heap_size_row);
ROW_SCHEMA(heap_process, "heap.processes", heap_process_row);
ROW_SCHEMA(heap_gap, "heap.gaps", heap_gap_row);
ROW_SCHEMA(heap_site, "heap.sites", heap_site_row);
ROW_SCHEMA(heap_probes, "heap.probes", heap_probes_row,
	.line = "probed: {sites function} in {files file}, {single_stepped} single-stepped[; "
		"attached in {attach_ns}, detached in {detach_ns}]");
