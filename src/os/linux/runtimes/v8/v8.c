/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of V8 by name, without a start flag. The walk follows the engine's data beside its
 * frames to the shared function (bpf/v8_step.h). This side checks it again, and reads the name as
 * soon as the sample arrives. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/files/read_memory.h"
#include "os/linux/runtimes/runtime_walk.h"
#include "bpf/v8_step.h"
#include "os/linux/runtimes/v8/v8_frame.h"
#include "os/linux/runtimes/v8/v8_lines.h"

#define FUNCTIONS_MAX	 131072
#define READ_MS		 10000 /* the symbols of an executable of 100 MB, beside the making of its table */
#define FILE_BYTES_LEAST (16 << 20) /* no file with this engine is smaller */
#define FILE_SCHEME	 "file://"

struct v8 {
	struct runtime_state of;
	struct map functions; /* process and objects -> uint32_t name */
	struct v8_lines lines;
	uint64_t frames; /* number of frames that could have a name */
	uint64_t refused[V8_REFUSALS];
	bool is_late;	  /* a file was not read in time */
	bool has_partial; /* the constants of an engine are not as expected */
};

/* Addresses of three objects. The engine may use each address again, but not all three together. */
struct function_key {
	uint64_t shared, name, script;
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t unused;
};

static void init(void *state)
{
	struct v8 *v = state;

	map_init(&v->functions, sizeof(struct function_key), sizeof(uint32_t), FUNCTIONS_MAX);
	v8_lines_init(&v->lines);
}

static void fini(void *state)
{
	struct v8 *v = state;

	map_fini(&v->functions);
	v8_lines_fini(&v->lines);
}

/* --- files --- */

struct see_job {
	int file;
	enum v8_layout_status status;
	struct v8_layout layout;
};

static void run_find_engine_job(void *argument)
{
	struct see_job *job = argument;

	job->status = v8_layout_read(job->file, &job->layout);
}

static void examine_file(void *state, uint64_t key, const char *path, int fd)
{
	struct v8 *v = state;
	struct see_job job = { 0 };
	struct v8_layout *kept;
	struct stat st;

	(void)path;
	if (map_get(&v->of.files, &key) || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
		st.st_size < FILE_BYTES_LEAST)
		return;
	v->is_late |= timeout_call_file(&v->of.timeout, run_find_engine_job, &job, sizeof(job), fd,
			      READ_MS) == -ETIMEDOUT;
	v->has_partial |= job.status == V8_LAYOUT_PARTIAL;
	kept = job.status == V8_LAYOUT_KNOWN ? map_put(&v->of.files, &key, NULL) : NULL;
	if (!kept)
		return;
	*kept = job.layout;
	runtime_share(&v->of, key, &kept->shared);
}

/* --- functions --- */

struct frame_job {
	uint32_t pid;
	uint32_t unused;
	uint64_t pc; /* address in code that may have no frame; 0: the code has one */
	bool needs_name, is_framed;
	struct v8_frame frame;
};

static void run_frame_job(void *argument)
{
	struct frame_job *job = argument;

	if (job->pc)
		job->is_framed = v8_is_framed(do_read_process, &job->pid, job->pc);
	if (job->needs_name)
		v8_frame_read(&job->frame, do_read_process, &job->pid);
}

/* Keeps the name "FUNCTION\0SCRIPT:LINE\0". */
static uint32_t keep_name(struct v8 *v, const struct profile_raw *raw, const struct v8_frame *f)
{
	const struct v8_source source = { f->source, raw->record.start_ticks, raw->record.pid, 0 };
	const char *function = f->text, *script = function + strlen(function) + 1, *slash;
	uint32_t line = f->source ? v8_lines_of(&v->lines, &f->layout, &source, f->position) : 0;
	struct buffer text = { 0 }, place = { 0 };
	uint32_t number;

	if (!strncmp(script, FILE_SCHEME, strlen(FILE_SCHEME)))
		script += strlen(FILE_SCHEME);
	buffer_string(&place, *script ? script : "V8");
	if (*script)
		buffer_format(&place, line ? ":%u" : "+%u", line ? line : f->position);
	slash = strrchr(buffer_cstr(&place), '/');
	if (*function)
		buffer_string(&text, function);
	else
		buffer_format(&text, "[anonymous %s]", slash ? slash + 1 : buffer_cstr(&place));
	buffer_char(&text, '\0');
	buffer_append(&text, place.data, place.size);
	buffer_char(&text, '\0');
	number =
		buffer_failed(&text) || buffer_failed(&place)
			? NAMES_NONE
			: names_put(v->of.names, span_of((const char *)text.data, text.size), NULL);
	buffer_fini(&text);
	buffer_fini(&place);
	return number;
}

