/* SPDX-License-Identifier: BSD-2-Clause */
/* Code objects of other processes. */
#include "os/linux/profile/python_names.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/profile/python_code.h"
#include "os/linux/profile/python_layout.h"
#include "symbols/elf_texts.h"

#define OBJECTS_MAX 65536
#define NAMES_MAX   65536
#define NAMES_BYTES (16u << 20)
#define READ_MS	    2000
#define PYTHON_3_9  0x030900f0 /* as Py_Version is from 3.11 on */
#define ENTRY_BYTES 512	       /* of the interpreter: here it makes its frame known */

enum { RUNTIME, CODE_TYPE, EVAL, VERSION, EXPORTS };

static const char *const export_names[EXPORTS] = { "_PyRuntime", "PyCode_Type",
	"_PyEval_EvalFrameDefault", "Py_Version" };

/* The same object may be another function later, with another name or line. */
struct object_key {
	uint64_t code, name, line;
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t unused;
};

void python_names_init(struct python_names *p, int map, uint64_t *known)
{
	p->map = map;
	p->known = known;
	map_init(&p->files, sizeof(uint64_t), sizeof(struct profile_python), PYTHON_FILES_MAX);
	map_init(&p->objects, sizeof(struct object_key), sizeof(uint32_t), OBJECTS_MAX);
	names_init(&p->names, NAMES_MAX, NAMES_BYTES);
}

void python_names_fini(struct python_names *p)
{
	map_fini(&p->files);
	map_fini(&p->objects);
	names_fini(&p->names);
	timeout_fini(&p->timeout);
}

/* --- interpreters --- */

struct job {
	int file;
	uint32_t version; /* by the file's name; 3.9 does not export one */
	bool is_known;	  /* it is an interpreter of a known layout */
	struct profile_python python;
};

static void drop_job(void *argument)
{
	close(((struct job *)argument)->file);
}

static bool find_layout(struct job *job, uint32_t version, uint64_t runtime)
{
	unsigned char debug[PYTHON_DEBUG_BYTES];
	ssize_t size = runtime ? pread(job->file, debug, sizeof(debug), (off_t)runtime) : 0;

	return python_layout_find(&job->python.layout, version, debug, size < 0 ? 0 : (size_t)size);
}

static void do_job(void *argument)
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
	elf_function_rest(job->file, &found[EVAL], &rest);
	job->python = (struct profile_python){ .layout = job->python.layout,
		.eval_from = found[EVAL].offset,
		.eval_to = found[EVAL].offset + found[EVAL].size,
		.rest_from = rest.offset,
		.rest_to = rest.offset + rest.size,
		.runtime = found[RUNTIME].address - exports.code_shift,
		.code_type = found[CODE_TYPE].address - exports.code_shift };
}

static bool is_interpreter_name(const char *path, uint32_t *version)
{
	const char *slash = strrchr(path, '/');
	struct span name = span_of_string(slash ? slash + 1 : path);
	struct span old = span_of_string("python3.9");

	if (span_starts(name, "lib"))
		name = span_of_string(name.data + 3);
	*version =
		span_starts(name, old.data) && (name.size == old.size ||
						       !isdigit((unsigned char)name.data[old.size]))
			? PYTHON_3_9
			: 0;
	return span_starts(name, "python");
}

void python_names_see(struct python_names *p, uint64_t file, const char *path, int fd)
{
	struct job job = { .file = -1 };
	struct profile_python *kept;
	bool is_new;

	if (!path || !is_interpreter_name(path, &job.version) || map_get(&p->files, &file))
		return;
	job.file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (job.file < 0)
		return;
	if (timeout_call(&p->timeout, do_job, drop_job, &job, sizeof(job), job.file, READ_MS) ==
		-ETIMEDOUT)
		return; /* the thread owns the file now */
	close(job.file);
	if (!job.is_known)
		return;
	kept = map_put(&p->files, &file, &is_new);
	if (!kept)
		return;
	*kept = job.python;
	if (!bpf_map_update_elem(p->map, &file, kept, BPF_ANY))
		*p->known = 1;
}

bool python_names_is_eval(const struct python_names *p, const struct profile_raw_frame *frame)
{
	const struct profile_python *python = map_get(&p->files, &frame->file);

	return python && python_is_eval(python, frame->offset);
}

bool python_names_is_entering(const struct python_names *p, const struct profile_raw_frame *frame)
{
	return python_names_is_eval(p, frame) &&
	       frame->offset - ((const struct profile_python *)map_get(&p->files, &frame->file))
				       ->eval_from <
		       ENTRY_BYTES;
}

/* --- code objects --- */

/* A page of the mapped memory may never come. */
static void do_read(void *argument)
{
	python_code_read(argument);
}

static uint32_t put_text(struct python_names *p, const struct python_code *job)
{
	uint32_t number =
		job->size ? names_put(&p->names, span_of(job->text, job->size), NULL) : NAMES_NONE;

	return number == NAMES_NONE ? PYTHON_NAME_NONE : number;
}

static uint32_t read_name(struct python_names *p, const struct profile_raw *raw,
	const struct profile_raw_python *frame)
{
	const struct profile_python *python = map_get(&p->files, &raw->python_file);
	struct python_code job = {
		.pid = raw->record.pid, .type = raw->python_type, .frame = *frame
	};

	if (!python)
		return PYTHON_NAME_NONE;
	job.layout = python->layout;
	if (timeout_call(&p->timeout, do_read, NULL, &job, sizeof(job), -1, TIMEOUT_MS))
		return PYTHON_NAME_NONE;
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

uint32_t python_names_put(struct python_names *p, const struct profile_raw *raw,
	const struct profile_raw_python *frame)
{
	struct object_key key = key_of(&raw->record, frame);
	uint32_t *known = map_get(&p->objects, &key);
	uint32_t number = known ? *known : read_name(p, raw, frame);

	/* A name that could not be read is tried again at the next sample. */
	if (!known && number != PYTHON_NAME_NONE && (known = map_put(&p->objects, &key, NULL)))
		*known = number;
	return number;
}

void python_names_take(struct python_names *p, const struct profile_python_name *r)
{
	const struct profile_python *python = map_get(&p->files, &r->file);
	struct object_key key = key_of(&r->record, &r->frame);
	struct python_code job = { .frame = r->frame };
	uint32_t number, *known;

	if (!python || map_get(&p->objects, &key))
		return;
	job.layout = python->layout;
	python_code_take(&job, r);
	number = put_text(p, &job);
	if (number != PYTHON_NAME_NONE && (known = map_put(&p->objects, &key, NULL)))
		*known = number;
}

void python_names_get(
	const struct python_names *p, uint32_t name, const char **function, const char **file)
{
	struct span text = names_get(&p->names, name);

	/* Both end with a NUL; a text without any is of no function. */
	*function = text.size ? text.data : "";
	*file = text.size ? text.data + strlen(text.data) + 1 : "";
}
