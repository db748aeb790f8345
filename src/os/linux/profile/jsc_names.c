/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of functions in processes with JavaScriptCore. */
#include "os/linux/profile/jsc_names.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/profile/debug_file.h"
#include "os/linux/profile/jsc_cache.h"
#include "os/linux/profile/jsc_search.h"
#include "symbols/elf_sections.h"

#define BLOCKS_MAX	 131072
#define NAMES_MAX	 131072
#define NAMES_BYTES	 (16u << 20)
#define READ_MS		 2000
#define FILE_BYTES_LEAST (16 << 20) /* no executable with this engine is smaller */
#define OPCODES_MAX	 4096
#define HANDLERS_LEAST	 200 /* of bytecodes: there are some 800 */
#define NOTED_PERCENT	 10  /* of the frames: fewer without a name are not reported */
#define TRIES_MAX	 100 /* a process fills in its table of handlers when it starts */

struct jsc_file {
	struct jsc_layout layout;  /* without types: not known */
	struct jsc_search *search; /* for the layout, or the rest of it; NULL: all is known */
	char build_id[DEBUG_BUILD_ID_SIZE];
	struct profile_jsc shared;
	struct elf_section handlers, code;
	struct jsc_text text;
	uint32_t tries;
};

/* A code block with the function's executable and its name: three objects at addresses that are
 * used again only one by one. */
struct block_key {
	uint64_t block, executable, name;
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t call_site; /* 0 in `blocks` */
};

struct jsc_block {
	uint64_t from, to; /* of its code; 0, 0: in the interpreter */
	uint32_t name;
	uint32_t tier;
};

/* The functions that the one of the block has inside of its code, around a call. */
struct jsc_call {
	uint32_t count;
	uint32_t names[JSC_FUNCTIONS_MAX - 1];
};

void jsc_names_init(struct jsc_names *j, int map, uint64_t *known, const char *cache_folder)
{
	j->cache_folder = cache_folder ? strdup(cache_folder) : NULL;
	j->map = map;
	j->known = known;
	map_init(&j->files, sizeof(uint64_t), sizeof(struct jsc_file), JSC_FILES_MAX);
	map_init(&j->blocks, sizeof(struct block_key), sizeof(struct jsc_block), BLOCKS_MAX);
	map_init(&j->calls, sizeof(struct block_key), sizeof(struct jsc_call), BLOCKS_MAX);
	names_init(&j->names, NAMES_MAX, NAMES_BYTES);
}

static void end_search(struct jsc_file *file)
{
	if (file->search)
		jsc_search_fini(file->search);
	free(file->search);
	file->search = NULL;
}

static void end_file(struct jsc_file *file)
{
	jsc_text_fini(&file->text);
	end_search(file);
}

void jsc_names_fini(struct jsc_names *j)
{
	map_for_each_value (&j->files, void *, value)
		end_file(value);
	map_fini(&j->files);
	map_fini(&j->blocks);
	map_fini(&j->calls);
	names_fini(&j->names);
	timeout_fini(&j->timeout);
	free(j->cache_folder);
}

/* --- executables --- */

struct see_job {
	int file;
	bool has_engine;
	struct elf_section found[3]; /* of the table of handlers, of code, of modules */
	struct debug_identity identity;
};

static void drop_see(void *argument)
{
	close(((struct see_job *)argument)->file);
}

static void do_see(void *argument)
{
	static const char *const names[] = { "__DATA,__jsc_opcodes", ".text", JSC_TEXT_SECTION };
	struct see_job *job = argument;

	job->has_engine = !elf_sections_find(job->file, names, ARRAY_SIZE(names), job->found) &&
			  job->found[0].size && job->found[1].size;
	if (job->has_engine)
		debug_identity_read(job->file, &job->identity);
}

static void share(struct jsc_names *j, uint64_t key, const struct jsc_file *file)
{
	if (!bpf_map_update_elem(j->map, &key, &file->shared, BPF_ANY))
		*j->known = 1;
}

static void use_layout(
	struct jsc_names *j, uint64_t key, struct jsc_file *file, const struct jsc_layout *l)
{
	file->layout = *l;
	file->shared.callee_executable = l->callee_executable;
	file->shared.rare_executable = l->rare_executable;
	file->shared.block_owner = l->block_owner;
	file->shared.executable_unlinked = l->executable_unlinked;
	file->shared.unlinked_name = l->unlinked_name;
	file->shared.native_name = l->native_name;
	file->shared.function_type = l->type_function;
	share(j, key, file);
}

