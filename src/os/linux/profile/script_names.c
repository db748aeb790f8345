/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/profile/script_names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/units.h"
#include "model/process_id.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"
#include "os/linux/profile/script_code.h"
#include "symbols/elf_exports.h"

#define ENGINES_MAX 16
#define PLACES_MAX  64
#define MAPS_BYTES  (4u << 20)
#define READ_MS	    2000
#define FRESH_NS    (10 * NS_PER_MS) /* samples that come together have the same stack */

static const struct engine_names {
	const char *program; /* the beginning of its file's name */
	const char *data;    /* what leads to the stack */
	const char *loop;    /* its functions are called by this one */
} names_of[] = {
	[SCRIPT_PHP] = { "php", "executor_globals", "execute_ex" },
	[SCRIPT_RUBY] = { "libruby-3.1", "ruby_current_vm_ptr", "rb_vm_exec" },
};

struct script_engine {
	uint64_t data; /* behind the place where offset 0 of the file would be in memory */
	uint64_t loop_from, loop_to; /* offsets */
	uint32_t kind;		     /* enum script_kind */
	char name[32];		     /* of the file */
};

struct script_place {
	uint64_t base; /* 0: it is not mapped */
};

void script_names_init(struct script_names *s, struct names *names)
{
	s->names = names;
	map_init(&s->engines, sizeof(uint64_t), sizeof(struct script_engine), ENGINES_MAX);
	map_init(&s->places, sizeof(struct process_id), sizeof(struct script_place), PLACES_MAX);
}

void script_names_fini(struct script_names *s)
{
	map_fini(&s->engines);
	map_fini(&s->places);
	timeout_fini(&s->timeout);
}

/* --- engines --- */

struct engine_job {
	int file;
	bool is_known;
	struct script_engine engine;
};

static void drop_job(void *argument)
{
	close(((struct engine_job *)argument)->file);
}

static void do_engine(void *argument)
{
	struct engine_job *job = argument;
	const struct engine_names *n = &names_of[job->engine.kind];
	const char *const wanted[] = { n->data, n->loop };
	struct elf_export found[ARRAY_SIZE(wanted)];
	struct elf_exports exports = { .found = found };

	if (!elf_exports_find(job->file, wanted, ARRAY_SIZE(wanted), &exports) || !found[0].address)
		return;
	job->engine.data = found[0].address - exports.code_shift;
	job->engine.loop_from = found[1].offset;
	job->engine.loop_to = found[1].offset + found[1].size;
	job->is_known = true;
}

void script_names_see(struct script_names *s, uint64_t file, const char *path, int fd)
{
	struct span name = path ? path_base(span_of(path, strlen(path))) : span_of("", 0);
	struct engine_job job = { .file = -1 };
	struct script_engine *kept;

	while (job.engine.kind < ARRAY_SIZE(names_of) &&
		!span_starts(name, names_of[job.engine.kind].program))
		job.engine.kind++;
	if (job.engine.kind == ARRAY_SIZE(names_of) || !s->names || map_get(&s->engines, &file))
		return;
	memcpy(job.engine.name, name.data,
		name.size < sizeof(job.engine.name) ? name.size : sizeof(job.engine.name) - 1);
	job.file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (job.file < 0)
		return;
	if (timeout_call(&s->timeout, do_engine, drop_job, &job, sizeof(job), job.file, READ_MS) ==
		-ETIMEDOUT)
		return; /* the thread owns the file now */
	close(job.file);
	kept = job.is_known ? map_put(&s->engines, &file, NULL) : NULL;
	if (kept)
		*kept = job.engine;
}

/* --- processes --- */

static uint64_t find_base(uint32_t pid, const struct script_engine *e)
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
			span_starts(path_base(line.path), e->name))
			base = line.from - line.offset;
	}
	buffer_fini(&maps);
	return base;
}

static uint64_t base_of(
	struct script_names *s, const struct profile_raw *raw, const struct script_engine *e)
{
	struct process_id id = { .start_ticks = raw->record.start_ticks, .pid = raw->record.pid };
	bool is_new = false;
	struct script_place *place = map_put(&s->places, &id, &is_new);

	if (place && is_new)
		place->base = find_base(raw->record.pid, e);
	return place ? place->base : 0;
}

static void read_stack(
	struct script_names *s, const struct profile_raw *raw, const struct script_engine *e)
{
	uint64_t base = base_of(s, raw, e);
	struct script_code job = {
		.pid = raw->record.pid, .kind = e->kind, .address = base + e->data
	};
	const char *at = job.text;

	s->pid = raw->record.pid;
	s->start_ticks = raw->record.start_ticks;
	s->count = 0;
	if (!base ||
		timeout_call(&s->timeout, do_script_code, NULL, &job, sizeof(job), -1, TIMEOUT_MS))
		return;
	for (uint32_t i = 0; i < job.count; i++) {
		size_t size = strlen(at) + 1;
		uint32_t number;

		size += strlen(at + size) + 1;
		number = names_put(s->names, span_of(at, size), NULL);
		if (number != NAMES_NONE)
			s->found[s->count++] = number;
		at += size;
	}
}

/* Behind the native functions that the script called, before the interpreter that runs it. */
static uint32_t place_in(
	const struct profile_raw *raw, const struct script_engine *e, uint64_t file)
{
	const struct profile_raw_frame *user = (const void *)(raw + 1);

	for (uint32_t i = 0; i < raw->user_frames; i++) {
		if (user[i].file == file && user[i].offset >= e->loop_from &&
			user[i].offset < e->loop_to)
			return i;
	}
	return raw->user_frames;
}

struct script_stack script_names_of(struct script_names *s, const struct profile_raw *raw)
{
	const struct profile_raw_frame *user = (const void *)(raw + 1);
	const struct script_engine *e = NULL;
	uint64_t now = 0;

	if (!s->engines.count || raw->record.tid != raw->record.pid)
		return (struct script_stack){ 0 };
	for (uint32_t i = 0; i < raw->user_frames; i++) {
		e = map_get(&s->engines, &user[i].file);
		if (!e)
			continue;
		now = clock_monotonic_ns();
		if (s->pid != raw->record.pid || s->start_ticks != raw->record.start_ticks ||
			now - s->read_ns > FRESH_NS) {
			read_stack(s, raw, e);
			s->read_ns = clock_monotonic_ns();
		}
		return (struct script_stack){ s->found, s->count, place_in(raw, e, user[i].file) };
	}
	return (struct script_stack){ 0 };
}
