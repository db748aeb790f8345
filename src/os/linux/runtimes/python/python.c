/* SPDX-License-Identifier: BSD-2-Clause */
/* Code objects of other processes. */
#include "os/linux/runtimes/python/python.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/runtimes/python/python_code.h"
#include "os/linux/runtimes/python/python_layout.h"
#include "os/linux/runtimes/python/python_tasks.h"
#include "os/linux/runtimes/runtime_walk.h"
#include "bpf/python_step.h"
#include "symbols/elf_texts.h"

#define OBJECTS_MAX 65536
#define READ_MS	    2000
#define ENTRY_BYTES 512 /* of the interpreter: here it makes its frame known */

enum { RUNTIME, CODE_TYPE, EVAL, VERSION, EXPORTS };

static const char *const export_names[EXPORTS] = { "_PyRuntime", "PyCode_Type",
	"_PyEval_EvalFrameDefault", "Py_Version" };

/* The same object may be another function later, with another name or line. */
struct object_key {
	uint64_t code, name, line; /* line: with the instruction for its line, else the first */
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t unused;
};

static void init(void *state)
{
	struct python *p = state;

	map_init(&p->objects, sizeof(struct object_key), sizeof(uint32_t), OBJECTS_MAX);
}

static void fini(void *state)
{
	struct python *p = state;

	map_fini(&p->objects);
	free(p->program);
}

/* --- interpreters --- */

struct job {
	int file;
	uint32_t version; /* version that the file's name says: before 3.11 it exports none; 0:
			     another name */
	bool is_known;	  /* the file is an interpreter of a known layout */
	struct profile_python python;
};

static bool find_layout(struct job *job, uint32_t version, uint64_t runtime)
{
	unsigned char debug[PYTHON_DEBUG_BYTES];
	ssize_t size = runtime ? pread(job->file, debug, sizeof(debug), (off_t)runtime) : 0;

	return python_layout_find(&job->python.layout, version, debug, size < 0 ? 0 : (size_t)size);
}

static void run_file_job(void *argument)
{
	struct job *job = argument;
	struct elf_export found[EXPORTS];
	struct elf_exports exports = { .found = found };
	struct elf_export rest = { 0 };
	uint32_t version;

	if (!elf_exports_find(job->file, export_names, EXPORTS, &exports))
		return;
	if (!found[RUNTIME].address || !found[CODE_TYPE].address || !found[EVAL].address)
		return;
	version = job->version;
	if (found[VERSION].offset && pread(job->file, &version, sizeof(version),
					     (off_t)found[VERSION].offset) != sizeof(version))
		return;
	job->is_known = find_layout(job, version, found[RUNTIME].offset) && found[EVAL].size &&
			found[EVAL].offset;
	if (!job->is_known)
		return;
	elf_function_rest(job->file, &found[EVAL], &rest);
	job->python = (struct profile_python){ .layout = job->python.layout,
		.eval_from = found[EVAL].offset,
		.eval_to = found[EVAL].offset + found[EVAL].size,
		.rest_from = rest.offset,
		.rest_to = rest.offset + rest.size,
		.runtime = found[RUNTIME].address - exports.code_shift,
		.code_type = found[CODE_TYPE].address - exports.code_shift };
}

static uint32_t version_of_name(const char *name)
{
	unsigned minor;

	name += strncmp(name, "lib", 3) ? 0 : 3;
	return sscanf(name, "python3.%2u", &minor) == 1 ? PYTHON_VERSION(3, minor) : 0;
}

static void examine_file(void *state, uint64_t file, const char *path, int fd)
{
	struct python *p = state;
	struct span name = path_base(span_of_string(path ? path : ""));
	struct job job = { .version = version_of_name(name.data) };
	struct profile_python *kept;

	if (!python_is_interpreter(name) || map_get(&p->of.files, &file))
		return;
	timeout_call_file(&p->of.timeout, run_file_job, &job, sizeof(job), fd, READ_MS);
	kept = job.is_known ? map_put(&p->of.files, &file, NULL) : NULL;
	if (!kept)
		return;
	*kept = job.python;
	runtime_share(&p->of, file, kept);
}

/* --- code objects --- */

