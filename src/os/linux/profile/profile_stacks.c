/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames and stacks by number, and their definitions. */
#include "os/linux/profile/profile_stacks.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "model/batch.h"
#include "os/linux/profile/kernel_symbols.h"
#include "probes/heap.h"
#include "symbols/elf_address.h"
#include <sooth/field.h>

#define FRAMES_MAX (1u << 20)
#define STACKS_MAX (1u << 20)
/* Most frames of one stack: of all kinds at once, and as many inlined functions again. */
#define NUMBERS_MAX (3 * PROFILE_FRAMES_MAX + PROFILE_KERNEL_MAX + RUNTIME_FUNCTIONS_MAX + 24)
/* In stacks with more frames, inlined functions are left out. */
#define NUMBERS_MANY (NUMBERS_MAX - PROFILE_FRAMES_MAX - RUNTIME_FUNCTIONS_MAX - 1)
#define FILE_KERNEL  UINT64_MAX	      /* a number that profile_file_key() does not give */
#define FILE_RUNTIME (UINT64_MAX - 1) /* number of the first runtime; the others are below it */

struct frame_key {
	uint64_t file;
	uint64_t offset;
	uint32_t pid; /* PID of a process with generated code; 0: the same in all processes */
	uint32_t unused;
};

/* Two hashes with different start values: 128 bits. */
struct stack_key {
	uint64_t first, second;
};

void profile_stacks_init(struct profile_stacks *s, uint16_t stack_kind, uint16_t frame_kind)
{
	s->stack_kind = stack_kind;
	s->frame_kind = frame_kind;
	map_init(&s->frames, sizeof(struct frame_key), sizeof(uint32_t), FRAMES_MAX);
	map_init(&s->stacks, sizeof(struct stack_key), sizeof(uint32_t), STACKS_MAX);
	generated_init(&s->generated);
}

int profile_stacks_open(struct profile_stacks *s, struct profile_files *files,
	const struct probe_options *options, struct sooth_error *err)
{
	s->has_lines = s->frame_kind == HEAP_FRAME ? options->observer.heap.has_source_lines
						   : options->observer.profile.has_source_lines;
	runtime_set_init(&s->runtimes, options->observer.cache_folder);
	return debuginfod_init(&files->debuginfod, options, err);
}

void profile_stacks_fini(struct profile_stacks *s)
{
	map_fini(&s->frames);
	map_fini(&s->stacks);
	runtime_set_fini(&s->runtimes);
	generated_fini(&s->generated);
}

static bool put_frame(struct profile_stacks *s, const struct frame_key *key, uint32_t *number)
{
	bool is_new;
	uint32_t *known = map_put(&s->frames, key, &is_new);

	if (!known)
		return false;
	if (is_new && key->pid)
		generated_meet(&s->generated, key->pid);
	if (is_new)
		*known = (uint32_t)s->frames.count;
	*number = *known;
	return true;
}

/* Puts a frame into a stack. False: there is no room. */
static bool put_number(
	struct profile_stacks *s, const struct frame_key *key, uint32_t numbers[], size_t *count)
{
	return *count < NUMBERS_MAX && put_frame(s, key, &numbers[(*count)++]);
}

static bool put_native(
	struct profile_stacks *s, const struct runtime_frame *at, uint32_t numbers[], size_t *count)
{
	const struct profile_raw_frame *user = profile_raw_user(at->raw) + at->index;
	struct frame_key key = { .file = user->file, .offset = user->offset };

	key.pid = key.file == PROFILE_FILE_NONE ? at->raw->record.pid : 0;
	return put_number(s, &key, numbers, count);
}

static bool put_functions(struct profile_stacks *s, enum runtime_id id,
	const struct runtime_functions *f, uint32_t numbers[], size_t *count)
{
	for (uint32_t i = *count + f->count > NUMBERS_MANY ? f->count - 1 : 0; i < f->count; i++) {
		struct frame_key key = { .file = FILE_RUNTIME - id, .offset = f->names[i] };

		if (!put_number(s, &key, numbers, count))
			return false;
	}
	return true;
}

