/* SPDX-License-Identifier: BSD-2-Clause */
/* Walking stacks from user space. */
#include "os/linux/profile/stack_walker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "os/linux/files/procfs.h"
#include "os/linux/profile/unwind_file.h"
#include "os/linux/profile/unwind_row.h"
#include "os/linux/runtimes/runtime_walk.h"

/* --- pages of another process --- */

#define PAGE_BYTES 4096
#define PAGES_MAX  256 /* pages kept for one thread */
#define AHEAD	   4   /* pages that are read at once: frames of a stack are near each other */

struct page {
	bool is_there;
	unsigned char bytes[PAGE_BYTES];
};

/* Everything in it is a copy: if the call times out, it may run on when its caller has returned. */
struct read_pages {
	pid_t pid;
	int status;
	uint64_t first;
	size_t got; /* number of whole pages that were read */
	unsigned char bytes[AHEAD * PAGE_BYTES];
};

static void stack_memory_init(struct stack_memory *m)
{
	map_init(&m->pages, sizeof(uint64_t), sizeof(struct page), PAGES_MAX);
}

static void stack_memory_fini(struct stack_memory *m)
{
	map_fini(&m->pages);
	timeout_fini(&m->timeout);
}

/* Forgets the pages that were read: the next walk is of another process or thread. */
static void stack_memory_begin(struct stack_memory *m, pid_t pid, const struct stack_copy *copy)
{
	m->pid = pid;
	m->status = 0;
	m->copy = copy;
	map_clear(&m->pages);
}

/* Reads page by page, up to the first page that is missing. */
static void run_read_job(void *argument)
{
	struct read_pages *r = argument;
	struct iovec here[AHEAD], there[AHEAD];
	ssize_t got;

	for (size_t i = 0; i < AHEAD; i++) {
		here[i] = (struct iovec){ r->bytes + i * PAGE_BYTES, PAGE_BYTES };
		there[i] = (struct iovec){ (void *)((r->first + i) * PAGE_BYTES), PAGE_BYTES };
	}
	got = process_vm_readv(r->pid, here, AHEAD, there, AHEAD, 0);
	r->status = got < 0 ? -errno : 0;
	r->got = got > 0 ? (size_t)got / PAGE_BYTES : 0;
}

static void keep_page(struct stack_memory *m, uint64_t number, const unsigned char *bytes)
{
	struct page *page = map_put(&m->pages, &number, NULL);

	if (page && bytes) {
		page->is_there = true;
		memcpy(page->bytes, bytes, PAGE_BYTES);
	}
}

static const struct page *page_at(struct stack_memory *m, uint64_t number)
{
	struct read_pages r = { .pid = m->pid, .first = number };
	const struct page *known = map_get(&m->pages, &number);
	int status;

	if (known)
		return known;
	if (m->pages.count + AHEAD > PAGES_MAX)
		map_clear(&m->pages);
	status = timeout_call(&m->timeout, run_read_job, NULL, &r, sizeof(r), -1, TIMEOUT_MS);
	status = status ? status : r.status;
	if (status)
		m->status = status;
	keep_page(m, number, !status && r.got ? r.bytes : NULL);
	for (size_t i = 1; !status && i < r.got; i++)
		keep_page(m, number + i, r.bytes + i * PAGE_BYTES);
	return map_get(&m->pages, &number);
}

/* Reads only memory that was copied when the thread was interrupted: no other memory is of that
 * moment. */
static bool read_copy(const struct stack_copy *copy, void *out, uint32_t size, uint64_t address)
{
	if (address < copy->address || address - copy->address > copy->size ||
		copy->size - (address - copy->address) < size)
		return false;
	memcpy(out, copy->bytes + (address - copy->address), size);
	return true;
}

