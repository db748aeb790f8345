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
#include "base/read_at.h"
#include "symbols/elf_sections.h"

#define READ_MS		5000
#define FRAME_BYTES_MAX (UINT64_C(128) << 20)
#define VDSO_BYTES_MAX	(64u << 10)

#if defined(__x86_64__)
#define MACHINE_HERE EM_X86_64
#define MACHINE	     MACHINE_X86_64
#else
#define MACHINE_HERE EM_AARCH64
#define MACHINE	     MACHINE_AARCH64
#endif

/* The call may outlive its caller: it owns what it points to. */
struct job {
	int file; /* its own descriptor */
	int status;
	struct unwind_input found;
	void *bytes; /* bytes of found.frames */
};

static void drop_job(void *argument)
{
	struct job *job = argument;

	close(job->file);
	free(job->bytes);
}

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

static int read_section(struct job *job, const struct elf_section *s, uint64_t file_size)
{
	size_t size = (size_t)s->size;
	ssize_t got;

	if (s->is_compressed || s->size > FRAME_BYTES_MAX || s->offset > file_size ||
		s->size > file_size - s->offset)
		return -EINVAL;
	job->bytes = malloc(size + 1);
	if (!job->bytes)
		return -ENOMEM;
	got = read_at(job->file, job->bytes, size, s->offset);
	if (got < 0)
		return (int)got;
	if ((size_t)got < size)
		return -EINVAL;
	job->found.frames = job->bytes;
	job->found.size = size;
	job->found.address = s->address;
	return 0;
}

static int read_elf(struct job *job, Elf *elf, uint64_t file_size)
{
	GElf_Ehdr head;
	static const char *const name = ".eh_frame";
	struct elf_section section;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &head) ||
		head.e_machine != MACHINE_HERE || gelf_getclass(elf) != ELFCLASS64)
		return -ENOENT;
	copy_segments(elf, &job->found);
	if (elf_sections_find(job->file, &name, 1, &section) || !section.size)
		return -ENOENT;
	return read_section(job, &section, file_size);
}

static void run_read_job(void *argument)
{
	struct job *job = argument;
	struct stat st;
	Elf *elf;

	if (fstat(job->file, &st) || !S_ISREG(st.st_mode)) {
		job->status = -EINVAL;
		return;
	}
	elf_version(EV_CURRENT);
	elf = elf_begin(job->file, ELF_C_READ, NULL);
	job->status = elf ? read_elf(job, elf, (uint64_t)st.st_size) : -ENOENT;
	elf_end(elf);
}

int unwind_file_read(struct timeout *timeout, int file, const atomic_bool *is_stopping,
	struct unwind_table *table)
{
	struct job job = { .file = fcntl(file, F_DUPFD_CLOEXEC, 0),
		.found = { .machine = MACHINE } };
	int status;

	if (job.file < 0)
		return -errno;
	status =
		timeout_call(timeout, run_read_job, drop_job, &job, sizeof(job), job.file, READ_MS);
	if (status == -ETIMEDOUT)
		return status; /* the thread owns all of the job now */
	status = status ? status : job.status;
	job.found.is_stopping = is_stopping;
	if (!status && !unwind_table_make(table, &job.found)) {
		unwind_table_fini(table);
		status = is_stopping && *is_stopping ? -ECANCELED : -ENOMEM;
	}
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
