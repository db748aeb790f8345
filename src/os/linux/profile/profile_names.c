/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by libelf and lines by libdw, read in a call with a timeout. */
#include "os/linux/profile/profile_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/profile/confined_lines.h"

/* Everything in it is a copy: if the call times out, it may run on when its caller has returned. */
struct job {
	int file; /* its own descriptor */
	int status;
	struct debug_identity identity;
	struct file_names names; /* last member: it has a variable length */
};

static void run_name_job(void *argument)
{
	struct job *job = argument;
	struct file_names *n = &job->names;

	/* elf_addresses() refuses a file that is not regular. */
	job->status = elf_addresses(job->file, n->addresses, n->count, NULL);
	if (!job->status)
		debug_identity_read(job->file, &job->identity);
	if (!job->status && n->has_lines)
		confined_lines(job->file, n);
}

int profile_names(struct timeout *timeout, int file, struct file_names *names,
	struct debug_identity *identity)
{
	size_t size = offsetof(struct job, names) + file_names_size(names);
	_cleanup_free_ struct job *job = calloc(1, size);
	int status;

	if (!job)
		return -ENOMEM;
	memcpy(&job->names, names, file_names_size(names));
	status = timeout_call_file(timeout, run_name_job, job, size, file, file_names_ms(names));
	status = status ? status : job->status;
	if (!status) {
		memcpy(names, &job->names, file_names_size(names));
		*identity = job->identity;
	}
	return status;
}
