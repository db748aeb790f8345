/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of JavaScriptCore by name, without a start flag. The kernel side follows the engine's
 * data beside its frames to the text object of the name (bpf/javascript.bpf.h). This side checks
 * all of it again, and reads the text as soon as the sample arrives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "os/linux/files/read_memory.h"
#include "os/linux/profile/debug_file.h"
#include "os/linux/runtimes/jsc/jsc_cache.h"
#include "os/linux/runtimes/jsc/jsc_search.h"
#include "os/linux/runtimes/runtime_walk.h"
#include "symbols/elf_sections.h"

#define BLOCKS_MAX	 131072
#define READ_MS		 2000
#define FILE_BYTES_LEAST (16 << 20) /* no executable with this engine is smaller */
#define OPCODES_MAX	 4096
#define HANDLERS_LEAST	 200 /* of bytecodes: there are some 800 */
#define TRIES_MAX	 100 /* a process fills in its table of handlers when it starts */

#define FUNCTIONS_MAX 9 /* of one frame: the functions compiled into a function, and itself */

struct jsc {
	struct runtime_state of;
	struct map blocks; /* process and objects -> struct jsc_block */
	struct map calls;  /* process, objects and place of a call -> struct jsc_call */
	uint64_t frames;   /* number of frames that could have a name */
	uint64_t refused[JSC_REFUSALS];
	uint32_t caller; /* index of the frame behind the last frame with objects */
};

struct jsc_file {
	struct jsc_layout layout;  /* without types: not known */
	struct jsc_search *search; /* search for the layout or the rest of it; NULL: all is known */
	char build_id[DEBUG_BUILD_ID_SIZE];
	struct profile_jsc shared;
	struct elf_section handlers, code;
	struct jsc_text text;
	uint32_t tries;
};

/* A code block with the function's executable and its name: the addresses of three objects. The
 * engine may use each address again, but not all three together. */
struct block_key {
	uint64_t block, executable, name;
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t call_site; /* 0 in `blocks` */
};

struct jsc_block {
	uint64_t from, to; /* range of its code; 0, 0: in the interpreter */
	uint32_t name;
	uint32_t tier;
};

/* The functions inlined into a block's code around a call. */
struct jsc_call {
	uint32_t count;
	uint32_t names[FUNCTIONS_MAX - 1];
};

