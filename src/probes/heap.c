/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the heap probe. */
#include "probes/heap.h"

#include "model/probe.h"
#include "model/schema.h"
#include "probes/pause.h"
#include "probes/profile.h"

static const char *const function_names[] = { "malloc", "free", "calloc", "realloc", "reallocarray",
	"aligned_alloc", "posix_memalign", "memalign", "valloc", "pvalloc" };
static const struct sooth_names functions = { HEAP_FUNCTIONS, function_names };

_Static_assert(sizeof(function_names) / sizeof(function_names[0]) == HEAP_FUNCTIONS,
	"each function has its name");

#define FIELD_FUNCTION(type_)                                                                      \
	{                                                                                          \
		.name = "function", .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, function),           \
		.names = &functions, .help = "allocator function: malloc, free, calloc, ..."       \
	}
#define FIELD_ADDRESS(type_, member_, help_, ...)                                                  \
	{                                                                                          \
		.name = #member_, .type = SOOTH_FIELD_UNSIGNED, FIELD_AT(type_, member_),          \
		.unit = SOOTH_UNIT_HEX, .help = help_, ##__VA_ARGS__                               \
	}
#define FIELD_TIME(type_, member_, name_, help_, ...)                                              \
	{                                                                                          \
		.name = name_, .type = SOOTH_FIELD_UNSIGNED, FIELD_AT(type_, member_),             \
		.unit = SOOTH_UNIT_TIME_NS, .help = help_, ##__VA_ARGS__                           \
	}