static bool stack_memory_read(struct stack_memory *m, void *out, uint32_t size, uint64_t address)
{
	unsigned char *to = out;

	if (m->copy)
		return read_copy(m->copy, out, size, address);

	while (size) {
		const struct page *page = page_at(m, address / PAGE_BYTES);
		uint32_t inside = (uint32_t)(address % PAGE_BYTES);
		uint32_t part = size < PAGE_BYTES - inside ? size : PAGE_BYTES - inside;

		if (!page || !page->is_there)
			return false;
		memcpy(to, page->bytes + inside, part);
		to += part;
		address += part;
		size -= part;
	}
	return true;
}

#define ROWS_MAX	   (1u << 16)
#define TABLES_MAX	   64
#define MAPS_MS		   1000
#define OPEN_TRIES_MAX	   16
#define FRAME_WORDS	   2
#define ENGINE_BYTES_LEAST (8u << 20) /* size of mapped code */

struct row_key {
	uint64_t file, offset;
};

static bool read_at(struct runtime_walk *at, void *out, uint32_t size, uint64_t address)
{
	struct stack_walker *s = (void *)((unsigned char *)at - offsetof(struct stack_walker, at));

	return stack_memory_read(&s->memory, out, size, address);
}

int stack_walker_open(struct stack_walker *s, uint16_t stack_kind, uint16_t frame_kind,
	const struct probe_options *options, struct sooth_error *err)
{
	assert(s);
	assert(options);
	s->at.read = read_at;
	profile_files_init(&s->files);
	profile_stacks_init(&s->stacks, stack_kind, frame_kind);
	s->at.walk.tables_only = options->observer.profile.by_tables_only;
	map_init(&s->rows, sizeof(struct row_key), sizeof(struct unwind_found), ROWS_MAX);
	map_init(&s->tables, sizeof(uint64_t), sizeof(struct unwind_table), TABLES_MAX);
	stack_memory_init(&s->memory);
	return profile_stacks_open(&s->stacks, &s->files, options, err);
}

void stack_walker_fini(struct stack_walker *s)
{
	assert(s);
	map_for_each_value (&s->tables, void *, value)
		unwind_table_fini(value);
	map_fini(&s->tables);
	map_fini(&s->rows);
	profile_files_fini(&s->files);
	profile_stacks_fini(&s->stacks);
	stack_memory_fini(&s->memory);
	timeout_fini(&s->timeout);
	buffer_fini(&s->bytes);
	buffer_fini(&s->own_mappings);
}

/* --- mappings --- */

int stack_walker_process(struct stack_walker *s, const struct process_id *process, int directory)
{
	assert(s);

	int status =
		timeout_read_at(&s->timeout, directory, "maps", &s->bytes, PROCFS_MAPS, MAPS_MS);

	s->process = *process;
	s->mappings = &s->own_mappings;
	buffer_reset(&s->own_mappings);
	if (status < 0)
		return status;
	stack_mappings_parse(&s->own_mappings, s->bytes.data, s->bytes.size);
	return buffer_failed(&s->own_mappings) ? -ENOMEM : 0;
}

/* --- files --- */

static struct profile_seen seen_of(const struct stack_walker *s, const struct stack_mapping *m)
{
	return (struct profile_seen){ .record = { .pid = (uint32_t)s->process.pid },
		.file = m->file,
		.from = m->from,
		.to = m->to,
		.offset = m->offset,
		.inode = m->inode,
		.device_major = m->device_major,
		.device_minor = m->device_minor };
}

static struct profile_known *open_file(
	struct stack_walker *s, const struct stack_mapping *m, const char *path)
{
	const struct profile_seen seen = seen_of(s, m);
	struct profile_known *known = profile_files_get(&s->files, m->file);

	/* The process may be gone: then another process that has the file mapped can open it. */
	if (known && (known->fd >= 0 || known->tries >= OPEN_TRIES_MAX))
		return known;
	known = profile_files_open(&s->files, &seen);
	if (known && known->fd < 0 && path)
		profile_files_open_path(&s->files, &seen, path);
	if (known && known->fd >= 0)
		RUNTIME_CALL(&s->stacks.runtimes, see, m->file, known->path, known->fd);
	return known;
}

