/* SPDX-License-Identifier: BSD-2-Clause */
/* Build ids by libelf; the file belongs to the target, and may not answer. */
#include "os/linux/uprobes/build_id.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/linux/files/timed_open.h"

#define NOTES_MAX 64 /* notes read per segment */

static void hexadecimal(char out[BUILD_ID_TEXT_SIZE], const unsigned char *bytes, size_t size)
{
	size = size < (BUILD_ID_TEXT_SIZE - 1) / 2 ? size : (BUILD_ID_TEXT_SIZE - 1) / 2;
	for (size_t i = 0; i < size; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int find_in_notes(Elf_Data *data, char out[BUILD_ID_TEXT_SIZE])
{
	size_t at = 0, name, contents;
	GElf_Nhdr note;

	for (int i = 0; data && i < NOTES_MAX; i++) {
		at = gelf_getnote(data, at, &note, &name, &contents);
		if (!at)
			break;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
			!memcmp((char *)data->d_buf + name, "GNU", sizeof("GNU"))) {
			hexadecimal(out, (unsigned char *)data->d_buf + contents, note.n_descsz);
			return 0;
		}
	}
	return -ENOENT;
}

static int find_in_elf(Elf *elf, char out[BUILD_ID_TEXT_SIZE])
{
	size_t count;

	if (elf_getphdrnum(elf, &count))
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_NOTE)
			continue;
		if (!find_in_notes(elf_getdata_rawchunk(elf, (int64_t)segment.p_offset,
					   segment.p_filesz, ELF_T_NHDR),
			    out))
			return 0;
	}
	return -ENOENT;
}

struct job {
	int file; /* its own descriptor */
	int status;
	char text[BUILD_ID_TEXT_SIZE];
};

static void do_job(void *argument)
{
	struct job *job = argument;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(job->file, ELF_C_READ, NULL);
	job->status = elf && elf_kind(elf) == ELF_K_ELF ? find_in_elf(elf, job->text) : -EINVAL;
	elf_end(elf);
}

static void drop_job(void *argument)
{
	close(((struct job *)argument)->file);
}

int build_id_read(struct timeout *timeout, int process, const struct maps_line *mapping,
	char out[BUILD_ID_TEXT_SIZE])
{
	struct job job = { .file = timed_open_mapped(timeout, process, mapping, TIMEOUT_MS) };
	int status;

	if (job.file < 0)
		return job.file;
	status = timeout_call(timeout, do_job, drop_job, &job, sizeof(job), job.file, TIMEOUT_MS);
	if (status == -ETIMEDOUT)
		return status; /* the thread owns the file */
	drop_job(&job);
	if (!status)
		status = job.status;
	if (!status)
		memcpy(out, job.text, sizeof(job.text));
	return status;
}