static uint32_t read_name(struct v8 *v, const struct profile_raw *raw, struct frame_job *job,
	const struct function_key *key)
{
	uint32_t *known =
		job->frame.raw.of.detail & V8_IS_KIND ? NULL : map_get(&v->functions, key);
	uint32_t number;

	job->needs_name = !known;
	job->frame.refusal = V8_UNREAD;
	if ((job->pc || job->needs_name) && timeout_call(&v->of.timeout, run_frame_job, NULL, job,
						    sizeof(*job), -1, TIMEOUT_MS))
		return NAMES_NONE;
	if (known) {
		job->frame.refusal = V8_NAMED;
		return *known;
	}
	if (job->frame.refusal)
		return NAMES_NONE;
	number = keep_name(v, raw, &job->frame);
	if (number != NAMES_NONE && !(job->frame.raw.of.detail & V8_IS_KIND) &&
		(known = map_put(&v->functions, key, NULL)))
		*known = number;
	return number;
}

/* Returns the name of a frame's function. *is_behind: the name is that of the function that called
 * the frame's code. */
static uint32_t put_name(struct v8 *v, const struct runtime_frame *at, bool *is_behind)
{
	const struct profile_raw *raw = at->raw;
	const struct profile_raw_js *frame = (const void *)at->beside;
	const struct profile_raw_frame *user = profile_raw_user(raw) + at->index;
	const struct v8_layout *layout = map_get(&v->of.files, &raw->engine);
	struct function_key key = { frame->executable, frame->name, frame->callee,
		raw->record.start_ticks, raw->record.pid, 0 };
	bool is_generated = user->file == PROFILE_FILE_NONE;
	bool is_top = frame->of.detail & V8_IS_TOP;
	_cleanup_free_ struct frame_job *job = layout ? calloc(1, sizeof(*job)) : NULL;
	uint32_t number;

	*is_behind = false;
	if (!job)
		return NAMES_NONE;
	job->pid = raw->record.pid;
	job->pc = is_top && is_generated ? user->offset : 0;
	job->frame.layout = *layout;
	job->frame.raw = *frame;
	number = read_name(v, raw, job, &key);
	*is_behind = is_top && (!is_generated || !job->is_framed);
	if (*is_behind && frame->of.detail & V8_IS_KIND)
		return NAMES_NONE; /* the data is the caller's */
	if (is_generated && job->frame.refusal != V8_ENGINE)
		v->frames++;
	if (number == NAMES_NONE && is_generated)
		v->refused[job->frame.refusal]++;
	return number;
}

static void name_functions(
	void *state, const struct runtime_frame *at, struct runtime_functions *out)
{
	bool is_behind;
	uint32_t name = at->beside ? put_name(state, at, &is_behind) : NAMES_NONE;

	if (name == NAMES_NONE)
		return;
	out->place = is_behind ? RUNTIME_OUTER : RUNTIME_INSTEAD;
	out->names[out->count++] = name;
}

/* Copies the data beside a frame. In a copied stack objects are not followed, because they are
 * moved often. */
static void meet(void *state, struct runtime_walk *at)
{
	struct v8 *v = state;
	struct walk *w = &at->walk;
	const struct v8_layout *layout = map_get(&v->of.files, &w->raw.engine);

	w->address = w->pc - !w->is_exact;
	if (layout && !at->has_no_fp && !at->is_copy)
		v8_frame(w, &layout->shared);
}

static void emit_limits(const void *state, struct backend_run *run)
{
	static const char *const reasons[V8_REFUSALS] = {
		[V8_OTHER] = "the objects of the engine were not as expected",
		[V8_NO_TEXT] = "the name is not text",
		[V8_UNREAD] = "the memory of the process could not be read in time",
	};
	const struct v8 *v = state;

	if (v->of.map < 0)
		return;
	if (v->is_late)
		backend_limit(run, "names of functions of JavaScript",
			"the symbols of an executable could not be read in time", "");
	if (v->has_partial)
		backend_limit(run, "names of functions of JavaScript",
			"this build of V8 does not export its layout as expected (v8dbg_*)", "");
	runtime_refused(run, "names of some functions of JavaScript", v->refused, reasons,
		V8_REFUSALS, v->frames);
}

const struct runtime runtime_v8 = {
	.title = "V8",
	.signs = { MAPS_V8, .programs = { "node", "nodejs", "deno", "chrome" },
		.libraries = { "libnode", "libv8" },
		.functions = { "_ZN2v87Isolate10GetCurrentEv", "_ZN2v87Isolate8AllocateEv" } },
	.generates = true,
	.heap = { .name = "the JavaScript heap",
		.why = "V8 takes its memory from the kernel, not from malloc",
		.remedy = "start the program with node --heapsnapshot-signal=SIGUSR2: then kill "
			  "-USR2 PID makes it write a heap snapshot" },
	.state_size = sizeof(struct v8),
	.file_size = sizeof(struct v8_layout),
	.kernel_map = "v8s",
	.init = init,
	.fini = fini,
	.see = examine_file,
	.is_beside = true,
	.functions = name_functions,
	.meet = meet,
	.limits = emit_limits,
};
