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
#include "symbols/elf_sections.h"

#define BLOCKS_MAX	131072
#define NAMES_MAX	131072
#define NAMES_BYTES	(16u << 20)
#define READ_MS		2000
#define FILE_BYTES_LEAST (16 << 20) /* no executable with this engine is smaller */
#define OPCODES_MAX	4096
#define HANDLERS_LEAST	200	   /* of bytecodes: there are some 800 */
#define CLUSTER_LEAST	10	   /* fewer at a place are not the interpreter's main code */
#define GAP_MOST	(32u << 10) /* between two of its handlers */
#define TRIES_MAX	100	   /* a process fills in its table of handlers when it starts */

struct jsc_file {
	const struct jsc_layout *layout;
	struct profile_jsc shared;
	struct elf_section handlers, code;
	uint32_t tries;
};

/* A code block with the function's executable and its name: three objects at addresses that are
 * used again only one by one. */
struct block_key {
	uint64_t block, executable, name;
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t unused;
};

struct jsc_block {
	uint64_t from, to; /* of its code; 0, 0: in the interpreter */
	uint32_t name;
	uint32_t unused;
};

void jsc_names_init(struct jsc_names *j, int map, uint64_t *known)
{
	j->map = map;
	j->known = known;
	map_init(&j->files, sizeof(uint64_t), sizeof(struct jsc_file), JSC_FILES_MAX);
	map_init(&j->blocks, sizeof(struct block_key), sizeof(struct jsc_block), BLOCKS_MAX);
	names_init(&j->names, NAMES_MAX, NAMES_BYTES);
}

void jsc_names_fini(struct jsc_names *j)
{
	map_fini(&j->files);
	map_fini(&j->blocks);
	names_fini(&j->names);
	timeout_fini(&j->timeout);
}

/* --- executables --- */

struct see_job {
	int file;
	bool has_engine;
	struct elf_section found[2];
	struct debug_identity identity;
};

static void drop_see(void *argument)
{
	close(((struct see_job *)argument)->file);
}

static void do_see(void *argument)
{
	static const char *const names[] = { "__DATA,__jsc_opcodes", ".text" };
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

static void keep_file(struct jsc_names *j, uint64_t key, const struct see_job *job)
{
	const struct jsc_layout *l = jsc_layout_of(job->identity.build_id);
	struct jsc_file *file;

	if (!l) {
		snprintf(j->unknown_build, sizeof(j->unknown_build), "%s",
			job->identity.build_id[0] ? job->identity.build_id : "none");
		return;
	}
	file = map_put(&j->files, &key, NULL);
	if (!file)
		return;
	*file = (struct jsc_file){ .layout = l, .handlers = job->found[0], .code = job->found[1] };
	file->shared = (struct profile_jsc){ .callee_executable = l->callee_executable,
		.rare_executable = l->rare_executable,
		.block_owner = l->block_owner,
		.executable_unlinked = l->executable_unlinked,
		.unlinked_name = l->unlinked_name,
		.native_name = l->native_name,
		.function_type = l->type_function };
	share(j, key, file);
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
		keep_file(j, key, &job);
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

static int by_address(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Where handlers stand close together. An executable whose code was ordered by use has several such
 * places, with other code between. */
static void find_ranges(struct profile_jsc *shared, const uint64_t *handlers, size_t count)
{
	size_t from = 0;

	shared->ranges = 0;
	for (size_t i = 1; i <= count; i++) {
		if (i < count && handlers[i] - handlers[i - 1] <= GAP_MOST)
			continue;
		if (i - from >= CLUSTER_LEAST && shared->ranges < JSC_RANGES_MAX) {
			shared->range[shared->ranges].from = handlers[from];
			shared->range[shared->ranges++].to = handlers[i - 1] + 1;
		}
		from = i;
	}
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
	if (timeout_call(
		    &j->timeout, do_handlers, NULL, job, sizeof(*job), -1, TIMEOUT_MS))
		return;
	for (size_t i = 0; i < job->count; i++) {
		uint64_t offset = job->words[i] - file->code.address;

		if (offset < file->code.size)
			job->words[count++] = offset + file->code.offset;
	}
	if (count < HANDLERS_LEAST)
		return; /* not filled in yet, or loaded at another address than linked */
	qsort(job->words, count, sizeof(uint64_t), by_address);
	find_ranges(&file->shared, job->words, count);
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

/* --- functions --- */

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

static uint32_t read_name(struct jsc_names *j, struct frame_job *job)
{
	uint32_t number;

	job->frame.refusal = JSC_UNREAD;
	if (timeout_call(&j->timeout, do_frame, NULL, job, sizeof(*job), -1, TIMEOUT_MS) ||
		job->frame.refusal)
		return JSC_NAME_NONE;
	number = names_put(&j->names, span_of(job->frame.text, job->frame.size), NULL);
	return number == NAMES_NONE ? JSC_NAME_NONE : number;
}

static bool is_in(const struct jsc_block *block, uint64_t pc)
{
	return pc ? pc >= block->from && pc < block->to : !block->to;
}

uint32_t jsc_names_put(struct jsc_names *j, const struct profile_raw *raw,
	const struct profile_raw_js *frame, const struct profile_raw_frame *user)
{
	const struct jsc_file *file = map_get(&j->files, &raw->js_file);
	struct block_key key = { frame->block ? frame->block : frame->callee, frame->executable,
		frame->name, raw->record.start_ticks, raw->record.pid, 0 };
	struct jsc_block *known = map_get(&j->blocks, &key);
	struct frame_job job = { .pid = raw->record.pid };
	uint32_t number;

	if (!file)
		return JSC_NAME_NONE;
	job.frame.layout = *file->layout;
	job.frame.raw = *frame;
	job.frame.pc = user->file == PROFILE_FILE_NONE ? user->offset : 0;
	job.frame.is_top = !frame->index;
	j->frames++;
	if (known && frame->block && is_in(known, job.frame.pc))
		return known->name;
	number = read_name(j, &job);
	if (number == JSC_NAME_NONE) {
		j->refused[job.frame.refusal]++;
	} else if (frame->block && (known = map_put(&j->blocks, &key, NULL))) {
		*known = (struct jsc_block){ job.frame.from, job.frame.to, number, 0 };
	}
	return number;
}

void jsc_names_get(
	const struct jsc_names *j, uint32_t name, const char **function, const char **file)
{
	struct span text = names_get(&j->names, name);

	*function = text.data;
	*file = text.data + strlen(text.data) + 1;
}

const char *jsc_names_refused(const struct jsc_names *j, double *percent)
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
