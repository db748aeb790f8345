/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/script_stack.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/units.h"
#include "model/process_id.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/read_memory.h"
#include "symbols/elf_exports.h"

#define FILES_MAX  16
#define PLACES_MAX 64
#define MAPS_BYTES (4u << 20)
#define READ_MS	   2000
#define FRESH_NS   (10 * NS_PER_MS) /* samples that come together have the same stack */
#define TEXT_BYTES 3072

struct script_file {
	uint64_t data; /* behind the place where offset 0 of the file would be in memory */
	uint64_t loop_from, loop_to; /* offsets */
	char name[32];
};

/* With its own copies of everything: the call may outlive its caller. */
struct script_code {
	const struct script_engine *engine;
	uint64_t address; /* of its data */
	uint32_t pid, count, size;
	char text[TEXT_BYTES]; /* "FUNCTION\0FILE:LINE\0" of each frame, innermost first */
};

void script_stack_init(void *state, const struct script_engine *engine)
{
	struct script_stack *s = state;

	s->engine = engine;
	map_init(&s->files, sizeof(uint64_t), sizeof(struct script_file), FILES_MAX);
	map_init(&s->places, sizeof(struct process_id), sizeof(uint64_t), PLACES_MAX);
}

void script_stack_fini(void *state)
{
	struct script_stack *s = state;

	map_fini(&s->files);
	map_fini(&s->places);
}

/* --- files --- */

struct file_job {
	int file;
	bool is_known;
	const struct script_engine *engine;
	struct script_file found;
};

static void do_file(void *argument)
{
	struct file_job *job = argument;
	const char *const wanted[] = { job->engine->data, job->engine->loop };
	struct elf_export found[ARRAY_SIZE(wanted)];
	struct elf_exports exports = { .found = found };

	if (!elf_exports_find(job->file, wanted, ARRAY_SIZE(wanted), &exports) || !found[0].address)
		return;
	job->found.data = found[0].address - exports.code_shift;
	job->found.loop_from = found[1].offset;
	job->found.loop_to = found[1].offset + found[1].size;
	job->is_known = true;
}

void script_stack_see(void *state, uint64_t file, const char *path, int fd)
{
	struct script_stack *s = state;
	struct span name = path ? path_base(span_of_string(path)) : span_of("", 0);
	struct file_job job = { .engine = s->engine };
	struct script_file *kept;

	if (!span_starts(name, s->engine->program) || map_get(&s->files, &file))
		return;
	memcpy(job.found.name, name.data,
		name.size < sizeof(job.found.name) ? name.size : sizeof(job.found.name) - 1);
	timeout_call_file(&s->of.timeout, do_file, &job, sizeof(job), fd, READ_MS);
	kept = job.is_known ? map_put(&s->files, &file, NULL) : NULL;
	if (kept)
		*kept = job.found;
}

/* --- processes --- */

static uint64_t find_base(uint32_t pid, const struct script_file *f)
{
	struct buffer maps = { 0 };
	struct maps_line line;
	uint64_t base = 0;
	struct cursor c;

	if (procfs_read((pid_t)pid, "maps", &maps, MAPS_BYTES) < 0) {
		buffer_fini(&maps);
		return 0;
	}
	c = cursor_over(maps.data, maps.size);
	while (!base && !cursor_at_end(&c)) {
		if (maps_parse(cursor_line(&c), &line) && line.is_executable &&
			span_starts(path_base(line.path), f->name))
			base = line.from - line.offset;
	}
	buffer_fini(&maps);
	return base;
}

static uint64_t base_of(
	struct script_stack *s, const struct profile_raw *raw, const struct script_file *f)
{
	struct process_id id = process_id_of(&raw->record);
	bool is_new = false;
	uint64_t *base = map_put(&s->places, &id, &is_new);

	if (base && is_new)
		*base = find_base(raw->record.pid, f);
	return base ? *base : 0;
}

bool do_script_get(struct script_reading *r, uint64_t at, void *out, size_t size)
{
	if (r->is_wrong || at < 4096 || !do_read_memory((pid_t)r->code->pid, at, out, size))
		r->is_wrong = true;
	return !r->is_wrong;
}

