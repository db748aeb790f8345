/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of addresses, from the mapped files. */
#include "os/linux/uprobes/mapped_symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/timed_open.h"

#define SYMBOLS_MS 3000 /* some hundred megabytes of names, from a cold disk */

/* With its own copies of everything: the call may outlive its caller. */
struct job {
	int file; /* its own descriptor */
	size_t count;
	int status;
	struct elf_address addresses[ELF_ADDRESSES_MAX];
};

static void do_job(void *argument)
{
	struct job *job = argument;

	job->status = elf_addresses(job->file, job->addresses, job->count, NULL);
}

static void drop_job(void *argument)
{
	close(((struct job *)argument)->file);
}

int mapped_symbols(struct timeout *timeout, int process, const struct maps_line *mapping,
	struct elf_address *addresses, size_t count)
{
	_cleanup_free_ struct job *job = calloc(1, sizeof(*job));
	int status;

	if (!job || count > ELF_ADDRESSES_MAX)
		return -ENOMEM;
	job->count = count;
	memcpy(job->addresses, addresses, count * sizeof(*addresses));
	job->file = timed_open_mapped(timeout, process, mapping, SYMBOLS_MS);
	if (job->file < 0)
		return job->file;
	status = timeout_call(timeout, do_job, drop_job, job, sizeof(*job), job->file, SYMBOLS_MS);
	if (status == -ETIMEDOUT)
		return status; /* the thread owns the file now */
	drop_job(job);
	if (!status)
		status = job->status;
	if (!status)
		memcpy(addresses, job->addresses, count * sizeof(*addresses));
	return status;
}