/* Without a known layout, what is beside the frames is collected until it is found. */
static void keep_file(struct jsc_names *j, uint64_t key, const struct see_job *job, int fd)
{
	const char *build_id = job->identity.build_id;
	const struct jsc_layout *known = jsc_layout_of(build_id);
	struct jsc_layout layout = { 0 };
	struct jsc_file *file = map_put(&j->files, &key, NULL);

	if (!file)
		return;
	*file = (struct jsc_file){ .handlers = job->found[0], .code = job->found[1] };
	snprintf(file->build_id, sizeof(file->build_id), "%s", build_id);
	jsc_text_init(&file->text, fd, &job->found[2]);
	if (known) {
		layout = *known;
	} else if (!jsc_cache_read(j->cache_folder, build_id, &layout)) {
		file->search = malloc(sizeof(*file->search));
		if (file->search)
			jsc_search_init(file->search);
	}
	use_layout(j, key, file, &layout);
}

void jsc_names_see(struct jsc_names *j, uint64_t key, int fd)
{
	struct see_job job = { .file = -1 };
	struct stat st;

	if (map_get(&j->files, &key) || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
		st.st_size < FILE_BYTES_LEAST)
		return;
	job.file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (job.file < 0)
		return;
	if (timeout_call(&j->timeout, do_see, drop_see, &job, sizeof(job), job.file, READ_MS) ==
		-ETIMEDOUT)
		return; /* the thread owns the file now */
	close(job.file);
	if (job.has_engine)
		keep_file(j, key, &job, fd);
}

/* --- the interpreter's code --- */

struct handlers_job {
	uint32_t pid;
	uint32_t unused;
	uint64_t address;
	size_t count; /* in, and read */
	uint64_t words[OPCODES_MAX];
};

static bool read_process(void *user, uint64_t address, void *out, size_t size)
{
	struct iovec local = { out, size }, remote = { (void *)address, size };

	return process_vm_readv((pid_t) * (const uint32_t *)user, &local, 1, &remote, 1, 0) ==
	       (ssize_t)size;
}

static void do_handlers(void *argument)
{
	struct handlers_job *job = argument;

	if (!read_process(&job->pid, job->address, job->words, job->count * sizeof(uint64_t)))
		job->count = 0;
}

static void read_ranges(struct jsc_names *j, const struct profile_raw *raw, struct jsc_file *file)
{
	_cleanup_free_ struct handlers_job *job = calloc(1, sizeof(*job));
	size_t count = 0;

	if (!job)
		return;
	job->pid = raw->record.pid;
	job->address = file->handlers.address;
	job->count = file->handlers.size / sizeof(uint64_t);
	if (job->count > OPCODES_MAX)
		job->count = OPCODES_MAX;
	if (timeout_call(&j->timeout, do_handlers, NULL, job, sizeof(*job), -1, TIMEOUT_MS))
		return;
	for (size_t i = 0; i < job->count; i++) {
		uint64_t offset = job->words[i] - file->code.address;

		if (offset < file->code.size)
			job->words[count++] = offset + file->code.offset;
	}
	if (count < HANDLERS_LEAST)
		return; /* not filled in yet, or loaded at another address than linked */
	jsc_ranges_find(&file->shared, job->words, count);
	share(j, raw->js_file, file);
}

void jsc_names_meet(struct jsc_names *j, const struct profile_raw *raw)
{
	struct jsc_file *file = map_get(&j->files, &raw->js_file);

	if (file && !file->shared.ranges && file->tries < TRIES_MAX) {
		file->tries++;
		read_ranges(j, raw, file);
	}
}

bool jsc_names_has(const struct jsc_names *j, uint64_t file)
{
	return map_get(&j->files, &file);
}

bool jsc_names_is_interpreter(
	const struct jsc_names *j, const struct profile_raw *raw, uint64_t file, uint64_t offset)
{
	const struct jsc_file *known = file == raw->js_file ? map_get(&j->files, &file) : NULL;

	for (uint32_t i = 0; known && i < known->shared.ranges; i++) {
		if (offset >= known->shared.range[i].from && offset < known->shared.range[i].to)
			return true;
	}
	return false;
}

/* --- functions --- */

struct follow_job {
	uint32_t pid;
	uint32_t unused;
	struct jsc_layout layout;
	struct profile_raw_js frame;
};

static void do_follow(void *argument)
{
	struct follow_job *job = argument;

	jsc_frame_follow(&job->frame, &job->layout, read_process, &job->pid);
}

void jsc_names_follow(struct jsc_names *j, const struct profile_raw *raw,
	const struct jsc_slots *slots, struct profile_raw_js *frame)
{
	const struct jsc_file *file = map_get(&j->files, &raw->js_file);
	struct follow_job job = { .pid = raw->record.pid,
		.frame = { .call_site = slots->call_site,
			.block = slots->block,
			.callee = slots->callee } };

	if (file && file->layout.type_function) {
		job.layout = file->layout;
		/* After a timeout no executable is known. */
		timeout_call(&j->timeout, do_follow, NULL, &job, sizeof(job), -1, TIMEOUT_MS);
	}
	job.frame.index = frame->index;
	*frame = job.frame;
}