uint64_t do_script_pointer(struct script_reading *r, uint64_t at)
{
	uint64_t value = 0;

	return do_script_get(r, at, &value, sizeof(value)) ? value : 0;
}

/* A name of letters that can be read; longer ones are cut. */
bool do_script_text(
	struct script_reading *r, uint64_t at, uint64_t length, char out[SCRIPT_NAME_BYTES])
{
	size_t size = length < SCRIPT_NAME_BYTES ? (size_t)length : SCRIPT_NAME_BYTES - 1;

	if (!length || length > 4096 || !do_script_get(r, at, out, size)) {
		r->is_wrong = true;
		return false;
	}
	out[size] = '\0';
	for (size_t i = 0; i < size; i++)
		r->is_wrong |= (unsigned char)out[i] < ' ';
	return !r->is_wrong;
}

void script_add(struct script_reading *r, const char *function, const char *path, uint64_t line)
{
	struct script_code *job = r->code;
	const char *slash = strrchr(path, '/');
	int size = snprintf(job->text + job->size, sizeof(job->text) - job->size, "%s%c%s:%u",
		function, '\0', slash ? slash + 1 : path, (unsigned)line);

	if (size < 0 || job->size + (size_t)size + 1 > sizeof(job->text) ||
		job->count >= SCRIPT_FRAMES_MAX)
		return;
	job->size += (uint32_t)size + 1;
	job->count++;
}

bool script_is_empty(const struct script_reading *r)
{
	return !r->code->count;
}

static void do_code(void *argument)
{
	struct script_reading r = { .code = argument };

	r.code->engine->do_read(&r, r.code->address);
}

static void read_stack(
	struct script_stack *s, const struct profile_raw *raw, const struct script_file *f)
{
	uint64_t base = base_of(s, raw, f);
	struct script_code job = {
		.engine = s->engine, .address = base + f->data, .pid = raw->record.pid
	};
	const char *at = job.text;

	s->pid = raw->record.pid;
	s->start_ticks = raw->record.start_ticks;
	s->count = 0;
	if (!base || timeout_call(&s->of.timeout, do_code, NULL, &job, sizeof(job), -1, TIMEOUT_MS))
		return;
	for (uint32_t i = 0; i < job.count; i++) {
		size_t size = strlen(at) + 1;
		uint32_t number;

		size += strlen(at + size) + 1;
		number = names_put(s->of.names, span_of(at, size), NULL);
		if (number != NAMES_NONE)
			s->found[s->count++] = number;
		at += size;
	}
}

/* Behind the native functions that the script called, before the interpreter that runs it. */
static uint32_t place_in(const struct profile_raw *raw, const struct script_file *f, uint64_t file)
{
	const struct profile_raw_frame *user = profile_raw_user(raw);

	for (uint32_t i = 0; i < raw->user_frames; i++) {
		if (user[i].file == file && user[i].offset >= f->loop_from &&
			user[i].offset < f->loop_to)
			return i;
	}
	return raw->user_frames;
}

void script_stack_begin(void *state, const struct profile_raw *raw)
{
	struct script_stack *s = state;
	const struct profile_raw_frame *user = profile_raw_user(raw);
	const struct script_file *f = NULL;
	uint32_t i = 0;

	s->is_met = false;
	if (!s->files.count || raw->record.tid != raw->record.pid)
		return;
	while (i < raw->user_frames && !(f = map_get(&s->files, &user[i].file)))
		i++;
	if (!f)
		return;
	if (s->pid != raw->record.pid || s->start_ticks != raw->record.start_ticks ||
		clock_monotonic_ns() - s->read_ns > FRESH_NS) {
		read_stack(s, raw, f);
		s->read_ns = clock_monotonic_ns();
	}
	s->is_met = true;
	s->at = place_in(raw, f, user[i].file);
}

void script_stack_functions(
	void *state, const struct runtime_frame *at, struct runtime_functions *out)
{
	const struct script_stack *s = state;
	bool is_outer = s->at == at->raw->user_frames && at->index + 1 == s->at;

	if (!s->is_met || !s->count || (s->at != at->index && !is_outer))
		return;
	out->place = is_outer ? RUNTIME_OUTER : RUNTIME_INNER;
	out->count = s->count;
	memcpy(out->names, s->found, s->count * sizeof(*out->names));
}
