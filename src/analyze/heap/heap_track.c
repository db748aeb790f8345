/* SPDX-License-Identifier: BSD-2-Clause */
/* All allocations and frees in heaptrack's file format: texts, code addresses, trees of stacks,
 * kinds of allocations (size and stack), then events. Names come at the end of a recording, so
 * events are kept until then, eight bytes each. The format has no processes: all are merged. */
#include <stdlib.h>
#include <string.h>

#include "analyze/heap/heap_by_stack.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/process_id.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/heap.h"

#define HEAPTRACK_VERSION 0x10400
#define FILE_VERSION	  3
#define EVENTS_MAX	  ((size_t)32 << 20)
#define TABLE_MAX	  (1u << 22)
#define NUMBERS_MAX	  5

/* A line: its letter, then numbers of eight bytes, or a text. */
#define TRACK_ROW(F, S)                                                                            \
	F(S, NAMED, U32, letter, heaptrack_letter, ALWAYS,                                         \
		"the letter that begins the line, as a number")                                    \
	F(S, TEXT, numbers, ALWAYS, "numbers of the line, eight bytes each")                       \
	F(S, TEXT, text, MAYBE(text_state), "text of the line")

ROW_TABLE(track, TRACK_ROW, "heap_track", track_row);

static const struct section track_section = SECTION_OF("heap_track", track_schema, STREAM);

/* An event: a time, or the kind of a block. */
enum { EVENT_TIME, EVENT_ALLOCATED, EVENT_FREED };
#define EVENT_BITS 2

struct block_key {
	struct process_id process;
	uint64_t address;
};

struct kind_key {
	uint64_t size;
	uint32_t stack, unused;
};

struct code_key {
	uint64_t offset;
	uint32_t name, file;
};

struct tree_key {
	uint32_t code, caller;
};

struct track_state {
	struct output *output;
	struct profile_sums sums;
	struct map blocks;	 /* struct block_key -> uint32_t: number of its kind */
	struct map kinds;	 /* struct kind_key -> uint32_t, from 0 */
	struct buffer kind_list; /* struct kind_key, in order of their numbers */
	struct buffer events;	 /* uint64_t */
	uint64_t begin_ns, last_ms, memory_bytes;
	uint32_t page_bytes;
	struct buffer command;
	struct map texts; /* uint32_t of sums.names -> uint32_t, from 1 */
	struct map codes; /* struct code_key -> uint32_t, from 1 */
	struct map trees; /* struct tree_key -> uint32_t, from 1 */
	bool has_sums, is_full;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct track_state *s = state;

	(void)options;
	(void)err;
	s->output = output;
	heap_by_stack_init(&s->sums);
	map_init(&s->blocks, sizeof(struct block_key), sizeof(uint32_t), TABLE_MAX);
	map_init(&s->kinds, sizeof(struct kind_key), sizeof(uint32_t), TABLE_MAX);
	map_init(&s->texts, sizeof(uint32_t), sizeof(uint32_t), TABLE_MAX);
	map_init(&s->codes, sizeof(struct code_key), sizeof(uint32_t), TABLE_MAX);
	map_init(&s->trees, sizeof(struct tree_key), sizeof(uint32_t), TABLE_MAX);
	return 0;
}

/* --- events --- */

static void add_event(struct track_state *s, unsigned what, uint64_t value)
{
	uint64_t event = value << EVENT_BITS | what;

	if (s->events.size / sizeof(event) < EVENTS_MAX)
		buffer_append(&s->events, &event, sizeof(event));
	else
		s->is_full = true;
}

static void advance_time(struct track_state *s, uint64_t time_ns)
{
	uint64_t ms = time_ns > s->begin_ns ? (time_ns - s->begin_ns) / NS_PER_MS : 0;

	if (ms > s->last_ms)
		add_event(s, EVENT_TIME, s->last_ms = ms);
}

static uint32_t *kind_of(struct track_state *s, const struct heap_call *c)
{
	bool has_stack =
		record_holds(&c->record, sizeof(*c)) && c->stack_state == SOOTH_STATE_VALUE;
	struct kind_key key = { .size = c->size, .stack = has_stack ? c->stack : 0 };
	bool is_new;
	uint32_t *kind = map_put(&s->kinds, &key, &is_new);

	if (kind && is_new) {
		*kind = (uint32_t)(s->kind_list.size / sizeof(key));
		buffer_append(&s->kind_list, &key, sizeof(key));
	}
	return kind;
}

static void free_block(struct track_state *s, const struct sooth_record *r, uint64_t address)
{
	struct block_key key = { process_id_of(r), address };
	uint32_t *kind = map_get(&s->blocks, &key);

	if (!kind)
		return;
	add_event(s, EVENT_FREED, *kind);
	map_remove(&s->blocks, &key);
}