void stack_walker_meet(struct stack_walker *s, const struct process_id *process,
	const struct stack_mapping *mapping, const char *path)
{
	s->process = *process;
	if (mapping->file != PROFILE_FILE_NONE)
		open_file(s, mapping, path);
}

/* Searches the whole table of a file that has no index. */
static void find_in_table(
	struct stack_walker *s, const struct row_key *key, int fd, struct unwind_found *found)
{
	bool is_new;
	struct unwind_table *table = map_put(&s->tables, &key->file, &is_new);

	if (table && is_new && unwind_file_read(&s->timeout, fd, NULL, table))
		*table = (struct unwind_table){ 0 };
	if (table)
		unwind_row_choose(table, key->offset, found);
}

static struct unwind_found find_row(
	struct stack_walker *s, const struct row_key *key, struct profile_known *file)
{
	struct unwind_found *known = map_get(&s->rows, key), found = { .end = PROFILE_NO_TABLE };

	if (known)
		return *known;
	if (file && file->fd >= 0 &&
		unwind_row_find(&s->timeout, file->fd, &file->rows, key->offset, &found) == -ENOENT)
		find_in_table(s, key, file->fd, &found);
	known = map_put(&s->rows, key, NULL);
	if (known)
		*known = found;
	return found;
}

/* --- a walk --- */

/* Finds the file of the process that has an engine: only large files are examined. */
static void find_engine(struct stack_walker *s)
{
	struct profile_raw *raw = &s->at.walk.raw;

	raw->engine = 0;
	buffer_each_while (const struct stack_mapping, mapping, s->mappings, !raw->engine) {
		if (!mapping->is_code || mapping->file == PROFILE_FILE_NONE ||
			mapping->to - mapping->from < ENGINE_BYTES_LEAST)
			continue;
		open_file(s, mapping, NULL);
		if (runtime_set_has(&s->stacks.runtimes, mapping->file))
			raw->engine = mapping->file;
	}
}

/* Puts the frame at which the walk is. NULL: it is no code, and the walk has ended. */
static const struct stack_mapping *put_frame(struct stack_walker *s)
{
	struct walk *w = &s->at.walk;
	uint64_t address = w->pc - !w->is_exact;
	const struct stack_mapping *m = stack_mappings_find(s->mappings, address);

	if (!m || !m->is_code) {
		w->end = w->pc ? PROFILE_NO_CODE : PROFILE_WHOLE;
		return NULL;
	}
	if (w->frames >= PROFILE_FRAMES_MAX) {
		w->end = PROFILE_DEPTH;
		return NULL;
	}
	w->mapping.file = m->file;
	w->mapping.shift = m->file == PROFILE_FILE_NONE ? 0 : m->from - m->offset;
	w->tail[w->frames * FRAME_WORDS] = m->file;
	w->tail[w->frames * FRAME_WORDS + 1] = address - w->mapping.shift;
	s->at.offset = address - w->mapping.shift;
	s->file = m->file == PROFILE_FILE_NONE ? NULL : open_file(s, m, NULL);
	RUNTIME_CALL(&s->stacks.runtimes, meet, &s->at);
	w->frames++;
	return m;
}

/* Returns whether a step starts from the frame pointer. */
static bool needs_frame_pointer(const struct walk *w, uint32_t end)
{
	uint32_t kind = w->rule.frame & ((1 << UNWIND_KIND_BITS) - 1);

	return end || (kind != UNWIND_SP && kind != UNWIND_PLT && kind != UNWIND_SIGNAL &&
			      kind != UNWIND_END);
}

