/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call of the allocator, a line each, in the format of memtrack. The record itself is the
 * row: only the names of its members differ.
 */
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/heap.h"

static const char *const type_names[HEAP_FUNCTIONS] = {
	[HEAP_MALLOC] = "Malloc",
	[HEAP_FREE] = "Free",
	[HEAP_CALLOC] = "Calloc",
	[HEAP_REALLOC] = "Realloc",
	[HEAP_REALLOCARRAY] = "Realloc",
	[HEAP_ALIGNED_ALLOC] = "AlignedAlloc",
	[HEAP_POSIX_MEMALIGN] = "AlignedAlloc",
	[HEAP_MEMALIGN] = "AlignedAlloc",
	[HEAP_VALLOC] = "AlignedAlloc",
	[HEAP_PVALLOC] = "AlignedAlloc",
};
static const struct sooth_names types = { HEAP_FUNCTIONS, type_names };

#define LINE_ROW(F, S)                                                                             \
	F(S, PID)                                                                                  \
	F(S, TID)                                                                                  \
	F(S, RECORD, U64, time_ns, timestamp, ALWAYS,                                              \
		"time the call returned; for Free: was called (CLOCK_MONOTONIC)",                  \
		.unit = SOOTH_UNIT_TIME_NS)                                                        \
	F(S, ALSO, U64, address, addr, ALWAYS,                                                     \
		"address of the allocated or freed block; 0: no memory returned",                  \
		.unit = SOOTH_UNIT_HEX)                                                            \
	F(S, ALSO, ENUM8, function, type, ALWAYS,                                                  \
		"allocator call: Malloc, Free, Calloc, Realloc or AlignedAlloc", .names = &types)  \
	F(S, ALSO, U64, size, size, WITH(size_state),                                              \
		"bytes requested from the allocator; null for Free")                               \
	F(S, ALSO, U64, old_address, old_addr, WITH(old_address_state),                            \
		"address of the block passed to Realloc; 0: none", .unit = SOOTH_UNIT_HEX)         \
	F(S, ALSO, ERRNO32, error, error, WITH(error_state),                                       \
		"errno name of the failed posix_memalign")

ROW_FIELDS(line_fields, LINE_ROW, heap_call);

static ROW_SCHEMA(line, "allocations", heap_call,
	.line = "{timestamp} {tid}: {type}[ {size}][ of {old_addr}] = {addr}[ {error}]");

static const struct section line_section = {
	.name = "allocation",
	.schema = &line_schema,
	.shape = SECTION_STREAM,
};

struct lines_state {
	struct output *output;
	bool has_section, has_counts, has_calls;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct lines_state *s = state;

	(void)options;
	(void)err;
	s->output = output;
	return 0;
}

static int begin_once(struct lines_state *s, struct sooth_error *err)
{
	if (s->has_section)
		return 0;
	s->has_section = true;
	return output_section(s->output, &line_section, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct lines_state *s = state;
	int status = begin_once(s, err);

	batch_for_each (r, batch) {
		s->has_counts |= r->kind == HEAP_COUNT;
		if (status || r->kind != HEAP_CALL)
			continue;
		s->has_calls = true;
		status = output_record(s->output, r, err);
	}
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct lines_state *s = state;

	if (s->has_counts && !s->has_calls)
		output_limit(s->output, "every allocation",
			"the kernel only counted the calls: single calls were not recorded",
			"run `sooth heap PID` without --count: then each call is recorded");
	return begin_once(s, err);
}

static void fini(void *state)
{
	(void)state;
}

const struct stage_type stage_heap_lines = {
	.name = "heap-lines",
	.help = "every allocation and free, one line each",
	.shows = "heap",
	.state_size = sizeof(struct lines_state),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};