static void allocate_block(struct track_state *s, const struct heap_call *c)
{
	struct block_key key = { process_id_of(&c->record), c->address };
	uint32_t *kind = kind_of(s, c), *block;

	free_block(s, &c->record, c->address); /* the free of the earlier block was missed */
	block = kind ? map_put(&s->blocks, &key, NULL) : NULL;
	s->is_full |= !block;
	if (!block)
		return;
	*block = *kind;
	add_event(s, EVENT_ALLOCATED, *kind);
}

static void add_call(struct track_state *s, const struct heap_call *c)
{
	bool moves = c->old_address_state == SOOTH_STATE_VALUE && c->old_address;

	advance_time(s, c->record.time_ns);
	if (c->function == HEAP_FREE) {
		free_block(s, &c->record, c->address);
		return;
	}
	/* A failed realloc keeps its block; realloc to size 0 may return NULL. */
	if (moves && (c->address || !c->size))
		free_block(s, &c->record, c->old_address);
	if (c->address)
		allocate_block(s, c);
}

/* Handles an exec, which discards all blocks of the earlier program. */
static void handle_exec(struct track_state *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);

	map_for_each_key (&s->blocks, const struct block_key *, k) {
		if (!memcmp(&k->process, &id, sizeof(id)))
			free_block(s, r, k->address);
	}
}

static void handle_target(struct track_state *s, const struct stream_target *t)
{
	struct span command = record_text(&t->record, &t->command);

	buffer_reset(&s->command);
	for (size_t i = 0; i < command.size; i++)
		buffer_char(&s->command, command.data[i] ? command.data[i] : ' ');
	while (s->command.size && s->command.data[s->command.size - 1] == ' ')
		s->command.size--;
}

static void add_record(struct track_state *s, const struct sooth_record *r)
{
	const struct stream_segment *segment = record_as(r, STREAM_SEGMENT, sizeof(*segment));
	const struct stream_target *target = record_as(r, STREAM_TARGET, sizeof(*target));

	if (segment) {
		s->memory_bytes = segment->memory_bytes;
		s->page_bytes = segment->page_bytes;
	} else if (target) {
		handle_target(s, target);
	} else if (r->kind == STREAM_BEGIN && !s->begin_ns) {
		s->begin_ns = r->time_ns;
	} else if (r->kind == HEAP_CALL && record_holds(r, HEAP_CALL_LEAST)) {
		add_call(s, (const void *)r);
	} else if (r->kind == PROCESS_EXEC) {
		handle_exec(s, r);
	} else if (r->kind == STREAM_END) {
		advance_time(s, r->time_ns);
	}
	s->has_sums |= r->kind == HEAP_SUM || r->kind == HEAP_HELD;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct track_state *s = state;

	(void)err;
	profile_sums_add_batch(&s->sums, batch);
	batch_for_each (r, batch)
		add_record(s, r);
	return 0;
}

/* --- lines --- */