static void init(void *state)
{
	struct jsc *j = state;

	map_init(&j->blocks, sizeof(struct block_key), sizeof(struct jsc_block), BLOCKS_MAX);
	map_init(&j->calls, sizeof(struct block_key), sizeof(struct jsc_call), BLOCKS_MAX);
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

static void fini(void *state)
{
	struct jsc *j = state;

	map_for_each_value (&j->of.files, void *, value)
		end_file(value);
	map_fini(&j->blocks);
	map_fini(&j->calls);
}

/* --- executables --- */

struct see_job {
	int file;
	bool has_engine;
	struct elf_section found[3]; /* sections: the table of handlers, the code, the modules */
	struct debug_identity identity;
};

static void run_find_engine_job(void *argument)
{
	static const char *const names[] = { "__DATA,__jsc_opcodes", ".text", JSC_TEXT_SECTION };
	struct see_job *job = argument;

	job->has_engine = !elf_sections_find(job->file, names, ARRAY_SIZE(names), job->found) &&
			  job->found[0].size && job->found[1].size;
	if (job->has_engine)
		debug_identity_read(job->file, &job->identity);
}

static void use_layout(
	struct jsc *j, uint64_t key, struct jsc_file *file, const struct jsc_layout *l)
{
	file->layout = *l;
	file->shared.callee_executable = l->callee_executable;
	file->shared.rare_executable = l->rare_executable;
	file->shared.block_owner = l->block_owner;
	file->shared.executable_unlinked = l->executable_unlinked;
	file->shared.unlinked_name = l->unlinked_name;
	file->shared.native_name = l->native_name;
	file->shared.function_type = l->type_function;
	runtime_share(&j->of, key, &file->shared);
}

/* Keeps a file with an engine. If its layout is unknown, the data beside the frames is collected
 * until the layout is found. */
static void keep_file(struct jsc *j, uint64_t key, const struct see_job *job, int fd)
{
	const char *build_id = job->identity.build_id;
	const struct jsc_layout *known = jsc_layout_of(build_id);
	struct jsc_layout layout = { 0 };
	struct jsc_file *file = map_put(&j->of.files, &key, NULL);

	if (!file)
		return;
	*file = (struct jsc_file){ .handlers = job->found[0], .code = job->found[1] };
	snprintf(file->build_id, sizeof(file->build_id), "%s", build_id);
	jsc_text_init(&file->text, fd, &job->found[2]);
	if (known) {
		layout = *known;
	} else if (!jsc_cache_read(j->of.cache_folder, build_id, &layout)) {
		file->search = malloc(sizeof(*file->search));
		if (file->search)
			jsc_search_init(file->search);
	}
	use_layout(j, key, file, &layout);
}

static void examine_file(void *state, uint64_t key, const char *path, int fd)
{
	struct jsc *j = state;
	struct see_job job = { 0 };
	struct stat st;

	(void)path;
	if (map_get(&j->of.files, &key) || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
		st.st_size < FILE_BYTES_LEAST)
		return;
	timeout_call_file(&j->of.timeout, run_find_engine_job, &job, sizeof(job), fd, READ_MS);
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

static void run_handlers_job(void *argument)
{
	struct handlers_job *job = argument;

	if (!do_read_process(&job->pid, job->address, job->words, job->count * sizeof(uint64_t)))
		job->count = 0;
}

static void read_ranges(struct jsc *j, const struct profile_raw *raw, struct jsc_file *file)
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
	if (timeout_call(&j->of.timeout, run_handlers_job, NULL, job, sizeof(*job), -1, TIMEOUT_MS))
		return;
	for (size_t i = 0; i < job->count; i++) {
		uint64_t offset = job->words[i] - file->code.address;

		if (offset < file->code.size)
			job->words[count++] = offset + file->code.offset;
	}
	if (count < HANDLERS_LEAST)
		return; /* not filled in yet, or loaded at another address than linked */
	jsc_ranges_find(&file->shared, job->words, count);
	runtime_share(&j->of, raw->engine, &file->shared);
}

/* Prepares a process for the naming of a sample's frames. */
static void retry_ranges(struct jsc *j, const struct profile_raw *raw)
{
	struct jsc_file *file = map_get(&j->of.files, &raw->engine);

	if (file && !file->shared.ranges && file->tries < TRIES_MAX) {
		file->tries++;
		read_ranges(j, raw, file);
	}
}

static void begin(void *state, const struct profile_raw *raw)
{
	struct jsc *j = state;

	j->caller = UINT32_MAX;
	if (j->of.map >= 0) /* without BPF, the walk in user space does this */
		retry_ranges(j, raw);
}

/* --- functions --- */

struct follow_job {
	uint32_t pid;
	uint32_t unused;
	struct jsc_layout layout;
	struct profile_raw_js frame;
};

static void run_follow_job(void *argument)
{
	struct follow_job *job = argument;

	jsc_frame_follow(&job->frame, &job->layout, do_read_process, &job->pid);
}

/* Copies the engine's values beside the current frame of the walk. The frame may be in a copy of
 * the stack; the objects that it leads to are always read from the process. */
static void meet(void *state, struct runtime_walk *at)
{
	struct jsc *j = state;
	struct walk *w = &at->walk;
	const struct jsc_file *file = map_get(&j->of.files, &w->raw.engine);
	struct follow_job job = { .pid = w->raw.record.pid };
	struct jsc_slots slots;

	if (file && !w->frames)
		retry_ranges(j, &w->raw);
	if (!file || at->has_no_fp || w->besides >= PROFILE_FRAMES_MAX ||
		(w->mapping.file != PROFILE_FILE_NONE &&
			(w->mapping.file != w->raw.engine ||
				!jsc_is_interpreter(&file->shared, at->offset))) ||
		!walk_read(w, &slots, sizeof(slots), w->fp + JSC_SLOTS_AT))
		return;
	job.frame = (struct profile_raw_js){ .block = slots.block, .callee = slots.callee };
	if (file->layout.type_function) {
		job.layout = file->layout;
		/* After a timeout the executable is unknown. */
		timeout_call(
			&j->of.timeout, run_follow_job, NULL, &job, sizeof(job), -1, TIMEOUT_MS);
	}
	walk_put_beside(w,
		profile_words_head(w->frames, RUNTIME_jsc, JAVASCRIPT_WORDS, slots.call_site),
		job.frame.block, job.frame.callee, job.frame.executable, job.frame.name);
}

struct frame_job {
	uint32_t pid;
	uint32_t unused;
	struct jsc_frame frame;
};

static void run_frame_job(void *argument)
{
	struct frame_job *job = argument;

	jsc_frame_read(&job->frame, do_read_process, &job->pid);
}

/* Keeps the name "FUNCTION\0MODULE+OFFSET\0" of the job, completed from the text of the module. */
static uint32_t keep_name(struct jsc *j, struct jsc_file *file, const struct jsc_frame *f)
{
	const char *place = f->text + strlen(f->text) + 1;
	struct buffer text = { 0 };
	uint32_t number;

	buffer_char(&text, '~');
	if (!*f->module ||
		!jsc_text_name(&file->text, &j->of.timeout, f->module, f->start, &text)) {
		buffer_reset(&text);
		buffer_string(&text, f->text);
	}
	if (f->depth)
		buffer_string(&text, " [inlined]");
	buffer_char(&text, '\0');
	buffer_append(&text, place, strlen(place) + 1);
	number = buffer_failed(&text) ? NAMES_NONE
				      : names_put(j->of.names,
						span_of((const char *)text.data, text.size), NULL);
	buffer_fini(&text);
	return number;
}

static uint32_t read_name(struct jsc *j, struct jsc_file *file, struct frame_job *job)
{
	job->frame.refusal = JSC_UNREAD;
	if (timeout_call(&j->of.timeout, run_frame_job, NULL, job, sizeof(*job), -1, TIMEOUT_MS) ||
		job->frame.refusal)
		return NAMES_NONE;
	return keep_name(j, file, &job->frame);
}

static bool is_pc_in_block(const struct jsc_block *block, uint64_t pc)
{
	return pc ? pc >= block->from && pc < block->to : !block->to;
}

/* Finds the block of a function that is just being entered, which has its caller beside the frame
 * pointer. The address `pc` belongs to a known block if that block contained it before the sample
 * and still does afterwards. */
static const struct jsc_block *find_by_place(
	struct jsc *j, const struct profile_raw *raw, const struct jsc_frame *frame)
{
	struct frame_job job = { .pid = raw->record.pid };

	job.frame.layout = frame->layout;
	job.frame.pc = frame->pc;
	job.frame.is_placed = true;
	map_for_each (&j->blocks, const struct block_key *, k, const struct jsc_block *, block) {
		if (k->pid != raw->record.pid || k->start_ticks != raw->record.start_ticks ||
			!block->to || !is_pc_in_block(block, frame->pc))
			continue;
		job.frame.raw = (struct profile_raw_js){
			.block = k->block, .executable = k->executable, .name = k->name
		};
		job.frame.refusal = JSC_UNREAD;
		if (!timeout_call(&j->of.timeout, run_frame_job, NULL, &job, sizeof(job), -1,
			    TIMEOUT_MS) &&
			!job.frame.refusal)
			return block;
	}
	return NULL;
}

/* Reads all inlined functions or none: with one missing, the others would seem to call each
 * other. */
static void read_inlined(
	struct jsc *j, struct jsc_file *file, struct frame_job *job, struct jsc_call *call)
{
	for (call->count = 0; call->count < ARRAY_SIZE(call->names); call->count++) {
		uint32_t number;

		job->frame.depth = (uint8_t)(call->count + 1);
		number = read_name(j, file, job);
		if (number == NAMES_NONE) {
			if (job->frame.refusal != JSC_STUB)
				call->count = 0;
			return;
		}
		call->names[call->count] = number;
	}
}

/* Puts the inlined functions around the current call. The engine may still store the place of an
 * earlier call while the frame itself runs, or while native code runs. */
static size_t put_inlined(struct jsc *j, struct jsc_file *file, struct frame_job *job,
	struct block_key key, uint32_t numbers[])
{
	struct jsc_call *call;
	bool is_new;

	key.call_site = job->frame.raw.of.detail + 1;
	call = map_put(&j->calls, &key, &is_new);
	if (!call)
		return 0;
	if (is_new)
		read_inlined(j, file, job, call);
	memcpy(numbers, call->names, call->count * sizeof(*numbers));
	return call->count;
}

/* Adds a frame to the search for the layout. An interrupted frame is not used: it may be in its
 * entry, with its caller's data beside it. A layout found at first may lack the code of the last
 * tier or the starts of functions: it is used, and the search goes on. */
static void search_layout(struct jsc *j, const struct profile_raw *raw,
	const struct profile_raw_js *frame, const struct profile_raw_frame *user,
	struct jsc_file *file)
{
	struct jsc_pair pair = { frame->block, frame->callee,
		user->file == PROFILE_FILE_NONE ? user->offset : 0 };
	const struct jsc_layout *found = &file->search->calibration.layout;

	if (!frame->of.index ||
		!jsc_search_put(file->search, raw, &pair, &j->of.timeout, &file->text))
		return;
	use_layout(j, raw->engine, file, found);
	if (!found->code_range_ftl || (!found->start_bits && file->text.section.size))
		return;
	jsc_cache_write(j->of.cache_folder, file->build_id, found);
	end_search(file);
}

/* Writes the names of a frame to `numbers`, inlined functions first. Returns how many; 0: none is
 * known. */
static uint32_t put_names(struct jsc *j, const struct runtime_frame *at, uint32_t numbers[])
{
	const struct profile_raw *raw = at->raw;
	const struct profile_raw_js *frame = (const void *)at->beside;
	const struct profile_raw_frame *user = profile_raw_user(raw) + at->index;
	bool is_calling = j->caller == at->index;
	struct jsc_file *file = map_get(&j->of.files, &raw->engine);
	struct block_key key = { frame->block ? frame->block : frame->callee, frame->executable,
		frame->name, raw->record.start_ticks, raw->record.pid, 0 };
	struct jsc_block *known = map_get(&j->blocks, &key), block;
	struct frame_job job = { .pid = raw->record.pid };
	uint32_t count = 0;

	j->caller = at->index + 1;
	if (file && file->search)
		search_layout(j, raw, frame, user, file);
	if (!file || !file->layout.type_function)
		return 0;
	job.frame.layout = file->layout;
	job.frame.raw = *frame;
	job.frame.pc = user->file == PROFILE_FILE_NONE ? user->offset : 0;
	job.frame.is_top = !frame->of.index;
	j->frames++;
	if (known && (!frame->block || is_pc_in_block(known, job.frame.pc))) {
		block = *known;
	} else {
		block.name = read_name(j, file, &job);
		block = (struct jsc_block){ job.frame.from, job.frame.to, block.name,
			job.frame.tier };
		if (block.name == NAMES_NONE) {
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

static void name_functions(
	void *state, const struct runtime_frame *at, struct runtime_functions *out)
{
	if (at->beside)
		out->count = put_names(state, at, out->names);
	if (out->count)
		out->place = RUNTIME_INSTEAD;
}

static void emit_limits(const void *state, struct backend_run *run)
{
	static const char *const reasons[JSC_REFUSALS] = {
		[JSC_STUB] = "they are stubs of the engine",
		[JSC_OTHER] = "the objects of the engine were not as expected",
		[JSC_OUTSIDE] = "the function was just being entered or left",
		[JSC_NO_TEXT] = "the name is not text",
		[JSC_UNREAD] = "the memory of the process could not be read in time",
	};
	const struct jsc *j = state;
	char text[400];

	map_for_each_value (&j->of.files, const struct jsc_file *, file) {
		if (file->layout.type_function)
			continue;
		snprintf(text, sizeof(text),
			"this build of JavaScriptCore is not known (build id %s), and its layout "
			"was not found: %s",
			file->build_id[0] ? file->build_id : "none",
			file->search ? file->search->calibration.reason : "no memory");
		backend_limit(run, "names of functions of JavaScript", text,
			"observe the process for longer, while it works: sooth profile -d 30s PID");
	}
	runtime_refused(run, "names of some functions of JavaScript", j->refused, reasons,
		JSC_REFUSALS, j->frames);
}

const struct runtime runtime_jsc = {
	.title = "JavaScriptCore",
	/* Bun, which has the sections, defines functions of V8's interface. */
	.signs = { MAPS_JAVASCRIPTCORE, .provides = 1u << MAPS_V8,
		.programs = { "bun", "claude", "opencode" },
		.libraries = { "libjavascriptcoregtk" }, .functions = { "JSGlobalContextCreate" },
		.sections = { ".note.bun", ".bun" } },
	.generates = true,
	.heap = { .name = "the JavaScript heap",
		.why = "JavaScriptCore takes its memory from the kernel, not from malloc",
		.remedy = "to write a heap snapshot: in Claude Code enter /heapdump; in a Bun "
			  "program call v8.writeHeapSnapshot()" },
	.state_size = sizeof(struct jsc),
	.file_size = sizeof(struct jsc_file),
	.kernel_map = "jscs",
	.init = init,
	.fini = fini,
	.see = examine_file,
	.is_beside = true,
	.begin = begin,
	.functions = name_functions,
	.meet = meet,
	.limits = emit_limits,
};
