/* SPDX-License-Identifier: BSD-2-Clause */
/* Every allocator call, one per line, in the format of memtrack. The record itself is the row: only
 * member names differ. System calls that map memory are lines too. */
#include "analyze/heap/heap_lines.h"

#include <errno.h>
#include <string.h>

#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/heap.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

/* Types of system calls, with numbers far from those of allocator functions. */
enum { LINE_MMAP = 240, LINE_MUNMAP, LINE_BRK, LINE_TYPES };

static const char *const type_names[LINE_TYPES] = {
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
	[LINE_MMAP] = "Mmap",
	[LINE_MUNMAP] = "Munmap",
	[LINE_BRK] = "Brk",
};
static const struct sooth_names types = { LINE_TYPES, type_names };

#define LINE_ROW(F, S)                                                                             \
	F(S, PID)                                                                                  \
	F(S, TID)                                                                                  \
	F(S, RECORD, U64, time_ns, timestamp, ALWAYS,                                              \
		"time the call returned, or Free was called (CLOCK_MONOTONIC)",                    \
		.unit = SOOTH_UNIT_TIME_NS)                                                        \
	F(S, ALSO, U64, address, addr, ALWAYS,                                                     \
		"address of the allocated or freed block; 0: no memory returned",                  \
		.unit = SOOTH_UNIT_HEX)                                                            \
	F(S, ALSO, ENUM8, function, type, ALWAYS,                                                  \
		"call: Malloc, Free, Calloc, Realloc, AlignedAlloc; Mmap, Munmap, Brk",            \
		.names = &types)                                                                   \
	F(S, ALSO, U64, size, size, WITH(size_state),                                              \
		"bytes requested or unmapped; null for Free, 0 for Brk")                           \
	F(S, ALSO, U64, old_address, old_addr, WITH(old_address_state),                            \
		"address of the block passed to Realloc; 0: none", .unit = SOOTH_UNIT_HEX)         \
	F(S, ALSO, ERRNO32, error, error, WITH(error_state),                                       \
		"errno name of a failed call. posix_memalign: the value that it returned. Other "  \
		"functions: the errno that malloc(3) documents. aligned_alloc and memalign, "      \
		"which have two: null")

static ROW_SCHEMA(line, LINE_ROW, "allocations", heap_call,
	.line = "{timestamp} {tid}: {type}[ {size}][ of {old_addr}] = {addr}[ {error}]");

static const struct section line_section = SECTION_OF("allocation", line_schema, STREAM);

struct lines_state {
	struct output *output;
	struct heap_lines_options options;
	bool has_section, has_counts, has_calls;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct lines_state *s = state;

	(void)err;
	s->output = output;
	if (options)
		s->options = *(const struct heap_lines_options *)options;
	return 0;
}

/* --- calls of an allocator --- */

/* Returns whether the call is a line; a realloc that only freed becomes a free. */
static bool gave_or_took(struct heap_call *c)
{
	if (c->address || c->size_state != SOOTH_STATE_VALUE)
		return c->address != 0;
	if (c->size || c->old_address_state != SOOTH_STATE_VALUE || !c->old_address)
		return false;
	c->function = HEAP_FREE;
	c->address = c->old_address;
	c->size_state = c->old_address_state = SOOTH_STATE_ABSENT;
	return true;
}

/* Returns whether a request failed; for malloc(3) the only reason is lack of memory. */
static bool has_failed(const struct heap_call *c)
{
	return !c->address && c->size && c->size_state == SOOTH_STATE_VALUE &&
	       c->error_state != SOOTH_STATE_VALUE && c->function != HEAP_ALIGNED_ALLOC &&
	       c->function != HEAP_MEMALIGN;
}

static int add_call(struct lines_state *s, const struct sooth_record *r, struct sooth_error *err)
{
	struct heap_call call;

	s->has_calls = true;
	if (!record_holds(r, HEAP_CALL_LEAST))
		return output_record(s->output, r, err);
	call = (struct heap_call){ 0 };
	memcpy(&call, r, HEAP_CALL_LEAST);
	call.record.words = call.record.fixed_words = HEAP_CALL_LEAST / SOOTH_RECORD_WORD;
	if (s->options.only_memory && !gave_or_took(&call))
		return 0;
	if (has_failed(&call)) {
		call.error = ENOMEM;
		call.error_state = SOOTH_STATE_VALUE;
	}
	return output_record(s->output, &call.record, err);
}

/* --- calls that map memory --- */

static uint8_t mapping_of(const struct syscalls_call *c)
{
	const struct syscall_row *row = syscall_row_of(c->abi, c->number);

	/* A variant of mmap on i386 has its arguments behind a pointer. */
	if (row->traits & SYSCALL_MAPS)
		return row->argument_count > 1 ? LINE_MMAP : 0;
	if (row->traits & SYSCALL_UNMAPS)
		return LINE_MUNMAP;
	return row->traits & SYSCALL_BREAKS && c->arguments[0] ? LINE_BRK : 0;
}

static int add_mapping(struct lines_state *s, const struct sooth_record *r, struct sooth_error *err)
{
	const struct syscalls_call *c = (const void *)r;
	uint8_t function = mapping_of(c);
	struct heap_call line = { .record = *r, .function = function };

	/* A failed call returns a small negative number. */
	if (!function || c->result_state != SOOTH_STATE_VALUE ||
		(c->result < 0 && c->result > -4096))
		return 0;
	line.record.words = line.record.fixed_words = HEAP_CALL_LEAST / SOOTH_RECORD_WORD;
	line.address = function == LINE_MUNMAP ? c->arguments[0] : (uint64_t)c->result;
	line.size = function == LINE_BRK ? 0 : c->arguments[1];
	line.old_address_state = line.error_state = SOOTH_STATE_ABSENT;
	return output_record(s->output, &line.record, err);
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
		if (!status && r->kind == HEAP_CALL)
			status = add_call(s, r, err);
		else if (!status && r->kind == SYSCALLS_CALL &&
			 record_holds(r, SYSCALLS_CALL_LEAST))
			status = add_mapping(s, r, err);
	}
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct lines_state *s = state;

	if (s->has_counts && !s->has_calls)
		output_limit(s->output, "every allocation",
			"the kernel only counted the calls: single calls were not recorded",
			"`sooth heap --exact PID` records each call");
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
	STAGE_FUNCTIONS(struct lines_state),
};