static bool step_frame(struct stack_walker *s, const struct stack_mapping *m)
{
	struct walk *w = &s->at.walk;
	struct row_key key = { m->file, w->pc - w->mapping.shift - !w->is_exact };
	struct unwind_found found = { .end = PROFILE_NO_ROW };

	if (m->file == PROFILE_FILE_NONE && step_by_trampoline(w))
		return true;
	if (m->file != PROFILE_FILE_NONE) {
		found = find_row(s, &key, s->file);
	}
	w->rule = found.rule;
	if (s->at.has_no_fp && needs_frame_pointer(w, found.end)) {
		w->end = PROFILE_NO_REGISTER;
		return false;
	}
	if (!step_by(w, found.end))
		return false;
	s->at.has_no_fp &= w->rule.fp == UNWIND_KEPT && !w->is_exact;
	return true;
}

static void walk_user(struct stack_walker *s, const struct stacks_seen *seen)
{
	struct walk *w = &s->at.walk;
	const struct stack_mapping *m;

	w->frames = 0;
	w->own.file = w->own.words = w->besides = 0;
	w->end = seen->is_foreign ? PROFILE_FOREIGN : PROFILE_KERNEL_ONLY;
	if (!seen->has_registers || seen->is_foreign)
		return;
	w->pc = seen->pc;
	w->sp = seen->sp;
	w->fp = seen->fp;
	w->link = seen->link;
	s->at.has_no_fp = seen->has_no_fp;
	w->is_exact = 1;
	w->has_link = seen->link != 0;
	find_engine(s);
	do
		m = put_frame(s);
	while (m && step_frame(s, m));
}

static uint32_t walk_stack(struct stack_walker *s, const struct stacks_seen *seen,
	const uint64_t *kernel, uint64_t time_ns, struct buffer *out)
{
	struct walk *w = &s->at.walk;
	size_t words;

	w->raw.record = (struct sooth_record){ .time_ns = time_ns,
		.start_ticks = s->process.start_ticks,
		.pid = (uint32_t)s->process.pid,
		.tid = seen->tid };
	walk_user(s, seen);
	w->raw.kernel_frames = seen->kernel_frames;
	if (seen->kernel_frames)
		memcpy(&w->tail[w->frames * FRAME_WORDS], kernel,
			seen->kernel_frames * sizeof(*kernel));
	s->at.thread = seen;
	RUNTIME_CALL(&s->stacks.runtimes, end, &s->at);
	words = w->besides * PROFILE_FRAME_WORDS;
	memcpy(&w->tail[walk_own_at(w)], w->beside, words * sizeof(*w->beside));
	w->raw.words = (uint16_t)(w->own.words + words);
	w->raw.user_frames = w->frames;
	w->raw.end = w->end;
	return profile_stacks_put(&s->stacks, &w->raw, out);
}

uint32_t stack_walker_walk(struct stack_walker *s, const struct stacks_seen *seen,
	const uint64_t *kernel, uint64_t time_ns, struct buffer *out)
{
	assert(s);
	s->at.is_copy = false;
	stack_memory_begin(&s->memory, (pid_t)seen->tid, NULL);
	return walk_stack(s, seen, kernel, time_ns, out);
}

uint32_t stack_walker_walk_copy(struct stack_walker *s, const struct stack_copied *of,
	const struct stacks_seen *seen, uint64_t time_ns, struct buffer *out)
{
	s->at.is_copy = true;
	s->process = of->process;
	s->mappings = of->mappings;
	stack_memory_begin(&s->memory, (pid_t)seen->tid, &of->stack);
	return walk_stack(s, seen, of->kernel, time_ns, out);
}

/* --- names --- */

static bool find_entry(const void *user, uint64_t file, uint64_t offset, uint64_t *entry)
{
	const struct stack_walker *s = user;
	struct row_key key = { file, offset };
	const struct unwind_found *found = map_get(&s->rows, &key);

	if (found && found->has_entry)
		*entry = found->entry;
	return found && found->has_entry;
}

int stack_walker_name(struct stack_walker *s, struct buffer *out, bool *is_kernel_hidden)
{
	assert(s);

	const struct profile_entries entries = { s, find_entry };

	return profile_stacks_name(&s->stacks, &s->files, &entries, out, is_kernel_hidden);
}
