/* SPDX-License-Identifier: BSD-2-Clause */
/* Every allocator call, one per line, in the format of memtrack. The record itself is the row: only
 * member names differ. System calls that map memory are lines too; on request, as in later versions
 * of memtrack, changes of resident memory, and forks, execs and exits. */
#include "analyze/heap/heap_lines.h"

#include <errno.h>
#include <string.h>

#include "analyze/records.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "base/map.h"
#include "model/stream_records.h"
#include "probes/heap.h"
#include "probes/resident.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#define PROCESSES_MAX 16384

/* Other types, with numbers far from those of allocator functions. */
enum {
	LINE_MMAP = 240,
	LINE_MUNMAP,
	LINE_BRK,
	LINE_RSS,
	LINE_RMAP,
	LINE_FORK,
	LINE_EXEC,
	LINE_EXIT,
	LINE_TYPES,
};

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
	[LINE_RSS] = "Rss",
	[LINE_RMAP] = "Rmap",
	[LINE_FORK] = "Fork",
	[LINE_EXEC] = "Exec",
	[LINE_EXIT] = "Exit",
};
static const struct sooth_names types = { LINE_TYPES, type_names };

struct line {
	union {
		struct sooth_record record;
		struct heap_call call;
	};
	int64_t delta;
	uint32_t member, parent_pid;
	uint8_t delta_state, member_state, parent_state;
	uint8_t unused[5];
};

#define LINE_ROW(F, S)                                                                             \
	F(S, PID)                                                                                  \
	F(S, TID)                                                                                  \
	F(S, RECORD, U64, time_ns, timestamp, ALWAYS,                                              \
		"time the call returned, or Free was called (CLOCK_MONOTONIC)",                    \
		.unit = SOOTH_UNIT_TIME_NS)                                                        \
	F(S, ALSO, U64, call.address, addr, ALWAYS,                                                \
		"address of the allocated or freed block; 0: no memory returned",                  \
		.unit = SOOTH_UNIT_HEX)                                                            \
	F(S, ALSO, ENUM8, call.function, type, ALWAYS,                                             \
		"call: Malloc, Free, Calloc, Realloc, AlignedAlloc; Mmap, Munmap, Brk; on "        \
		"request Rss, Rmap, Fork, Exec, Exit",                                             \
		.names = &types)                                                                   \
	F(S, ALSO, U64, call.size, size, WITH(call.size_state),                                    \
		"bytes requested or unmapped; null for Free, 0 for Brk; Rss: bytes of the member") \
	F(S, ALSO, U64, call.old_address, old_addr, WITH(call.old_address_state),                  \
		"address of the block passed to Realloc; 0: none", .unit = SOOTH_UNIT_HEX)         \
	F(S, ALSO, ERRNO32, call.error, error, WITH(call.error_state),                             \
		"errno name of a failed call. posix_memalign: the value that it returned. Other "  \
		"functions: the errno that malloc(3) documents. aligned_alloc and memalign, "      \
		"which have two: null")                                                            \
	F(S, ALSO, U32, member, member, WITH(member_state),                                        \
		"kind of memory of Rss and Rmap: 0 file, 1 anonymous, 2 swapped, 3 shared")        \
	F(S, ALSO, I64, delta, delta, WITH(delta_state),                                           \
		"pages that Rmap added to this kind since its last line; negative: removed")       \
	F(S, ALSO, U32, parent_pid, parent_pid, WITH(parent_state), "parent of a forked process")

static ROW_SCHEMA(line, LINE_ROW, "allocations", line,
	.line = "{timestamp} {tid}: {type}[ {size}][ of {old_addr}] = {addr}[ {error}]"
		"[ member {member}][ {delta} pages][ parent {parent_pid}]");

static const struct section line_section = SECTION_OF("allocation", line_schema, STREAM);

struct lines_process {
	uint64_t bytes[RESIDENT_MEMBERS]; /* of its last lines */
	bool has_ended;
};

struct lines_state {
	struct output *output;
	struct heap_lines_options options;
	struct map resident; /* process_id -> struct lines_process */
	bool has_section, has_counts, has_calls;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct lines_state *s = state;

	(void)err;
	s->output = output;
	if (options)
		s->options = *(const struct heap_lines_options *)options;
	map_init(&s->resident, sizeof(struct process_id), sizeof(struct lines_process),
		PROCESSES_MAX);
	return 0;
}

/* Returns a line without the members that few types have. */
static struct line line_of(const struct sooth_record *r, uint8_t type)
{
	struct line line = { .call = { .record = *r,
				     .function = type,
				     .size_state = SOOTH_STATE_ABSENT,
				     .old_address_state = SOOTH_STATE_ABSENT,
				     .error_state = SOOTH_STATE_ABSENT },
		.delta_state = SOOTH_STATE_ABSENT,
		.member_state = SOOTH_STATE_ABSENT,
		.parent_state = SOOTH_STATE_ABSENT };