static uint32_t put_text(struct python *p, const struct python_code *job)
{
	return job->size ? names_put(p->of.names, span_of(job->text, job->size), NULL) : NAMES_NONE;
}

static uint32_t read_name(
	struct python *p, const struct profile_raw *raw, const struct profile_raw_python *frame)
{
	const struct profile_python *python = map_get(&p->of.files, &p->words->file);
	struct python_code job = {
		.pid = raw->record.pid, .type = p->words->type, .frame = *frame
	};

	if (!python)
		return NAMES_NONE;
	job.layout = python->layout;
	if (timeout_call(&p->of.timeout, do_python_code, NULL, &job, sizeof(job), -1, TIMEOUT_MS))
		return NAMES_NONE;
	return put_text(p, &job);
}

static struct object_key key_of(
	const struct sooth_record *r, const struct profile_raw_python *frame)
{
	return (struct object_key){ .code = frame->code,
		.name = frame->name,
		.line = (uint32_t)frame->line,
		.start_ticks = r->start_ticks,
		.pid = r->pid };
}

/* Returns the name with the line that runs behind it: "FUNCTION\0FILE:FIRST\0FILE:LINE\0". */
static uint32_t put_running_line(struct python *p, const struct profile_raw *raw,
	const struct profile_raw_python *frame, uint32_t name)
{
	const struct profile_python *python = map_get(&p->of.files, &p->words->file);
	struct object_key key = key_of(&raw->record, frame);
	struct python_code job = {
		.pid = raw->record.pid, .type = p->words->type, .frame = *frame
	};
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	struct span base = names_get(p->of.names, name);
	const char *place = base.data + strlen(base.data) + 1, *colon = strrchr(place, ':');
	uint32_t *known, number = name;
	bool is_new;

	key.line |= frame->line >> PYTHON_UNIT_SHIFT << PYTHON_UNIT_SHIFT;
	if (!python || key.line <= UINT32_MAX || !colon)
		return name;
	known = map_put(&p->objects, &key, &is_new);
	if (!known || !is_new)
		return known ? *known : name;
	job.layout = python->layout;
	if (!timeout_call(
		    &p->of.timeout, do_python_code_line, NULL, &job, sizeof(job), -1, TIMEOUT_MS) &&
		job.line) {
		buffer_append(&text, base.data, base.size);
		buffer_format(&text, "%.*s:%u", (int)(colon - place), place, job.line);
		buffer_char(&text, 0);
		number = names_put(p->of.names, span_of((const char *)text.data, text.size), NULL);
	}
	*known = number == NAMES_NONE ? name : number;
	return *known;
}

uint32_t python_put(
	struct python *p, const struct profile_raw *raw, const struct profile_raw_python *frame)
{
	struct object_key key = key_of(&raw->record, frame);
	uint32_t *known = map_get(&p->objects, &key);
	uint32_t number = known ? *known : read_name(p, raw, frame);

	/* If a name could not be read, the next sample tries again. */
	if (!known && number != NAMES_NONE && (known = map_put(&p->objects, &key, NULL)))
		*known = number;
	return number == NAMES_NONE ? number : put_running_line(p, raw, frame, number);
}

static void take(void *state, const struct profile_name *name)
{
	struct python *p = state;
	const struct profile_python_name *r = (const void *)name;
	const struct profile_python *python = map_get(&p->of.files, &r->file);
	struct object_key key = key_of(&r->of.record, &r->frame);
	struct python_code job = { .frame = r->frame };
	uint32_t number, *known;

	if (!python || map_get(&p->objects, &key))
		return;
	job.layout = python->layout;
	python_code_copy_names(&job, r);
	number = put_text(p, &job);
	if (number != NAMES_NONE && (known = map_put(&p->objects, &key, NULL)))
		*known = number;
}

/* --- samples --- */

static const struct profile_python *interpreter_of_eval(
	const struct python *p, uint64_t file, uint64_t offset)
{
	const struct profile_python *python = map_get(&p->of.files, &file);

	return python && python_is_eval(python, offset) ? python : NULL;
}

/* Returns whether the interpreter has just been called: its own frame may be missing yet. */
static bool is_entering(const struct python *p, const struct profile_raw *raw)
{
	const struct profile_raw_frame *first = profile_raw_user(raw);
	const struct profile_python *python =
		raw->user_frames ? interpreter_of_eval(p, first->file, first->offset) : NULL;

	return python && first->offset - python->eval_from < ENTRY_BYTES;
}

