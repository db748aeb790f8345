/* SPDX-License-Identifier: BSD-2-Clause */
/* Single functions of .eh_frame. The index (Linux Standard Base, 10.6.2) leads to a function's
 * entry. This entry and its CIE together form a small table. */
#include "os/linux/profile/unwind_row.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parser.h"
#include "base/read_at.h"
#include "os/linux/profile/unwind_table.h"

#define FIND_MS	     2000
#define HEADERS_MAX  64
#define ENTRY_MAX    (1u << 20) /* bytes of one function's entry */
#define BLOCK	     256	/* entries of the index that are read at once */
#define LENGTH_64    0xffffffffu
#define FORM_4_BYTES 0x03 /* also signed: 0x0b */
#define TABLE_FORM   0x3b /* four bytes, from the start of the index */

#if defined(__x86_64__)
#define MACHINE_HERE EM_X86_64
#define MACHINE	     MACHINE_X86_64
#else
#define MACHINE_HERE EM_AARCH64
#define MACHINE	     MACHINE_AARCH64
#endif

struct index_head {
	uint8_t version, frames_form, count_form, table_form;
	int32_t frames;
	uint32_t count;
};

struct index_entry {
	int32_t function, entry; /* distances from the start of the index */
};

struct job {
	int file;
	int status;
	uint64_t offset;
	struct unwind_input found;
	void *bytes; /* bytes of found.frames */
	Elf64_Phdr headers[HEADERS_MAX];
	size_t header_count;
	const Elf64_Phdr *index;
};

static bool read_headers(struct job *job)
{
	Elf64_Ehdr head;
	struct stat st;

	if (fstat(job->file, &st) || !S_ISREG(st.st_mode) ||
		!read_all_at(job->file, &head, sizeof(head), 0) ||
		memcmp(head.e_ident, ELFMAG, SELFMAG) || head.e_ident[EI_CLASS] != ELFCLASS64 ||
		head.e_machine != MACHINE_HERE || head.e_phentsize != sizeof(Elf64_Phdr) ||
		head.e_phnum > HEADERS_MAX ||
		!read_all_at(
			job->file, job->headers, head.e_phnum * sizeof(Elf64_Phdr), head.e_phoff))
		return false;
	job->header_count = head.e_phnum;
	for (size_t i = 0; i < job->header_count; i++) {
		const Elf64_Phdr *p = &job->headers[i];

		if (p->p_type == PT_GNU_EH_FRAME)
			job->index = p;
		if (p->p_type == PT_LOAD && p->p_flags & PF_X &&
			job->found.segment_count < UNWIND_SEGMENTS_MAX)
			job->found.segments[job->found.segment_count++] =
				(struct unwind_segment){ p->p_vaddr, p->p_offset, p->p_filesz };
	}
	return job->index != NULL;
}

static bool find_address(const struct job *job, uint64_t offset, uint64_t *address)
{
	for (size_t i = 0; i < job->found.segment_count; i++) {
		const struct unwind_segment *s = &job->found.segments[i];

		*address = s->address + (offset - s->offset);
		if (offset >= s->offset && offset - s->offset < s->size)
			return true;
	}
	return false;
}

static bool find_offset(const struct job *job, uint64_t address, uint64_t *place)
{
	for (size_t i = 0; i < job->header_count; i++) {
		const Elf64_Phdr *p = &job->headers[i];

		*place = p->p_offset + (address - p->p_vaddr);
		if (p->p_type == PT_LOAD && address >= p->p_vaddr &&
			address - p->p_vaddr < p->p_filesz)
			return true;
	}
	return false;
}

/* Finds the last entry at or before the address. */
static bool search_index(
	const struct job *job, uint32_t count, uint64_t address, struct index_entry *found)
{
	uint64_t table = job->index->p_offset + sizeof(struct index_head);
	int64_t wanted = (int64_t)(address - job->index->p_vaddr);
	struct index_entry block[BLOCK];
	uint32_t from = 0, to = count, kept;

	while (to - from > BLOCK) {
		uint32_t middle = from + (to - from) / 2;

		if (!read_all_at(job->file, found, sizeof(*found), table + middle * sizeof(*found)))
			return false;
		if (found->function <= wanted)
			from = middle;
		else
			to = middle;
	}
	kept = to - from;
	if (!kept || !read_all_at(job->file, block, kept * sizeof(*block),
			     table + from * sizeof(*block)))
		return false;
	while (kept && block[kept - 1].function > wanted)
		kept--;
	if (!kept)
		return false;
	*found = block[kept - 1];
	return true;
}

/* Returns the length of an entry with its own four bytes; 0: the entry is not read. */
static uint32_t length_at(const struct job *job, uint64_t place)
{
	uint32_t length;

	if (!read_all_at(job->file, &length, sizeof(length), place) || length == LENGTH_64 ||
		length < sizeof(length) || length > ENTRY_MAX)
		return 0;
	return length + (uint32_t)sizeof(length);
}

/* Reads a CIE and its function into a section of two entries, and gives the section the address at
 * which the function keeps its own. */