	line.record.words = line.record.fixed_words = sizeof(line) / SOOTH_RECORD_WORD;
	return line;
}

static int put_call(struct lines_state *s, const struct heap_call *call, struct sooth_error *err)
{
	struct line line = line_of(&call->record, call->function);
	struct sooth_record head = line.record;

	memcpy(&line.call, call, HEAP_CALL_LEAST);
	line.record = head;
	return output_record(s->output, &line.record, err);
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
	if (s->options.only_memory && !gave_or_took(&call))
		return 0;
	if (has_failed(&call)) {
		call.error = ENOMEM;
		call.error_state = SOOTH_STATE_VALUE;
	}
	return put_call(s, &call, err);
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
	line.address = function == LINE_MUNMAP ? c->arguments[0] : (uint64_t)c->result;
	line.size = function == LINE_BRK ? 0 : c->arguments[1];
	line.old_address_state = line.error_state = SOOTH_STATE_ABSENT;
	return put_call(s, &line, err);
}

/* --- resident memory and processes --- */

static int put_member(struct lines_state *s, const struct resident_level *level, uint32_t member,
	uint64_t before, struct sooth_error *err)
{
	struct line line = line_of(&level->record, LINE_RSS);
	int status;

	line.member = member;
	line.member_state = SOOTH_STATE_VALUE;
	line.call.size = level->bytes[member];
	line.call.size_state = SOOTH_STATE_VALUE;
	status = output_record(s->output, &line.record, err);
	if (status || !s->options.has_rmap || !level->page_bytes)
		return status;
	line.call.function = LINE_RMAP;
	line.call.size_state = SOOTH_STATE_ABSENT;
	line.delta = (int64_t)(level->bytes[member] - before) / (int64_t)level->page_bytes;
	line.delta_state = SOOTH_STATE_VALUE;
	return output_record(s->output, &line.record, err);
}

static int add_level(
	struct lines_state *s, const struct resident_level *level, struct sooth_error *err)
{
	struct process_id id = process_id_of(&level->record);
	struct lines_process *known = map_put(&s->resident, &id, NULL);
	int status = 0;

	if (!known || known->has_ended)
		return 0;
	for (uint32_t i = 0; i < RESIDENT_MEMBERS && !status; i++) {
		if (known->bytes[i] != level->bytes[i])
			status = put_member(s, level, i, known->bytes[i], err);
		known->bytes[i] = level->bytes[i];
	}
	return status;
}

static int add_process_event(
	struct lines_state *s, const struct sooth_record *r, struct sooth_error *err)
{
	const struct process_join *join = record_as(r, PROCESS_JOIN, sizeof(*join));
	struct process_id id = process_id_of(r);
	struct lines_process *known;
	struct line line = line_of(r, join			? LINE_FORK
				      : r->kind == PROCESS_EXEC ? LINE_EXEC
								: LINE_EXIT);

	/* The first process of a target has no parent in it. */
	if (join && !join->parent_pid)
		return 0;
	if (join) {
		line.parent_pid = join->parent_pid;
		line.parent_state = SOOTH_STATE_VALUE;
	}
	known = r->kind == PROCESS_LEAVE ? map_put(&s->resident, &id, NULL) : NULL;
	if (known)
		known->has_ended = true;
	return output_record(s->output, &line.record, err);
}

static int add_memory_event(
	struct lines_state *s, const struct sooth_record *r, struct sooth_error *err)
{
	const struct resident_level *level = record_as(r, RESIDENT_LEVEL, sizeof(*level));
	const struct stream_loss *loss = record_as(r, STREAM_LOSS, sizeof(*loss));
	struct span source = loss ? record_text(r, &loss->source) : span_of("", 0);

	if (s->options.lost && (span_equal(source, "resident") || span_equal(source, "process")))
		*s->options.lost += loss->records;
	if (level)
		return add_level(s, level, err);
	return r->kind == PROCESS_JOIN || r->kind == PROCESS_EXEC || r->kind == PROCESS_LEAVE
		       ? add_process_event(s, r, err)
		       : 0;
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
		else if (!status && s->options.has_rss)
			status = add_memory_event(s, r, err);
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
	map_fini(&((struct lines_state *)state)->resident);
}

const struct stage_type stage_heap_lines = {
	.name = "heap-lines",
	.help = "every allocation and free, one line each",
	.shows = "heap",
	STAGE_FUNCTIONS(struct lines_state),
};