/* Assigns functions to calls of the interpreter: each call stands for the functions up to the one
 * it was called for. If the numbers of calls and entries differ, the assignment is unknown. */
static void begin(void *state, const struct profile_raw *raw)
{
	struct python *p = state;
	const struct profile_raw_frame *user = profile_raw_user(raw);
	uint32_t calls = 0, entries = 0;

	p->words = (const void *)profile_raw_words(raw);
	p->is_usable = raw->words && p->words->of.runtime == RUNTIME_python;
	if (!p->is_usable)
		return;
	p->next = 0;
	p->count = (p->words->of.count + 1 - PYTHON_HEAD_WORDS) / 3;
	for (uint32_t i = 0; i < raw->user_frames && p->count; i++)
		calls += interpreter_of_eval(p, user[i].file, user[i].offset) != NULL;
	for (uint32_t i = 0; i < p->count; i++)
		entries += (p->words->functions[i].line & PYTHON_IS_ENTRY) != 0;
	p->skips_first = calls == entries + 1;
	p->is_usable = p->words->of.detail && raw->end == PROFILE_WHOLE && !is_entering(p, raw) &&
		       (calls == entries || p->skips_first);
}

static void name_functions(
	void *state, const struct runtime_frame *at, struct runtime_functions *out)
{
	struct python *p = state;
	const struct profile_raw_frame *user = profile_raw_user(at->raw) + at->index;
	bool is_entry = p->skips_first;

	if (!p->is_usable || !interpreter_of_eval(p, user->file, user->offset))
		return;
	if (!p->skips_first)
		out->place = RUNTIME_INSTEAD;
	p->skips_first = false;
	while (p->next < p->count && !is_entry) {
		const struct profile_raw_python *function = &p->words->functions[p->next++];

		is_entry = function->line & PYTHON_IS_ENTRY;
		out->names[out->count++] = python_put(p, at->raw, function);
	}
}

/* --- walks in user space --- */

static void note_frame(void *state, struct runtime_walk *at)
{
	struct walk *w = &at->walk;
	const struct profile_python *python =
		interpreter_of_eval(state, w->mapping.file, at->offset);

	if (python)
		python_meet(w, python);
}

/* Finds the thread by its pointer, or, if that is unknown, by its id, which is another one in a
 * container. */
static void end(void *state, struct runtime_walk *at)
{
	struct python *p = state;
	struct walk *w = &at->walk;
	const struct profile_python *python = map_get(&p->of.files, &w->own.file);
	uint64_t self = at->thread->thread_pointer;

	p->is_copied |= python && at->is_copy;
	if (!python)
		return;
	python_begin(w, &python->layout, self ? python->layout.thread_id : python->layout.native_id,
		self ? self : at->thread->tid);
	for (size_t i = 0; i < PYTHON_STEPS_MAX && python_up(w, &python->layout); i++)
		;
	python_end(w);
}

static void emit_limits(const void *state, struct backend_run *run)
{
	if (((const struct python *)state)->is_copied)
		backend_limit(run, "names of functions of Python",
			"perf events copy the stack only; their frames are in other memory",
			"run sooth as root");
}

const struct runtime runtime_python = {
	.title = "Python",
	.signs = { MAPS_PYTHON, .libraries = { "libpython3", "libpython2" },
		.functions = { "Py_BytesMain", "Py_InitializeFromConfig" } },
	.generates = true,
	.heap = { .name = "small objects of Python",
		.why = "Python takes memory for objects of up to 512 bytes from the kernel, not "
		       "from malloc",
		.remedy = "start the program with PYTHONMALLOC=malloc: then these objects are "
			  "allocated by malloc; or use tracemalloc in the program",
		.in_malloc = "PYTHONMALLOC=malloc" },
	.state_size = sizeof(struct python),
	.file_size = sizeof(struct profile_python),
	.kernel_map = "pythons",
	.init = init,
	.fini = fini,
	.see = examine_file,
	.begin = begin,
	.functions = name_functions,
	.take = take,
	.meet = note_frame,
	.end = end,
	.waits = python_tasks_add,
	.limits = emit_limits,
};