/* Puts a user frame, and the functions that a runtime has in its place or beside it. */
static bool put_user(
	struct profile_stacks *s, const struct runtime_frame *at, uint32_t numbers[], size_t *count)
{
	bool is_put = false; /* the frame was put, or replaced */

	for (enum runtime_id id = 0; id < RUNTIMES && !is_put; id++) {
		struct runtime_functions f;

		if (!runtime_set_functions(&s->runtimes, id, at, &f))
			continue;
		is_put = f.place != RUNTIME_INNER;
		if ((f.place == RUNTIME_OUTER && !put_native(s, at, numbers, count)) ||
			!put_functions(s, id, &f, numbers, count))
			return false;
	}
	return is_put || put_native(s, at, numbers, count);
}

/* Puts all frames, innermost first: kernel frames are inside user frames. Returns their number, 0
 * if there is no room. */
static size_t put_frames(
	struct profile_stacks *s, const struct profile_raw *raw, uint32_t numbers[])
{
	const uint64_t *kernel = profile_raw_kernel(raw);
	const struct profile_words *next = profile_raw_words(raw), *end = next + raw->words;
	size_t count = 0;

	RUNTIME_CALL(&s->runtimes, begin, raw);
	for (uint32_t i = 0; i < raw->kernel_frames; i++) {
		struct frame_key key = { .file = FILE_KERNEL, .offset = kernel[i] - (i > 0) };

		if (!put_number(s, &key, numbers, &count))
			return 0;
	}
	for (uint32_t i = 0; i < raw->user_frames; i++) {
		struct runtime_frame at = { .raw = raw, .index = i };

		while (next < end && (next->index == PROFILE_OF_STACK || next->index < i))
			next += 1 + next->count;
		if (next < end && next->index == i)
			at.beside = next;
		if (!put_user(s, &at, numbers, &count))
			return 0;
	}
	return count;
}

uint32_t profile_stacks_put(
	struct profile_stacks *s, const struct profile_raw *raw, struct buffer *out)
{
	assert(s);
	assert(raw);

	uint32_t numbers[NUMBERS_MAX];
	size_t count = put_frames(s, raw, numbers) * sizeof(numbers[0]), seed = raw->end + 1;
	struct stack_key key = { hash_bytes(HASH_BEGIN + raw->end, numbers, count),
		hash_bytes(~HASH_BEGIN - seed, numbers, count) };
	bool is_new;
	uint32_t *number = count ? map_put(&s->stacks, &key, &is_new) : NULL;
	struct profile_stack stack = { .record = { .time_ns = raw->record.time_ns,
					       .kind = s->stack_kind,
					       .cpu = SOOTH_CPU_NONE },
		.end = (uint8_t)raw->end };
	struct record_tail tail[] = { { &stack.frames, numbers, count } };

	if (!number) {
		/* A stack without any frame is not refused: the kernel touches the first pages of a
		 * program before it has run. */
		s->refused += raw->user_frames + raw->kernel_frames > 0;
		return PROFILE_STACK_NONE;
	}
	if (is_new) {
		*number = stack.stack = (uint32_t)s->stacks.count;
		RECORD_APPEND(out, &stack, tail, ARRAY_SIZE(tail));
	}
	return *number;
}

/* --- names --- */

struct to_name {
	struct frame_key key;
	uint32_t number;
};

static int compare_by_place(const void *left, const void *right)
{
	const struct to_name *a = left, *b = right;

	if (a->key.file != b->key.file)
		return a->key.file < b->key.file ? -1 : 1;
	if (a->key.pid != b->key.pid)
		return a->key.pid < b->key.pid ? -1 : 1;
	return a->key.offset < b->key.offset ? -1 : a->key.offset > b->key.offset;
}

/* Where the definitions of frames are written. */
struct frame_writer {
	struct buffer *to;
	uint16_t kind;
	bool has_lines; /* source lines are resolved */
};

