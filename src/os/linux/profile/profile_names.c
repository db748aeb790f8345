/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by libelf and lines by libdw, read in a call with a timeout. */
#include "os/linux/profile/profile_names.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "os/linux/profile/confined_lines.h"

struct names_job {
	size_t count;
	struct debug_identity identity;
	struct elf_address addresses[ELF_ADDRESSES_MAX];
};

/* Both in one go, as each file costs a process. */
static int parse_names(int fd, void *argument, struct buffer *more)
{
	struct names_job *job = argument;
	/* elf_addresses() refuses a file that is not regular. */
	int status = elf_addresses(fd, job->addresses, job->count);

	(void)more;
	if (!status)
		debug_identity_read(fd, &job->identity);
	return status;
}

/* Everything in it is a copy: if the call times out, it may run on when its caller has returned. */
struct job {
	int file; /* its own descriptor */
	int status;
	struct names_job found;
	struct file_names names; /* last member: it has a variable length */
};

static void run_name_job(void *argument)
{
	static const struct parser parser = { "names of functions in an ELF file", parse_names };
	struct job *job = argument;
	struct names_job *found = &job->found;
	struct file_names *n = &job->names;
	size_t bytes = n->count * sizeof(n->addresses[0]);

	found->count = n->count;
	memcpy(found->addresses, n->addresses, bytes);
	job->status = parser_run(
		&parser, job->file, found, offsetof(struct names_job, addresses) + bytes, NULL);
	if (!job->status &&
		!(debug_identity_is_sound(&found->identity) &&
			elf_addresses_are_sound(found->addresses, n->addresses, n->count)))
		job->status = -EBADMSG;
	if (job->status)
		return;
	memcpy(n->addresses, found->addresses, bytes);
	if (n->has_lines)
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
		*identity = job->found.identity;
	}
	return status;
}