struct frame_job {
	uint32_t pid;
	uint32_t unused;
	struct jsc_frame frame;
};

static void do_frame(void *argument)
{
	struct frame_job *job = argument;

	jsc_frame_read(&job->frame, read_process, &job->pid);
}

/* "FUNCTION\0MODULE+OFFSET\0" of the job, with what only the text of the module has. */
static uint32_t keep_name(struct jsc_names *j, struct jsc_file *file, const struct jsc_frame *f)
{
	const char *place = f->text + strlen(f->text) + 1;
	struct buffer text = { 0 };
	uint32_t number;

	buffer_char(&text, '~');
	if (!*f->module || !jsc_text_name(&file->text, &j->timeout, f->module, f->start, &text)) {
		buffer_reset(&text);
		buffer_string(&text, f->text);
	}
	if (f->depth)
		buffer_string(&text, " [inlined]");
	buffer_char(&text, '\0');
	buffer_append(&text, place, strlen(place) + 1);
	number = buffer_failed(&text)
			 ? NAMES_NONE
			 : names_put(&j->names, span_of((const char *)text.data, text.size), NULL);
	buffer_fini(&text);
	return number == NAMES_NONE ? JSC_NAME_NONE : number;
}

static uint32_t read_name(struct jsc_names *j, struct jsc_file *file, struct frame_job *job)
{
	job->frame.refusal = JSC_UNREAD;
	if (timeout_call(&j->timeout, do_frame, NULL, job, sizeof(*job), -1, TIMEOUT_MS) ||
		job->frame.refusal)
		return JSC_NAME_NONE;
	return keep_name(j, file, &job->frame);
}

static bool is_in(const struct jsc_block *block, uint64_t pc)
{
	return pc ? pc >= block->from && pc < block->to : !block->to;
}

/*
 * A function that is just being entered has its caller beside the frame pointer. The address is
 * its own, where that was a known block's before the sample and is the same block's after it.
 */
static const struct jsc_block *find_by_place(
	struct jsc_names *j, const struct profile_raw *raw, const struct jsc_frame *frame)
{
	struct frame_job job = { .pid = raw->record.pid };

	job.frame.layout = frame->layout;
	job.frame.pc = frame->pc;
	job.frame.is_placed = true;
	map_for_each (&j->blocks, const struct block_key *, k, const struct jsc_block *, block) {
		if (k->pid != raw->record.pid || k->start_ticks != raw->record.start_ticks ||
			!block->to || !is_in(block, frame->pc))
			continue;
		job.frame.raw = (struct profile_raw_js){
			.block = k->block, .executable = k->executable, .name = k->name
		};
		job.frame.refusal = JSC_UNREAD;
		if (!timeout_call(&j->timeout, do_frame, NULL, &job, sizeof(job), -1, TIMEOUT_MS) &&
			!job.frame.refusal)
			return block;
	}
	return NULL;
}

/* All of them or none: with one missing, the others would seem to call each other. */
static void read_inlined(
	struct jsc_names *j, struct jsc_file *file, struct frame_job *job, struct jsc_call *call)
{
	for (call->count = 0; call->count < ARRAY_SIZE(call->names); call->count++) {
		uint32_t number;

		job->frame.depth = (uint8_t)(call->count + 1);
		number = read_name(j, file, job);
		if (number == JSC_NAME_NONE) {
			if (job->frame.refusal != JSC_STUB)
				call->count = 0;
			return;
		}
		call->names[call->count] = number;
	}
}

/* Puts the functions around the call that the frame is in. The place of the call is that of an
 * earlier one as long as the frame runs itself, or code that is not of the engine's language. */
static size_t put_inlined(struct jsc_names *j, struct jsc_file *file, struct frame_job *job,
	struct block_key key, uint32_t numbers[])
{
	struct jsc_call *call;
	bool is_new;

	key.call_site = job->frame.raw.call_site + 1;
	call = map_put(&j->calls, &key, &is_new);
	if (!call)
		return 0;
	if (is_new)
		read_inlined(j, file, job, call);
	memcpy(numbers, call->names, call->count * sizeof(*numbers));
	return call->count;
}

/* The interrupted frame may be being entered: what is beside it is its caller's. A layout found at
 * first may lack the code of the last tier, or where functions start: it is used, and the search
 * goes on. */
