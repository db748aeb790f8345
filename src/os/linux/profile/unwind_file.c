/* SPDX-License-Identifier: BSD-2-Clause */
/* Unwind information of ELF files, read by libelf with a timeout, as in symbols/elf_address.h. */
#include "os/linux/profile/unwind_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "base/read_at.h"
#include "symbols/elf_handle.h"
#include "symbols/elf_sections.h"

#define READ_MS		10000 /* and making the table */
#define FRAME_BYTES_MAX (UINT64_C(128) << 20)
#define VDSO_BYTES_MAX	(64u << 10)
#define ROWS_MAX	(2u * UNWIND_ROWS_MAX) /* with the ends of functions */
#define TABLE_BYTES_MAX ((UNWIND_RULES_MAX + (size_t)ROWS_MAX) * sizeof(union unwind_entry))

#if defined(__x86_64__)
#define MACHINE_HERE EM_X86_64
#define MACHINE	     MACHINE_X86_64
#else
#define MACHINE_HERE EM_AARCH64
#define MACHINE	     MACHINE_AARCH64
#endif

static void copy_segments(Elf *elf, struct unwind_input *found)
{
	size_t count;

	if (elf_getphdrnum(elf, &count))
		return;
	for (size_t i = 0; i < count && found->segment_count < UNWIND_SEGMENTS_MAX; i++) {
		GElf_Phdr p;

		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_LOAD && p.p_flags & PF_X)
			found->segments[found->segment_count++] =
				(struct unwind_segment){ p.p_vaddr, p.p_offset, p.p_filesz };
	}
}

static int read_section(int file, struct unwind_input *found, void **bytes,
	const struct elf_section *s, uint64_t file_size)
{
	size_t size = (size_t)s->size;
	ssize_t got;

	if (s->is_compressed || s->size > FRAME_BYTES_MAX || s->offset > file_size ||
		s->size > file_size - s->offset)
		return -EINVAL;
	*bytes = malloc(size + 1);
	if (!*bytes)
		return -ENOMEM;
	got = read_at(file, *bytes, size, s->offset);
	if (got < 0)
		return (int)got;
	if ((size_t)got < size)
		return -EINVAL;
	found->frames = *bytes;
	found->size = size;
	found->address = s->address;
	return 0;
}

static int read_elf(
	int file, Elf *elf, struct unwind_input *found, void **bytes, uint64_t file_size)
{
	GElf_Ehdr head;
	static const char *const name = ".eh_frame";
	struct elf_section section;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &head) ||
		head.e_machine != MACHINE_HERE || gelf_getclass(elf) != ELFCLASS64)
		return -ENOENT;
	copy_segments(elf, found);
	if (elf_sections_find(file, &name, 1, &section) || !section.size)
		return -ENOENT;
	return read_section(file, found, bytes, &section, file_size);
}

/* The rest of a table; its rules and then its rows are in the buffer. */
struct table_job {
	const atomic_bool *is_stopping; /* NULL in another process */
	uint64_t rule_bytes, ignored;
	bool is_cut;
};

static int make_table(const struct unwind_input *found, struct table_job *job, struct buffer *more)
{
	struct unwind_table table;
	int status = 0;

	if (unwind_table_make(&table, found)) {
		job->rule_bytes = table.rules.size;
		job->ignored = table.ignored;
		job->is_cut = table.is_cut;
		buffer_append(more, table.rules.data, table.rules.size);
		buffer_append(more, table.rows.data, table.rows.size);
	} else {
		status = found->is_stopping && *found->is_stopping ? -ECANCELED : -ENOMEM;
	}
	unwind_table_fini(&table);
	return buffer_failed(more) ? -ENOMEM : status;
}

static int parse_frames(int file, void *argument, struct buffer *more)
{
	struct table_job *job = argument;
	struct unwind_input found = { .machine = MACHINE, .is_stopping = job->is_stopping };
	_cleanup_(elf_cleanup) Elf *elf = NULL;
	_cleanup_free_ void *bytes = NULL;
	struct stat st;
	int status;

	if (fstat(file, &st) || !S_ISREG(st.st_mode))
		return -EINVAL;
	elf_version(EV_CURRENT);
	elf = elf_begin(file, ELF_C_READ, NULL);
	status = elf ? read_elf(file, elf, &found, &bytes, (uint64_t)st.st_size) : -ENOENT;
	return status ? status : make_table(&found, job, more);
}

