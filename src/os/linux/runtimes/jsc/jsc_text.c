/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/jsc/jsc_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/read_at.h"
#include "symbols/bun.h"

#define MODULES_MAX 16384
#define READ_MS	    1000       /* time to read from a cold disk */
#define TABLE_BYTES (4u << 20) /* more than 60000 modules */
#define ONE_BYTE    1	       /* encoding of a text with one-byte letters */
#define ENCODING    4	       /* offset from the end of a module's row */

struct jsc_module {
	uint64_t offset, size; /* in the file; 0, 0: not available */
};

/* Everything in both jobs is a copy: if the call times out, it may run on when its caller has
 * returned. */
struct find_job {
	int file;
	uint32_t unused;
	struct elf_section section;
	char path[JSC_TEXT_PATH];
	struct jsc_module found;
};

struct read_job {
	int file;
	uint32_t before, from; /* requested sizes, then the sizes that were read */
	uint64_t offset;
	char bytes[JS_TEXT_BEFORE + JS_TEXT_FROM];
};

static bool starts_as_module(const struct find_job *job, const struct bun_place *name)
{
	char text[sizeof(BUN_NAME_BEGIN) - 1];

	return name->size > sizeof(text) &&
	       read_all_at(job->file, text, sizeof(text), job->section.offset + name->offset) &&
	       !memcmp(text, BUN_NAME_BEGIN, sizeof(text));
}

/* Returns the size of a row, which is not stored. With the right size, the program's first module
 * has a valid name. */
static unsigned row_size_of(
	const struct find_job *job, const struct bun_places *places, const unsigned char *table)
{
	for (unsigned size = BUN_ROW_LEAST; size <= BUN_ROW_MOST; size += BUN_ROW_STEP) {
		struct bun_place name, contents;

		if (bun_may_be_row(places, size) &&
			bun_parse_row(&name, &contents, table + (size_t)places->entry * size,
				BUN_ROW_LEAST, job->section.size) &&
			starts_as_module(job, &name))
			return size;
	}
	return 0;
}

static bool is_module_at(const struct find_job *job, const struct bun_place *name)
{
	char text[JSC_TEXT_PATH];

	return read_all_at(job->file, text, name->size, job->section.offset + name->offset) &&
	       !memcmp(text, job->path, name->size);
}

static void find_in_table(
	struct find_job *job, const struct bun_places *places, const unsigned char *table)
{
	size_t length = strlen(job->path);
	unsigned size = row_size_of(job, places, table);

	for (size_t at = 0; size && at < places->modules.size; at += size) {
		struct bun_place name, contents;

		if (table[at + size - ENCODING] != ONE_BYTE ||
			!bun_parse_row(
				&name, &contents, table + at, BUN_ROW_LEAST, job->section.size) ||
			name.size != length || !is_module_at(job, &name))
			continue;
		job->found =
			(struct jsc_module){ job->section.offset + contents.offset, contents.size };
		return;
	}
}

static void run_find_job(void *argument)
{
	struct find_job *job = argument;
	unsigned char head[BUN_HEAD_SIZE], end[BUN_END_SIZE];
	_cleanup_free_ unsigned char *table = NULL;
	struct bun_places places;
	uint64_t at;

	if (!read_all_at(job->file, head, sizeof(head), job->section.offset))
		return;
	at = bun_end(head, sizeof(head), job->section.size);
	if (!at || !read_all_at(job->file, end, sizeof(end), job->section.offset + at) ||
		!bun_parse_end(&places, end, sizeof(end), job->section.size) ||
		places.modules.size > TABLE_BYTES)
		return;
	table = malloc(places.modules.size + 1);
	if (table && read_all_at(job->file, table, places.modules.size,
			     job->section.offset + places.modules.offset))
		find_in_table(job, &places, table);
}

static const struct jsc_module *find_module(
	struct jsc_text *t, struct timeout *timeout, const char *path)
{
	uint64_t hash = hash_bytes(HASH_BEGIN, path, strlen(path));
	struct find_job job = { .section = t->section };
	struct jsc_module *known = map_get(&t->modules, &hash);

	if (known)
		return known;
	known = map_put(&t->modules, &hash, NULL);
	if (!known)
		return NULL;
	memcpy(job.path, path, strlen(path) + 1);
	timeout_call_file(timeout, run_find_job, &job, sizeof(job), t->fd, READ_MS);
	*known = job.found;
	return known;
}

/* --- the text --- */

static void run_read_job(void *argument)
{
	struct read_job *job = argument;
	size_t size = job->before + job->from;

	if (!read_all_at(job->file, job->bytes, size, job->offset))
		job->before = job->from = 0;
}

static bool read_around(struct jsc_text *t, struct timeout *timeout, const struct jsc_module *m,
	uint32_t start, struct read_job *job)
{
	uint64_t behind = m->size - start;

	job->before = start < JS_TEXT_BEFORE ? start : JS_TEXT_BEFORE;
	job->from = behind < JS_TEXT_FROM ? (uint32_t)behind : JS_TEXT_FROM;
	job->offset = m->offset + start - job->before;
	return !timeout_call_file(timeout, run_read_job, job, sizeof(*job), t->fd, READ_MS) &&
	       job->from;
}

bool jsc_text_name(struct jsc_text *t, struct timeout *timeout, const char *path, uint32_t start,
	struct buffer *out)
{
	const struct jsc_module *m;
	struct read_job job;

	if (t->fd < 0 || !t->section.size || !*path || strlen(path) >= JSC_TEXT_PATH)
		return false;
	m = find_module(t, timeout, path);
	if (!m || start >= m->size || !read_around(t, timeout, m, start, &job))
		return false;
	return js_text_name(
		span_of(job.bytes, job.before), span_of(job.bytes + job.before, job.from), out);
}

void jsc_text_init(struct jsc_text *t, int fd, const struct elf_section *section)
{
	*t = (struct jsc_text){ .fd = -1, .section = *section };
	map_init(&t->modules, sizeof(uint64_t), sizeof(struct jsc_module), MODULES_MAX);
	if (section->size)
		t->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void jsc_text_fini(struct jsc_text *t)
{
	if (t->fd >= 0)
		close(t->fd);
	map_fini(&t->modules);
}