static int put_line(struct track_state *s, char letter, const uint64_t *numbers, size_t count,
	const struct span *text, struct sooth_error *err)
{
	struct track_row row = { .letter = (uint32_t)(unsigned char)letter,
		.text_state = state_if(text) };
	struct record_tail tail[] = { { &row.numbers, numbers, count * sizeof(*numbers) },
		tail_span(&row.text, text ? *text : (struct span){ 0 }) };

	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

/* Returns the number of a text, and defines a new text; 0: no room. */
static uint32_t text_number(struct track_state *s, uint32_t name, struct sooth_error *err)
{
	struct span text = names_get(&s->sums.names, name);
	uint64_t size = text.size;
	bool is_new;
	uint32_t *number = text.size ? map_put(&s->texts, &name, &is_new) : NULL;

	if (!number)
		return 0;
	if (is_new) {
		*number = (uint32_t)s->texts.count;
		if (put_line(s, 's', &size, 1, &text, err))
			return 0;
	}
	return *number;
}

/* Sets the source file and the line of a frame. Returns how many numbers these are. */
static size_t put_source(struct track_state *s, const struct profile_function *f,
	uint64_t numbers[2], struct sooth_error *err)
{
	_cleanup_(buffer_fini) struct buffer path = { 0 };
	struct span place = names_get(&s->sums.names, f->file);
	const char *colon = span_last(place, ':');
	struct cursor line;
	uint32_t source;

	if (!colon)
		return 0;
	/* No text of the list ends with a zero byte: another one follows. */
	line = cursor_over(colon + 1, (size_t)(place.data + place.size - colon - 1));
	numbers[1] = cursor_decimal(&line);
	/* A copy: a new name may move the names. */
	buffer_append(&path, place.data, (size_t)(colon - place.data));
	source = names_put(&s->sums.names, span_of((const char *)path.data, path.size), NULL);
	numbers[0] = source == NAMES_NONE ? 0 : text_number(s, source, err);
	return numbers[0] ? 2 : 0;
}

static uint32_t code_number(
	struct track_state *s, const struct profile_function *f, struct sooth_error *err)
{
	struct code_key key = { f->offset, f->name, f->file };
	uint32_t file = text_number(s, f->object, err), name = text_number(s, f->name, err);
	uint64_t numbers[NUMBERS_MAX] = { f->offset, file, name };
	size_t count = name ? 3 : 2;
	bool is_new;
	uint32_t *number = map_put(&s->codes, &key, &is_new);

	if (!number)
		return 0;
	if (is_new) {
		*number = (uint32_t)s->codes.count;
		if (name && f->has_line)
			count += put_source(s, f, numbers + count, err);
		if (put_line(s, 'i', numbers, count, NULL, err))
			return 0;
	}
	return *number;
}

/* Returns the number of a stack, from the thread's entry to the allocator's caller; 0: not
 * known. */
static uint32_t tree_number(struct track_state *s, uint32_t stack, struct sooth_error *err)
{
	struct profile_stacked stacked = { 0 };
	uint32_t caller = 0;

	if (!stack || !profile_sums_stack(&s->sums, stack, &stacked))
		return 0;
	for (size_t i = stacked.depth; i-- > (stacked.depth > 1);) {
		struct tree_key key = { code_number(s, stacked.frames[i], err), caller };
		uint64_t numbers[] = { key.code, caller };
		bool is_new;
		uint32_t *number = map_put(&s->trees, &key, &is_new);

		if (!number || !key.code)
			return caller;
		if (is_new) {
			*number = (uint32_t)s->trees.count;
			if (put_line(s, 't', numbers, 2, NULL, err))
				return 0;
		}
		caller = *number;
	}
	return caller;
}

static int put_head(struct track_state *s, struct sooth_error *err)
{
	static const uint64_t versions[] = { HEAPTRACK_VERSION, FILE_VERSION };
	uint64_t page = s->page_bytes ? s->page_bytes : 4096;
	uint64_t system[] = { page, s->memory_bytes / page };
	struct span command = span_of((const char *)s->command.data, s->command.size);
	int status;

	if (!command.size)
		command = span_of_string("sooth heap");
	status = put_line(s, 'v', versions, 2, NULL, err);
	if (!status)
		status = put_line(s, 'X', NULL, 0, &command, err);
	return status ?: put_line(s, 'I', system, 2, NULL, err);
}

static int put_kinds(struct track_state *s, struct sooth_error *err)
{
	const struct kind_key *kinds = (const void *)s->kind_list.data;
	int status = 0;

	for (size_t i = 0; i < s->kind_list.size / sizeof(*kinds) && !status; i++) {
		uint64_t numbers[] = { kinds[i].size, tree_number(s, kinds[i].stack, err) };

		status = put_line(s, 'a', numbers, 2, NULL, err);
	}
	return status;
}

static int put_events(struct track_state *s, struct sooth_error *err)
{
	static const char letters[] = {
		[EVENT_TIME] = 'c', [EVENT_ALLOCATED] = '+', [EVENT_FREED] = '-'
	};
	const uint64_t *events = (const void *)s->events.data;
	int status = 0;

	for (size_t i = 0; i < s->events.size / sizeof(*events) && !status; i++) {
		uint64_t number = events[i] >> EVENT_BITS;

		status = put_line(s, letters[events[i] & 3], &number, 1, NULL, err);
	}
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct track_state *s = state;
	int status;

	if (buffer_failed(&s->events) || buffer_failed(&s->kind_list) || buffer_failed(&s->command))
		return error_no_memory(err);
	if (s->has_sums && !s->kind_list.size)
		output_limit(s->output, "every allocation",
			"the kernel aggregated the calls: single calls were not recorded",
			"record every call: --exact");
	if (s->is_full)
		output_limit(s->output, "every allocation",
			"there are more allocations than sooth can keep until the end",
			"observe for less time");
	status = output_section(s->output, &track_section, err);
	if (!status)
		status = put_head(s, err);
	if (!status)
		status = put_kinds(s, err);
	return status ?: put_events(s, err);
}

static void fini(void *state)
{
	struct track_state *s = state;

	profile_sums_fini(&s->sums);
	map_fini(&s->blocks);
	map_fini(&s->kinds);
	map_fini(&s->texts);
	map_fini(&s->codes);
	map_fini(&s->trees);
	buffer_fini(&s->kind_list);
	buffer_fini(&s->events);
	buffer_fini(&s->command);
}

const struct stage_type stage_heap_track = {
	.name = "heap-track",
	.help = "every allocation and free, for heaptrack's file",
	.shows = "heap",
	STAGE_FUNCTIONS(struct track_state),
};