/* --- its result --- */

/* Returns whether rules and rows are a table: walks in the kernel search in it. */
static bool is_valid_table(const struct unwind_table *t)
{
	const struct unwind_rule *rules = (const void *)t->rules.data;
	const struct unwind_row *rows = (const void *)t->rows.data;
	size_t rule_count = t->rules.size / sizeof(*rules),
	       row_count = t->rows.size / sizeof(*rows);
	bool is_sound = t->rules.size % sizeof(*rules) == 0 && t->rows.size % sizeof(*rows) == 0 &&
			rule_count <= UNWIND_RULES_MAX && row_count <= ROWS_MAX;

	for (size_t i = 0; i < rule_count && is_sound; i++)
		is_sound = (rules[i].frame & ((1 << UNWIND_KIND_BITS) - 1)) <= UNWIND_SIGNAL;
	for (size_t i = 0; i < row_count && is_sound; i++)
		is_sound = (rows[i].rule & ~UNWIND_IS_ENTRY) < rule_count &&
			   (!i || rows[i - 1].offset <= rows[i].offset);
	return is_sound;
}

/* The call may outlive its caller: it owns its memory and descriptor. */
struct job {
	int file;
	int status;
	struct table_job found;
	struct buffer bytes;
};

static void drop_job(void *argument)
{
	struct job *job = argument;

	close(job->file);
	buffer_fini(&job->bytes);
}

static void run_read_job(void *argument)
{
	static const struct parser parser = { "unwind information of an ELF file", parse_frames };
	struct job *job = argument;

	job->status = parser_run(&parser, job->file, &job->found, sizeof(job->found), &job->bytes);
}

static int take_table(const struct job *job, struct unwind_table *table)
{
	const struct table_job *found = &job->found;
	size_t size = job->bytes.size;

	*table = (struct unwind_table){ .ignored = found->ignored, .is_cut = found->is_cut };
	if (found->rule_bytes > size)
		return -EBADMSG;
	buffer_append(&table->rules, job->bytes.data, found->rule_bytes);
	buffer_append(
		&table->rows, buffer_at(&job->bytes, found->rule_bytes), size - found->rule_bytes);
	if (!buffer_failed(&table->rules) && !buffer_failed(&table->rows) && is_valid_table(table))
		return 0;
	unwind_table_fini(table);
	return -EBADMSG;
}

int unwind_file_read(struct timeout *timeout, int file, const atomic_bool *is_stopping,
	struct unwind_table *table)
{
	struct job job = { .file = fcntl(file, F_DUPFD_CLOEXEC, 0),
		.found.is_stopping = parser_socket() < 0 ? is_stopping : NULL,
		.bytes.limit = TABLE_BYTES_MAX };
	int status;

	if (job.file < 0)
		return -errno;
	status =
		timeout_call(timeout, run_read_job, drop_job, &job, sizeof(job), job.file, READ_MS);
	if (status == -ETIMEDOUT)
		return status; /* the thread owns all of the job now */
	status = status ? status : job.status;
	if (!status)
		status = take_table(&job, table);
	drop_job(&job);
	return status;
}

/* Returns the size of the vDSO: its section headers are at its end. */
static size_t vdso_size(const Elf64_Ehdr *head)
{
	uint64_t size = head->e_shoff + (uint64_t)head->e_shnum * head->e_shentsize;

	return size <= VDSO_BYTES_MAX ? (size_t)size : 0;
}

int unwind_file_vdso(void)
{
	const Elf64_Ehdr *head = (const void *)getauxval(AT_SYSINFO_EHDR);
	_cleanup_close_ int fd = -1;
	size_t size = head ? vdso_size(head) : 0;

	if (!size)
		return -ENOENT;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0 || write(fd, head, size) != (ssize_t)size)
		return -errno;
	return TAKE_FD(fd);
}
