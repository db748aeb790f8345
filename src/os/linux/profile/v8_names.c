/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of functions in processes with V8. */
#include "os/linux/profile/v8_names.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/profile/v8_process.h"

#define FUNCTIONS_MAX	 131072
#define NAMES_MAX	 131072
#define NAMES_BYTES	 (16u << 20)
#define READ_MS		 10000 /* the symbols of an executable of 100 MB, beside the making of its table */
#define FILE_BYTES_LEAST (16 << 20) /* no file with this engine is smaller */
#define NOTED_PERCENT	 10	    /* of the frames: fewer without a name have no note */
#define FILE_SCHEME	 "file://"

/* Three objects at addresses that are used again only one by one. */
struct function_key {
	uint64_t shared, name, script;
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t unused;
};

void v8_names_init(struct v8_names *v, int map, uint64_t *known)
{
	v->map = map;
	v->known = known;
	map_init(&v->files, sizeof(uint64_t), sizeof(struct v8_layout), V8_FILES_MAX);
	map_init(&v->functions, sizeof(struct function_key), sizeof(uint32_t), FUNCTIONS_MAX);
	names_init(&v->names, NAMES_MAX, NAMES_BYTES);
	v8_lines_init(&v->lines);
}

void v8_names_fini(struct v8_names *v)
{
	map_fini(&v->files);
	map_fini(&v->functions);
	names_fini(&v->names);
	v8_lines_fini(&v->lines);
	timeout_fini(&v->timeout);
}

/* --- files --- */

struct see_job {
	int file;
	enum v8_layout_status status;
	struct v8_layout layout;
};

static void drop_see(void *argument)
{
	close(((struct see_job *)argument)->file);
}

static void do_see(void *argument)
{
	struct see_job *job = argument;

	job->status = v8_layout_read(job->file, &job->layout);
}

static void keep_file(struct v8_names *v, uint64_t key, const struct see_job *job)
{
	struct v8_layout *kept = NULL;

	v->has_partial |= job->status == V8_LAYOUT_PARTIAL;
	if (job->status == V8_LAYOUT_KNOWN)
		kept = map_put(&v->files, &key, NULL);
	if (!kept)
		return;
	*kept = job->layout;
	if (v->map < 0 || !bpf_map_update_elem(v->map, &key, &kept->shared, BPF_ANY))
		*v->known = 1;
}

void v8_names_see(struct v8_names *v, uint64_t key, int fd)
{
	struct see_job job = { .file = -1 };
	struct stat st;

	if (map_get(&v->files, &key) || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
		st.st_size < FILE_BYTES_LEAST)
		return;
	job.file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (job.file < 0)
		return;
	if (timeout_call(&v->timeout, do_see, drop_see, &job, sizeof(job), job.file, READ_MS) ==
		-ETIMEDOUT) {
		v->is_late = true;
		return; /* the thread owns the file now */
	}
	close(job.file);
	keep_file(v, key, &job);
}

const struct v8_layout *v8_names_layout(const struct v8_names *v, uint64_t file)
{
	return map_get(&v->files, &file);
}

/* --- functions --- */

struct frame_job {
	uint32_t pid;
	uint32_t unused;
	uint64_t pc; /* of code that may have no frame; 0: it has one */
	bool needs_name, is_framed;
	struct v8_frame frame;
};

static void do_frame(void *argument)
{
	struct frame_job *job = argument;

	if (job->pc)
		job->is_framed = v8_is_framed(v8_process_read, &job->pid, job->pc);
	if (job->needs_name)
		v8_frame_read(&job->frame, v8_process_read, &job->pid);
}

/* "FUNCTION\0SCRIPT:LINE\0" */
static uint32_t keep_name(
	struct v8_names *v, const struct profile_raw *raw, const struct v8_frame *f)
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
	number = buffer_failed(&text) || buffer_failed(&place)
			 ? NAMES_NONE
			 : names_put(&v->names, span_of((const char *)text.data, text.size), NULL);
	buffer_fini(&text);
	buffer_fini(&place);
	return number == NAMES_NONE ? V8_NAME_NONE : number;
}

