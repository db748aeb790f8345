/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by libelf and lines by libdw, read in a call with a timeout. */
#include "os/linux/profile/profile_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NAMES_MS 3000  /* some hundred megabytes of names, from a cold disk */
#define LINES_MS 15000 /* and of DWARF */

/* With its own copies of everything: the call may outlive its caller. */
struct job {
	int file; /* its own descriptor */
	size_t count;
	int status;
	struct debug_identity identity;
	struct elf_address addresses[ELF_ADDRESSES_MAX];
	size_t lines_count; /* 0: none are asked for */
	struct elf_line lines[];
};

static void do_job(void *argument)
{
	struct job *job = argument;

	/* It refuses what is no regular file. */
	job->status = elf_addresses(job->file, job->addresses, job->count, NULL);
	if (!job->status)
		debug_identity_read(job->file, &job->identity);
	if (!job->status && job->lines_count)
		elf_lines(job->file, job->addresses, job->lines, job->lines_count);
}

static void drop_job(void *argument)
{
	close(((struct job *)argument)->file);
}

int profile_names(struct timeout *timeout, int file, struct elf_address *addresses,
	struct elf_line *lines, size_t count, struct debug_identity *identity)
{
	size_t lines_size = lines ? count * sizeof(*lines) : 0;
	_cleanup_free_ struct job *job = calloc(1, sizeof(*job) + lines_size);
	int status;

	if (!job || count > ELF_ADDRESSES_MAX)
		return -ENOMEM;
	job->file = fcntl(file, F_DUPFD_CLOEXEC, 0);
	if (job->file < 0)
		return -errno;
	job->count = count;
	memcpy(job->addresses, addresses, count * sizeof(*addresses));
	job->lines_count = lines ? count : 0;
	status = timeout_call(timeout, do_job, drop_job, job, sizeof(*job) + lines_size, job->file,
		lines ? LINES_MS : NAMES_MS);
	if (status == -ETIMEDOUT)
		return status; /* the thread owns the file now */
	drop_job(job);
	status = status ? status : job->status;
	if (!status) {
		memcpy(addresses, job->addresses, count * sizeof(*addresses));
		*identity = job->identity;
		if (lines)
			memcpy(lines, job->lines, lines_size);
	}
	return status;
}