static const struct sooth_field count_fields[] = {
	FIELD_PID(heap_count),
	FIELD_TID(heap_count),
	FIELD_TIME(heap_count, from_ns, "start_ns",
		"start of the counted time window; time_ns is its end", .merge = SOOTH_MERGE_MIN),
	FIELD_FUNCTION(heap_count),
	FIELD_NUMBER(heap_count, count,
		"outermost allocator calls that returned; for free: calls made",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_count, failed, "failed allocator calls: no memory was returned",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_count, overflows, "allocator calls with a count times size over 64 bits",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_count, unfinished, "calls still running at the end of the measurement",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_count, bytes, "bytes requested by successful allocator calls",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_count, total_ns, "total time in the allocator calls",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_count, max_ns, "time of the longest allocator call",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_MAX),
	FIELD_OF(BOOL, heap_count, is_partial, is_partial,
		"of some calls, which were no samples, only the begin was seen: failures may be "
		"missing"),
	FIELD_OF(HISTOGRAM, heap_count, histogram, histogram_bytes,
		"histogram: slot i counts requested sizes from 2^i to 2^(i+1) bytes",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
};

static const struct sooth_field call_fields[] = {
	FIELD_TIME(heap_call, record.time_ns, "time_ns",
		"time the allocator call returned; for free: was called"),
	FIELD_PID(heap_call),
	FIELD_TID(heap_call),
	FIELD_FUNCTION(heap_call),
	FIELD_ADDRESS(heap_call, address,
		"address of the allocated or freed block; 0: no memory returned"),
	FIELD_AS_WITH(UNSIGNED, heap_call, size, size_bytes, size_state,
		"bytes requested from the allocator", .unit = SOOTH_UNIT_BYTES),
	FIELD_ADDRESS(heap_call, old_address, "address of the block passed to realloc",
		FIELD_STATE_AT(heap_call, old_address_state)),
	FIELD_NUMBER(heap_call, duration_ns, "time from the start of the call to its return",
		.unit = SOOTH_UNIT_NS),
	FIELD_WITH(ERRNO, heap_call, error, error_state, "errno name of the failed posix_memalign"),
	FIELD_OF(BOOL, heap_call, is_overflow, is_overflow,
		"requested count times size does not fit in 64 bits"),
	FIELD_NUMBER(heap_call, alignment_log2, "requested alignment, as exponent of two; 0: none"),
	FIELD_AS_WITH(UNSIGNED, heap_call, stack, stack_number, stack_state,
		"number of the caller's stack; absent: stacks were not requested, or a free"),
};

static const struct sooth_field sum_fields[] = {
	FIELD_PID(heap_sum),
	FIELD_TIME(heap_sum, from_ns, "start_ns",
		"start of the counted time window; time_ns is its end", .merge = SOOTH_MERGE_MIN),
	FIELD_NUMBER(heap_sum, calls, "successful allocator calls of this stack and size class",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_sum, allocated_bytes, "bytes requested by these calls",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_sum, freed_blocks, "blocks of this stack and size class that were freed",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_sum, freed_bytes, "bytes of these blocks", .unit = SOOTH_UNIT_BYTES,
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_sum, short_blocks, "of these blocks those freed within 10 ms",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_sum, short_bytes, "bytes of the blocks freed within 10 ms",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_sum, program, "program of the process: each exec raises it"),
	FIELD_NUMBER(heap_sum, size_class,
		"size class: the exponent of two times 4, and the next two bits of the size"),
	FIELD_AS_WITH(UNSIGNED, heap_sum, stack, stack_number, stack_state,
		"number of the caller's stack"),
	FIELD_NUMBER(heap_sum, sample_bytes,
		"bytes allocated between two samples, on average; 0: all blocks, not samples",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER_AS(heap_sum, sampled_size, sampled_size_bytes,
		"size of each sampled block, to nine bits; 0: not "
		"sampled",
		.unit = SOOTH_UNIT_BYTES),
};

static const struct sooth_field held_fields_of_process[] = {
	FIELD_PID(heap_held),
	FIELD_NUMBER(
		heap_held, live_bytes, "bytes allocated and not freed", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(heap_held, live_blocks, "blocks allocated and not freed"),
	FIELD_NUMBER(heap_held, peak_bytes, "most live bytes at a time", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(heap_held, freed_bytes, "bytes of blocks that were freed",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(heap_held, frees_unknown, "frees of blocks whose allocation was not seen"),
	FIELD_NUMBER(heap_held, untracked_blocks,
		"allocated blocks for which the kernel's table had no room"),
	FIELD_NUMBER(heap_held, untracked_bytes, "bytes of the untracked blocks",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(heap_held, unsummed_blocks,
		"allocated blocks without a stack, or for whose sum the table had no room"),
	FIELD_NUMBER(heap_held, unsummed_bytes, "bytes of these blocks", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(heap_held, program, "program of the process: each exec raises it"),
	FIELD_OF(BOOL, heap_held, is_forked, is_forked,
		"the process was forked and has run no other program: it frees copies of its "
		"parent's blocks"),
	FIELD_NUMBER(heap_held, sample_bytes,
		"bytes allocated between two samples, on average; 0: all blocks, not samples",
		.unit = SOOTH_UNIT_BYTES),
};

static const char *const bad_whats[] = { "freed twice", "not the start of a block",
	"on the stack" };
const struct sooth_names heap_bad_whats = { HEAP_BAD_WHATS, bad_whats };

_Static_assert(sizeof(bad_whats) / sizeof(bad_whats[0]) == HEAP_BAD_WHATS, "each has its name");

static const struct sooth_field bad_free_fields[] = {
	FIELD_TIME(heap_bad_free, record.time_ns, "time_ns", "time of the free"),
	FIELD_PID(heap_bad_free),
	FIELD_TID(heap_bad_free),
	FIELD_OF(ENUM, heap_bad_free, what, what,
		"what is wrong: freed twice, not the start of a block, on the stack",
		.names = &heap_bad_whats),
	FIELD_ADDRESS(heap_bad_free, address, "address that was freed"),
	FIELD_AS_WITH(UNSIGNED, heap_bad_free, size, size_bytes, block_state,
		"bytes that the freed block had", .unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, heap_bad_free, freed_ago_ns, block_state,
		"time since the block was freed before", .unit = SOOTH_UNIT_NS),
	FIELD_AS_WITH(UNSIGNED, heap_bad_free, stack, stack_number, stack_state,
		"number of the caller's stack"),
};

static const struct sooth_field gap_fields[] = {
	FIELD_TIME(heap_gap, record.time_ns, "time_ns", "time the program or library was probed"),
	FIELD_PID(heap_gap),
	FIELD_TIME(heap_gap, from_ns, "start_ns", "time the program or library was loaded"),
	FIELD_STRING(heap_gap, path, "path of the program or library"),
	FIELD_OF(BOOL, heap_gap, is_of_samples, is_of_samples,
		"all calls were counted; only when the sampled blocks were freed is not known"),
};

static const struct sooth_field cost_fields[] = {
	FIELD_NUMBER(heap_cost, attach_ns, "time that attaching all uprobes took",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER_AS(heap_cost, forgotten_ns, detach_ns,
		"time that taking all uprobes out took; their definitions are removed behind it",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(heap_cost, sites, "number of probed instructions"),
	FIELD_NUMBER_AS(heap_cost, events, perf_events, "number of perf events used by the probes"),
	FIELD_NUMBER(heap_cost, descriptors, "number of file descriptors used by the probes"),
	FIELD_NUMBER(heap_cost, sessions,
		"number of links that probe the return of a call only if it is needed"),
};

static const struct sooth_field overhead_fields[] = {
	FIELD_PID(heap_overhead),
	FIELD_OF(CHARS, heap_overhead, name, name, "name of the process"),
	FIELD_TIME(heap_overhead, from_ns, "start_ns", "time of the first hit"),
	FIELD_NUMBER(heap_overhead, hits_ns, "time from the first hit to the last one",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(heap_overhead, cpu_ns,
		"time on a CPU that the process used while it was observed", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_SUM),
	FIELD_WITH(UNSIGNED, heap_overhead, probes_ns, cost_state,
		"of this, time at probes: hits times what each takes, and the programs' time",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_overhead, programs_ns,
		"time in sooth's programs at the probes: that of one hit in 61, times 61",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_overhead, entries, "hits of probes where functions begin",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_overhead, returns, "hits of return probes", .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(heap_overhead, stepped, "hits of probes at return instructions",
		.merge = SOOTH_MERGE_SUM),
	FIELD_WITH(UNSIGNED, heap_overhead, entry_ns, cost_state,
		"what the kernel takes for an entry, as sooth measured in itself",
		.unit = SOOTH_UNIT_NS),
	FIELD_WITH(UNSIGNED, heap_overhead, return_ns, return_state, "what it takes for a return",
		.unit = SOOTH_UNIT_NS),
	FIELD_WITH(UNSIGNED, heap_overhead, stepped_ns, cost_state,
		"what it takes for a return instruction", .unit = SOOTH_UNIT_NS),
};

static const struct sooth_field site_fields[] = {
	FIELD_PID(heap_site),
	FIELD_FUNCTION(heap_site),
	FIELD_STRING(heap_site, path,
		"path of the executable or library with the probe, as the process sees it"),
	FIELD_NUMBER(heap_site, device, "device number of the probed file"),
	FIELD_NUMBER(heap_site, inode, "inode number of the probed file"),
	FIELD_ADDRESS(heap_site, entry, "offset of the function in the probed file"),
	FIELD_ADDRESS(heap_site, offset, "offset of the probed instruction in the file"),
	FIELD_OF(BOOL, heap_site, has_return, has_return,
		"the return of the function is probed too"),
	FIELD_OF(BOOL, heap_site, is_emulated, is_emulated,
		"the kernel emulates the probed instruction; if not: single-stepped, 20 times "
		"slower"),
	FIELD_STRING_AS(heap_site, why, reason, "reason why this function was probed"),
};

RECORD_SCHEMA(heap_count, 232, "heap.count", HEAP_COUNT, AGGREGATE, count_fields,
	.time_span = SOOTH_TIME_SPAN_WINDOW);
RECORD_SCHEMA(heap_sum, 120, "heap.sum", HEAP_SUM, AGGREGATE, sum_fields,
	.time_span = SOOTH_TIME_SPAN_WINDOW);
RECORD_SCHEMA(heap_held, 120, "heap.held", HEAP_HELD, SAMPLE, held_fields_of_process);
/* A bad free is no event of the stream of calls: it is recorded with the sums of calls. */
RECORD_SCHEMA(heap_bad_free, 72, "heap.bad_free", HEAP_BAD_FREE, SAMPLE, bad_free_fields);
RECORD_SCHEMA(heap_call, 80, "heap.call", HEAP_CALL, EVENT, call_fields);
RECORD_SCHEMA(
	heap_gap, 56, "heap.gap", HEAP_GAP, SAMPLE, gap_fields, .time_span = SOOTH_TIME_SPAN_REACH);
RECORD_SCHEMA(pause_event, 72, "heap.hold", HEAP_PAUSE, SAMPLE, held_fields);
RECORD_SCHEMA(heap_cost, 64, "heap.cost", HEAP_COST, SAMPLE, cost_fields,
	.time_span = SOOTH_TIME_SPAN_RUN);
RECORD_SCHEMA(heap_overhead, 128, "heap.overhead", HEAP_OVERHEAD, SAMPLE, overhead_fields,
	.time_span = SOOTH_TIME_SPAN_REACH);
RECORD_SCHEMA(heap_site, 88, "heap.site", HEAP_SITE, DEFINITION, site_fields);

static const struct sooth_schema *const schemas[] = { &heap_count_schema, &heap_call_schema,
	&heap_gap_schema, &pause_event_schema, &heap_cost_schema, &heap_site_schema,
	&heap_stack_schema, &heap_frame_schema, &heap_sum_schema, &heap_held_schema,
	&heap_bad_free_schema, &heap_overhead_schema, NULL };

const struct probe probe_heap = {
	.name = "heap",
	.help = "memory allocations: counts, bytes and sizes by function, or every call",
	.offers = INTEREST_COUNT | INTEREST_STREAM,
	.beside_stream = INTEREST_COUNT,
	.schemas = schemas,
};
