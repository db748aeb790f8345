/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by libelf, read in a call with a timeout. */
#include "os/linux/profile/profile_names.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NAMES_MS     3000 /* some hundred megabytes of names, from a cold disk */
#define NOTES_MAX    64
#define SEGMENTS_MAX 65536

/* With its own copies of everything: the call may outlive its caller. */
struct job {
	int file; /* its own descriptor */
	size_t count;
	int status;
	char build_id[PROFILE_BUILD_ID_SIZE];
	struct elf_address addresses[ELF_ADDRESSES_MAX];
};

static void put_build_id(struct job *job, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size && i < (sizeof(job->build_id) - 1) / 2; i++)
		snprintf(job->build_id + 2 * i, 3, "%02x", bytes[i]);
}

static void search_notes(struct job *job, Elf_Data *data)
{
	size_t at = 0, name, contents;
	GElf_Nhdr note;

	for (int i = 0; data && i < NOTES_MAX && !job->build_id[0]; i++) {
		at = gelf_getnote(data, at, &note, &name, &contents);
		if (!at)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
			!memcmp((char *)data->d_buf + name, "GNU", sizeof("GNU")))
			put_build_id(job, (unsigned char *)data->d_buf + contents, note.n_descsz);
	}
}

static void read_build_id(struct job *job)
{
	Elf *elf = elf_begin(job->file, ELF_C_READ, NULL);
	size_t count = 0;
	GElf_Phdr p;

	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &count))
		count = 0;
	for (size_t i = 0; i < count && i < SEGMENTS_MAX; i++) {
		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_NOTE)
			search_notes(job, elf_getdata_rawchunk(elf, (int64_t)p.p_offset, p.p_filesz,
						  ELF_T_NHDR));
	}
	elf_end(elf);
}

static void do_job(void *argument)
{
	struct job *job = argument;

	/* It refuses what is no regular file. */
	job->status = elf_addresses(job->file, job->addresses, job->count, NULL);
	if (!job->status)
		read_build_id(job);
}

static void drop_job(void *argument)
{
	close(((struct job *)argument)->file);
}

int profile_names(struct timeout *timeout, int file, struct elf_address *addresses, size_t count,
	char build_id[PROFILE_BUILD_ID_SIZE])
{
	_cleanup_free_ struct job *job = calloc(1, sizeof(*job));
	int status;

	if (!job || count > ELF_ADDRESSES_MAX)
		return -ENOMEM;
	job->file = fcntl(file, F_DUPFD_CLOEXEC, 0);
	if (job->file < 0)
		return -errno;
	job->count = count;
	memcpy(job->addresses, addresses, count * sizeof(*addresses));
	status = timeout_call(timeout, do_job, drop_job, job, sizeof(*job), job->file, NAMES_MS);
	if (status == -ETIMEDOUT)
		return status; /* the thread owns the file now */
	drop_job(job);
	status = status ? status : job->status;
	if (!status) {
		memcpy(addresses, job->addresses, count * sizeof(*addresses));
		memcpy(build_id, job->build_id, sizeof(job->build_id));
	}
	return status;
}