static uint8_t state_of_line(const struct elf_line *line)
{
	return !line		  ? SOOTH_STATE_ABSENT
	       : line->is_cut	  ? SOOTH_STATE_TRUNCATED
	       : line->is_found	  ? SOOTH_STATE_VALUE
	       : line->is_refused ? SOOTH_NOT_MEASURED(SOOTH_REASON_UNDECIDED)
				  : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
}

/* Writes a frame. `line` is NULL if it was not requested. */
static void write_frame(const struct frame_writer *out, const struct to_name *frame,
	enum profile_frame_kind kind, const struct elf_address *found, const char *path,
	const char *build_id, const struct elf_line *line)
{
	bool has_begin = found->is_found || found->inside;
	const char *function = found->is_found ? found->name : NULL;
	struct profile_frame f = {
		.record = { .time_ns = clock_monotonic_ns(),
			.kind = out->kind,
			.cpu = SOOTH_CPU_NONE },
		.offset = frame->key.offset,
		.frame = frame->number,
		.frame_kind = (uint8_t)kind,
		.function_state =
			function ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.file_state = path ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.begin = has_begin ? frame->key.offset - found->inside : 0,
		.begin_state =
			has_begin ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.build_id_state = build_id[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.lines_state = state_of_line(line),
	};
	struct record_tail tail[] = {
		{ &f.function, function ? function : "", function ? strlen(function) : 0 },
		{ &f.file, path ? path : "", path ? strlen(path) : 0 },
		{ &f.build_id, build_id, strlen(build_id) },
		{ &f.inlined, line ? line->functions : "", line ? line->functions_size : 0 },
		{ &f.lines, line ? line->places : "", line ? line->places_size : 0 },
	};

	RECORD_APPEND(out->to, &f, tail, ARRAY_SIZE(tail));
}

/* Finds the start of a function without a symbol, by its unwind information. */
static void find_entry(const struct profile_entries *entries, const struct frame_key *key,
	struct elf_address *found)
{
	uint64_t entry;

	if (!found->is_found && entries->find(entries->user, key->file, key->offset, &entry))
		found->inside = key->offset - entry;
}

static void name_pieces(struct profile_files *files, const struct profile_entries *entries,
	const struct to_name *frames, size_t count, struct file_names *names,
	const struct frame_writer *out)
{
	struct profile_known *file = profile_files_get(files, frames[0].key.file);
	int status = 0;

	for (size_t from = 0; from < count; from += names->count) {
		names->count = count - from < ELF_ADDRESSES_MAX ? count - from : ELF_ADDRESSES_MAX;
		memset(names->addresses, 0, sizeof(names->addresses));
		memset(names->lines, 0, file_names_size(names) - sizeof(*names));
		for (size_t i = 0; i < names->count; i++)
			names->addresses[i].offset = frames[from + i].key.offset;
		/* A file that has not answered is not read again. */
		if (file && !status)
			status = profile_files_names(files, file, names);
		for (size_t i = 0; i < names->count; i++) {
			struct elf_address *address = &names->addresses[i];

			address->is_found &= !status;
			find_entry(entries, &frames[from + i].key, address);
			write_frame(out, &frames[from + i], PROFILE_USER, address,
				file ? file->path : NULL, file ? file->identity.build_id : "",
				names->has_lines ? &names->lines[i] : NULL);
		}
	}
}

static int name_user(struct profile_files *files, const struct profile_entries *entries,
	const struct to_name *frames, size_t count, const struct frame_writer *out)
{
	size_t lines = out->has_lines ? ELF_ADDRESSES_MAX : 0;
	_cleanup_free_ struct file_names *names =
		calloc(1, sizeof(*names) + lines * sizeof(names->lines[0]));

	if (!names)
		return -ENOMEM;
	names->has_lines = out->has_lines;
	name_pieces(files, entries, frames, count, names, out);
	return 0;
}

/* Names generated frames of one process. The engine's name stands in place of a file. */
static int name_generated(struct generated *g, const struct to_name *frames, size_t count,
	const struct frame_writer *out)
{
	_cleanup_free_ struct perf_map_place *places = calloc(count, sizeof(*places));
	const char *engine = generated_engine(g, frames[0].key.pid);

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		places[i].address = frames[i].key.offset;
	generated_names(g, frames[0].key.pid, places, count);
	for (size_t i = 0; i < count; i++) {
		struct elf_address found = { .inside = places[i].address - places[i].begin,
			.is_found = places[i].is_found && !places[i].is_reused };

		if (found.is_found)
			memcpy(found.name, places[i].name, sizeof(places[i].name));
		else
			found.inside = 0;
		write_frame(out, &frames[i], PROFILE_GENERATED, &found, engine, "", NULL);
	}
	return 0;
}

static void name_functions(const struct runtime_set *s, const struct to_name *frames, size_t count,
	const struct frame_writer *out)
{
	for (size_t i = 0; i < count; i++) {
		struct elf_address found = { 0 };
		struct elf_line running = { .is_found = true };
		const char *function, *place, *line;

		runtime_set_name(s, (enum runtime_id)(FILE_RUNTIME - frames[i].key.file),
			(uint32_t)frames[i].key.offset, &function, &place, &line);
		line = line && out->has_lines ? path_base(span_of_string(line)).data : NULL;
		if (line)
			running.places_size =
				(uint16_t)(1 + (unsigned)snprintf(running.places,
						       sizeof(running.places), "%s", line));
		found.is_found = function != NULL;
		snprintf(found.name, sizeof(found.name), "%s", function ? function : "");
		write_frame(
			out, &frames[i], PROFILE_SCRIPT, &found, place, "", line ? &running : NULL);
	}
}

static int name_kernel(const struct to_name *frames, size_t count, const struct frame_writer *out)
{
	_cleanup_free_ struct kernel_symbol *symbols = calloc(count, sizeof(*symbols));
	int status;

	if (!symbols)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		symbols[i].address = frames[i].key.offset;
	status = kernel_symbols(symbols, count);
	for (size_t i = 0; i < count; i++) {
		struct elf_address found = { .inside = symbols[i].address - symbols[i].begin,
			.is_found = symbols[i].begin != 0 };
		/* The kernel hides its addresses from this caller, so sooth does, too. */
		const struct to_name hidden = { { .file = FILE_KERNEL }, frames[i].number };

		if (status)
			found = (struct elf_address){ 0 };
		memcpy(found.name, symbols[i].name, sizeof(symbols[i].name));
		write_frame(
			out, status ? &hidden : &frames[i], PROFILE_KERNEL, &found, NULL, "", NULL);
	}
	return status;
}

int profile_stacks_name(struct profile_stacks *s, struct profile_files *files,
	const struct profile_entries *entries, struct buffer *out, bool *is_kernel_hidden)
{
	assert(s);

	_cleanup_free_ struct to_name *frames = calloc(s->frames.count + 1, sizeof(*frames));
	const struct frame_writer writer = { out, s->frame_kind, s->has_lines };
	size_t count = 0, to;
	int status = 0;

	if (!frames)
		return -ENOMEM;
	map_for_each (&s->frames, const struct frame_key *, key, const uint32_t *, value)
		frames[count++] = (struct to_name){ *key, *value };
	qsort(frames, count, sizeof(*frames), compare_by_place);
	for (size_t from = 0; from < count && !status; from = to) {
		for (to = from; to < count && frames[to].key.file == frames[from].key.file &&
				frames[to].key.pid == frames[from].key.pid;
			to++)
			;
		if (FILE_RUNTIME - frames[from].key.file < RUNTIMES)
			name_functions(&s->runtimes, frames + from, to - from, &writer);
		else if (frames[from].key.file == PROFILE_FILE_NONE)
			status = name_generated(&s->generated, frames + from, to - from, &writer);
		else if (frames[from].key.file == FILE_KERNEL)
			*is_kernel_hidden =
				name_kernel(frames + from, to - from, &writer) == -EPERM;
		else
			status = name_user(files, entries, frames + from, to - from, &writer);
	}
	return status;
}