static bool read_entries(struct job *job, uint64_t address)
{
	uint64_t place, common;
	uint32_t distance, size, common_size;
	unsigned char *bytes;

	if (!find_offset(job, address, &place))
		return false;
	size = length_at(job, place);
	if (!size || !read_all_at(job->file, &distance, sizeof(distance), place + sizeof(size)) ||
		!distance || distance > place + sizeof(size))
		return false;
	common = place + sizeof(size) - distance;
	common_size = length_at(job, common);
	if (!common_size)
		return false;
	job->bytes = bytes = malloc((size_t)common_size + size);
	if (!bytes || !read_all_at(job->file, bytes, common_size, common) ||
		!read_all_at(job->file, bytes + common_size, size, place))
		return false;
	distance = common_size + (uint32_t)sizeof(size);
	memcpy(bytes + common_size + sizeof(size), &distance, sizeof(distance));
	job->found.frames = bytes;
	job->found.size = (size_t)common_size + size;
	job->found.address = address - common_size;
	return true;
}

static void look_up(struct job *job)
{
	struct index_head head;
	struct index_entry entry;
	uint64_t address;

	job->status = -ENOENT;
	if (!read_headers(job) ||
		!read_all_at(job->file, &head, sizeof(head), job->index->p_offset) ||
		head.version != 1 || (head.frames_form & 7) != FORM_4_BYTES ||
		head.count_form != FORM_4_BYTES || head.table_form != TABLE_FORM)
		return;
	job->status = 0;
	if (find_address(job, job->offset, &address) &&
		search_index(job, head.count, address, &entry))
		read_entries(job, job->index->p_vaddr + (uint64_t)(int64_t)entry.entry);
}

void unwind_row_choose(
	const struct unwind_table *table, uint64_t offset, struct unwind_found *found)
{
	const struct unwind_row *rows = (const void *)table->rows.data;
	const struct unwind_rule *rules = (const void *)table->rules.data;
	size_t count = table->rows.size / sizeof(*rows);
	size_t before = unwind_table_rows_to(rows, count, offset);
	const struct unwind_rule *rule;

	*found = (struct unwind_found){ .end = PROFILE_NO_ROW };
	if (!before)
		return;
	found->has_entry = unwind_table_entry(rows, count, offset, &found->entry);
	rule = &rules[rows[before - 1].rule & ~UNWIND_IS_ENTRY];
	if ((rule->frame & ((1 << UNWIND_KIND_BITS) - 1)) == UNWIND_NONE)
		return; /* the address is behind the function */
	found->rule = *rule;
	found->end = PROFILE_WHOLE;
}

struct row_job {
	uint64_t offset;
	struct unwind_found found;
};

static int parse_row(int file, void *argument, struct buffer *more)
{
	struct row_job *job = argument;
	struct job l = { .file = file, .offset = job->offset, .found = { .machine = MACHINE } };
	struct unwind_table table;

	(void)more;
	look_up(&l);
	if (!l.status && l.found.frames) {
		if (unwind_table_make(&table, &l.found))
			unwind_row_choose(&table, job->offset, &job->found);
		else
			l.status = -ENOMEM;
		unwind_table_fini(&table);
	}
	free(l.bytes);
	return l.status;
}

static const struct parser parser = { "unwind information of an ELF file", parse_row };

struct row_call {
	int end; /* its own descriptor */
	int status;
	struct row_job row;
};

static void run_row_call(void *argument)
{
	struct row_call *call = argument;

	call->status = parser_ask(&parser, call->end, &call->row, sizeof(call->row), NULL);
}

static void drop_row_call(void *argument)
{
	close(((struct row_call *)argument)->end);
}

static bool is_valid_row(const struct unwind_found *found)
{
	return (found->end == PROFILE_WHOLE || found->end == PROFILE_NO_ROW) &&
	       (found->rule.frame & ((1 << UNWIND_KIND_BITS) - 1)) <= UNWIND_SIGNAL;
}

int unwind_row_find(
	struct timeout *timeout, int file, int *rows, uint64_t offset, struct unwind_found *found)
{
	struct row_call call = { .row = { offset, { .end = PROFILE_NO_ROW } } };
	int status;

	*found = call.row.found;
	if (*rows < 0)
		*rows = parser_open(&parser, file, sizeof(call.row), 0);
	call.end = *rows < 0 ? -1 : fcntl(*rows, F_DUPFD_CLOEXEC, 0);
	if (call.end < 0)
		return -EBADF;
	status = timeout_call_about(
		timeout, run_row_call, drop_row_call, &call, sizeof(call), call.end, file, FIND_MS);
	if (status != -ETIMEDOUT) /* after a timeout the thread owns it */
		drop_row_call(&call);
	/* Its parser may still be busy, or has ended. */
	if (status || call.status == -ECHILD || parser_is_crowded())
		parser_close(rows);
	status = status ? status : call.status;
	if (!status && !is_valid_row(&call.row.found))
		status = -EBADMSG;
	if (!status)
		*found = call.row.found;
	return status;
}