static uint32_t read_name(struct v8_names *v, const struct profile_raw *raw, struct frame_job *job,
	const struct function_key *key)
{
	uint32_t *known =
		job->frame.raw.call_site & V8_IS_KIND ? NULL : map_get(&v->functions, key);
	uint32_t number;

	job->needs_name = !known;
	job->frame.refusal = V8_UNREAD;
	if ((job->pc || job->needs_name) &&
		timeout_call(&v->timeout, do_frame, NULL, job, sizeof(*job), -1, TIMEOUT_MS))
		return V8_NAME_NONE;
	if (known) {
		job->frame.refusal = V8_NAMED;
		return *known;
	}
	if (job->frame.refusal)
		return V8_NAME_NONE;
	number = keep_name(v, raw, &job->frame);
	if (number != V8_NAME_NONE && !(job->frame.raw.call_site & V8_IS_KIND) &&
		(known = map_put(&v->functions, key, NULL)))
		*known = number;
	return number;
}

uint32_t v8_names_put(struct v8_names *v, const struct profile_raw *raw,
	const struct profile_raw_js *frame, const struct profile_raw_frame *user, bool *is_behind)
{
	const struct v8_layout *layout = v8_names_layout(v, raw->js_file);
	struct function_key key = { frame->executable, frame->name, frame->callee,
		raw->record.start_ticks, raw->record.pid, 0 };
	bool is_generated = user->file == PROFILE_FILE_NONE;
	bool is_top = frame->call_site & V8_IS_TOP;
	_cleanup_free_ struct frame_job *job = layout ? calloc(1, sizeof(*job)) : NULL;
	uint32_t number;

	*is_behind = false;
	if (!job)
		return V8_NAME_NONE;
	job->pid = raw->record.pid;
	job->pc = is_top && is_generated ? user->offset : 0;
	job->frame.layout = *layout;
	job->frame.raw = *frame;
	number = read_name(v, raw, job, &key);
	*is_behind = is_top && (!is_generated || !job->is_framed);
	if (*is_behind && frame->call_site & V8_IS_KIND)
		return V8_NAME_NONE; /* the caller's */
	if (is_generated && job->frame.refusal != V8_ENGINE)
		v->frames++;
	if (number == V8_NAME_NONE && is_generated)
		v->refused[job->frame.refusal]++;
	return number;
}

void v8_names_get(const struct v8_names *v, uint32_t name, const char **function, const char **file)
{
	struct span text = names_get(&v->names, name);

	/* Both end with a NUL; a text without any is of no function. */
	*function = text.size ? text.data : "";
	*file = text.size ? text.data + strlen(text.data) + 1 : "";
}

static const char *why_refused(const struct v8_names *v, double *percent)
{
	static const char *const reasons[V8_REFUSALS] = {
		[V8_OTHER] = "the objects of the engine were not as expected",
		[V8_NO_TEXT] = "the name is not text",
		[V8_UNREAD] = "the memory of the process could not be read in time",
	};
	uint64_t all = 0;
	size_t most = V8_OTHER;

	for (size_t i = V8_OTHER; i < V8_REFUSALS; i++) {
		all += v->refused[i];
		if (v->refused[i] > v->refused[most])
			most = i;
	}
	*percent = v->frames ? 100.0 * (double)all / (double)v->frames : 0;
	return all ? reasons[most] : NULL;
}

void v8_names_limits(const struct v8_names *v, struct backend_run *run)
{
	double percent;
	const char *why = why_refused(v, &percent);
	char text[200];

	if (v->is_late)
		backend_limit(run, "names of functions of JavaScript",
			"the symbols of an executable could not be read in time", "");
	if (v->has_partial)
		backend_limit(run, "names of functions of JavaScript",
			"this build of V8 does not export its layout as expected (v8dbg_*)", "");
	if (!why || percent < NOTED_PERCENT)
		return;
	snprintf(text, sizeof(text), "%.0f %% of their frames; most: %s", percent, why);
	backend_limit(run, "names of some functions of JavaScript", text, "");
}
