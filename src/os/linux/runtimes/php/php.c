/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of PHP in which the main thread of a process is, read a moment after the sample: the
 * native stack and the script's stack may be some milliseconds apart. Other threads, and versions
 * with unknown layout, have no functions. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/map.h"
#include "base/units.h"
#include "model/process_id.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"
#include "os/linux/runtimes/php/php_frames.h"
#include "os/linux/runtimes/runtime.h"
#include "symbols/elf_exports.h"

#define PLACES_MAX 64
#define MAPS_BYTES (4u << 20)
#define READ_MS	   2000
#define FRESH_NS   (10 * NS_PER_MS) /* samples at nearly the same time have the same stack */
#define MOV_EAX	   0xb8
#define RET	   0xc3

struct script_file {
	uint64_t data;		     /* executor_globals, as an offset from byte 0 of the file */
	uint64_t loop_from, loop_to; /* offsets of execute_ex(), which calls a script's functions */
	uint32_t version;
	char name[32];
};

struct script_stack {
	struct runtime_state of;
	struct map places; /* struct process_id -> uint64_t: where the engine is in memory; 0: it
			      is not mapped */
	/* The last process that was read, and its functions. */
	uint32_t pid, count;
	uint64_t start_ticks, read_ns;
	uint32_t found[SCRIPT_FRAMES_MAX]; /* innermost first */
	/* The sample: the script's functions come before this user frame. */
	uint32_t at;
	bool is_met; /* the engine is on the sample's stack */
};

static void init(void *state)
{
	struct script_stack *s = state;

	map_init(&s->places, sizeof(struct process_id), sizeof(uint64_t), PLACES_MAX);
}

static void fini(void *state)
{
	struct script_stack *s = state;

	map_fini(&s->places);
}

/* --- files --- */

struct file_job {
	int file;
	bool is_known;
	struct script_file found;
};

/* Returns the number in php_version_id(), from 8.2 on: the function loads it and returns. */
static uint32_t version_in(int file, uint64_t offset)
{
	static const unsigned char branch_mark[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	unsigned char code[16];
	const unsigned char *at = code;
	uint32_t version;

	if (!offset || pread(file, code, sizeof(code), (off_t)offset) != sizeof(code))
		return 0;
	if (!memcmp(at, branch_mark, sizeof(branch_mark)))
		at += sizeof(branch_mark);
	if (at[0] != MOV_EAX || at[5] != RET)
		return 0;
	memcpy(&version, at + 1, sizeof(version));
	return version;
}

static uint32_t version_of_name(const char *name)
{
	unsigned major, minor;

	return sscanf(name, "php%2u.%2u", &major, &minor) == 2 ? major * 10000 + minor * 100 : 0;
}

static void run_file_job(void *argument)
{
	struct file_job *job = argument;
	static const char *const wanted[] = { "executor_globals", "execute_ex", "php_version_id" };
	struct elf_export found[ARRAY_SIZE(wanted)];
	struct elf_exports exports = { .found = found };
	struct script_file *f = &job->found;

	if (!elf_exports_find(job->file, wanted, ARRAY_SIZE(wanted), &exports) || !found[0].address)
		return;
	f->data = found[0].address - exports.code_shift;
	f->loop_from = found[1].offset;
	f->loop_to = found[1].offset + found[1].size;
	f->version = version_in(job->file, found[2].offset);
	if (!f->version)
		f->version = version_of_name(f->name);
	job->is_known = php_is_known(f->version);
}

static void examine_file(void *state, uint64_t file, const char *path, int fd)
{
	struct script_stack *s = state;
	struct span name = path ? path_base(span_of_string(path)) : span_of("", 0);
	struct file_job job = { 0 };
	struct script_file *kept;

	if (!span_starts(name, "php") || map_get(&s->of.files, &file))
		return;
	memcpy(job.found.name, name.data,
		name.size < sizeof(job.found.name) ? name.size : sizeof(job.found.name) - 1);
	timeout_call_file(&s->of.timeout, run_file_job, &job, sizeof(job), fd, READ_MS);
	kept = job.is_known ? map_put(&s->of.files, &file, NULL) : NULL;
	if (kept)
		*kept = job.found;
}

/* --- processes --- */

static uint64_t find_base(uint32_t pid, const struct script_file *f)
{
	struct buffer maps = { 0 };
	struct maps_line line;
	uint64_t base = 0;

	if (procfs_read(procfs_living((pid_t)pid), "maps", &maps, MAPS_BYTES) < 0)
		buffer_reset(&maps);
	maps_for_each (&line, maps) {
		if (!base && line.is_executable && span_starts(path_base(line.path), f->name))
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

static void read_stack(
	struct script_stack *s, const struct profile_raw *raw, const struct script_file *f)
{
	uint64_t base = base_of(s, raw, f);
	struct script_code job = {
		.address = base + f->data, .version = f->version, .pid = raw->record.pid
	};
	const char *at = job.text;

	s->pid = raw->record.pid;
	s->start_ticks = raw->record.start_ticks;
	s->count = 0;
	if (!base || timeout_call(&s->of.timeout, do_php_frames, NULL, &job, sizeof(job), -1,
			     TIMEOUT_MS))
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

/* Returns the index of the interpreter's frame: the script's functions come before it, and behind
 * the native functions that the script called. */
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

static void begin(void *state, const struct profile_raw *raw)
{
	struct script_stack *s = state;
	const struct profile_raw_frame *user = profile_raw_user(raw);
	const struct script_file *f = NULL;
	uint32_t i = 0;

	s->is_met = false;
	if (!s->of.files.count || raw->record.tid != raw->record.pid)
		return;
	while (i < raw->user_frames && !(f = map_get(&s->of.files, &user[i].file)))
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

static void name_functions(
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

const struct runtime runtime_php = {
	.title = "PHP",
	.state_size = sizeof(struct script_stack),
	.file_size = sizeof(struct script_file),
	.init = init,
	.fini = fini,
	.see = examine_file,
	.begin = begin,
	.functions = name_functions,
};