static void search(struct jsc_names *j, const struct profile_raw *raw,
	const struct profile_raw_js *frame, const struct profile_raw_frame *user,
	struct jsc_file *file)
{
	struct jsc_pair pair = { frame->block, frame->callee,
		user->file == PROFILE_FILE_NONE ? user->offset : 0 };
	const struct jsc_layout *found = &file->search->calibration.layout;

	if (!frame->index || !jsc_search_put(file->search, raw, &pair, &j->timeout, &file->text))
		return;
	use_layout(j, raw->js_file, file, found);
	if (!found->code_range_ftl || (!found->start_bits && file->text.section.size))
		return;
	jsc_cache_write(j->cache_folder, file->build_id, found);
	end_search(file);
}

size_t jsc_names_put(struct jsc_names *j, const struct profile_raw *raw,
	const struct profile_raw_js *frame, const struct profile_raw_frame *user, bool is_calling,
	uint32_t numbers[JSC_FUNCTIONS_MAX])
{
	struct jsc_file *file = map_get(&j->files, &raw->js_file);
	struct block_key key = { frame->block ? frame->block : frame->callee, frame->executable,
		frame->name, raw->record.start_ticks, raw->record.pid, 0 };
	struct jsc_block *known = map_get(&j->blocks, &key), block;
	struct frame_job job = { .pid = raw->record.pid };
	size_t count = 0;

	if (file && file->search)
		search(j, raw, frame, user, file);
	if (!file || !file->layout.type_function)
		return 0;
	job.frame.layout = file->layout;
	job.frame.raw = *frame;
	job.frame.pc = user->file == PROFILE_FILE_NONE ? user->offset : 0;
	job.frame.is_top = !frame->index;
	j->frames++;
	if (known && (!frame->block || is_in(known, job.frame.pc))) {
		block = *known;
	} else {
		block.name = read_name(j, file, &job);
		block = (struct jsc_block){ job.frame.from, job.frame.to, block.name,
			job.frame.tier };
		if (block.name == JSC_NAME_NONE) {
			const struct jsc_block *entered =
				job.frame.refusal == JSC_OUTSIDE ? find_by_place(j, raw, &job.frame)
								 : NULL;

			if (entered) {
				numbers[0] = entered->name;
				return 1;
			}
			j->refused[job.frame.refusal]++;
			return 0;
		}
		if ((known = map_put(&j->blocks, &key, NULL)))
			*known = block;
	}
	if (is_calling && block.tier > JSC_TIER_BASELINE)
		count = put_inlined(j, file, &job, key, numbers);
	numbers[count++] = block.name;
	return count;
}

void jsc_names_get(
	const struct jsc_names *j, uint32_t name, const char **function, const char **file)
{
	struct span text = names_get(&j->names, name);

	/* Both end with a NUL; a text without any is of no function. */
	*function = text.size ? text.data : "";
	*file = text.size ? text.data + strlen(text.data) + 1 : "";
}

/* The share of frames without a name among those that should have one, in percent; and why most of
 * them have none. NULL: all have one. */
static const char *why_refused(const struct jsc_names *j, double *percent)
{
	static const char *const reasons[JSC_REFUSALS] = {
		[JSC_STUB] = "they are stubs of the engine",
		[JSC_OTHER] = "the objects of the engine were not as expected",
		[JSC_OUTSIDE] = "the function was just being entered or left",
		[JSC_NO_TEXT] = "the name is not text",
		[JSC_UNREAD] = "the memory of the process could not be read in time",
	};
	uint64_t all = 0;
	size_t most = JSC_STUB;

	for (size_t i = JSC_STUB; i < JSC_REFUSALS; i++) {
		all += j->refused[i];
		if (j->refused[i] > j->refused[most])
			most = i;
	}
	*percent = j->frames ? 100.0 * (double)all / (double)j->frames : 0;
	return all ? reasons[most] : NULL;
}

void jsc_names_limits(const struct jsc_names *j, struct backend_run *run)
{
	double percent;
	const char *why = why_refused(j, &percent);
	char text[400];

	map_for_each_value (&j->files, const struct jsc_file *, file) {
		if (file->layout.type_function)
			continue;
		snprintf(text, sizeof(text),
			"this build of JavaScriptCore is not known (build id %s), and its layout "
			"was not found: %s",
			file->build_id[0] ? file->build_id : "none",
			file->search ? file->search->calibration.reason : "no memory");
		backend_limit(run, "names of functions of JavaScript", text,
			"observe it for longer, while it works: sooth profile -d 30s PID");
	}
	if (!why || percent < NOTED_PERCENT)
		return;
	snprintf(text, sizeof(text), "%.0f %% of their frames; most: %s", percent, why);
	backend_limit(run, "names of some functions of JavaScript", text, "");
}
