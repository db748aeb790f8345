/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of addresses, from the mapped files. */
#include "os/linux/uprobes/mapped_symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SYMBOLS_MS 3000 /* some hundred megabytes of names, from a cold disk */

/* With its own copies of everything: the call may outlive its caller. */
struct job {
	int process; /* its own descriptor */
	char mapping[48];
	char path[PATH_MAX + 8]; /* below /proc/PID */
	uint64_t inode;
	size_t count;
	int status;
	struct elf_address addresses[ELF_ADDRESSES_MAX];
};

/* Checked before it is opened: opening a device could have effects. Inode 0: any. */
static int open_regular(int process, const char *name, uint64_t inode)
{
	_cleanup_close_ int place = openat(process, name, O_PATH | O_CLOEXEC);
	char again[40];
	struct stat st;
	int fd;

	if (place < 0 || fstat(place, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || (inode && (uint64_t)st.st_ino != inode))
		return -ENOENT; /* not the mapped file */
	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	fd = open(again, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* map_files needs root or cap_checkpoint_restore; the path may lead to another file by now. */
static int open_mapped(const struct job *job)
{
	int fd = open_regular(job->process, job->mapping, 0);

	return fd == -EPERM || fd == -EACCES ? open_regular(job->process, job->path, job->inode)
					     : fd;
}

static void do_job(void *argument)
{
	struct job *job = argument;
	_cleanup_close_ int fd = open_mapped(job);

	job->status = fd < 0 ? fd : elf_addresses(fd, job->addresses, job->count, NULL);
}

static void drop_job(void *argument)
{
	close(((struct job *)argument)->process);
}

int mapped_symbols(struct timeout *timeout, int process, const struct maps_line *mapping,
	struct elf_address *addresses, size_t count)
{
	_cleanup_free_ struct job *job = calloc(1, sizeof(*job));
	int status;

	if (!job || count > ELF_ADDRESSES_MAX)
		return -ENOMEM;
	snprintf(job->mapping, sizeof(job->mapping), "map_files/%llx-%llx",
		(unsigned long long)mapping->from, (unsigned long long)mapping->to);
	snprintf(job->path, sizeof(job->path), "root%.*s", (int)mapping->path.size,
		mapping->path.data);
	job->inode = mapping->inode;
	job->count = count;
	memcpy(job->addresses, addresses, count * sizeof(*addresses));
	job->process = fcntl(process, F_DUPFD_CLOEXEC, 0);
	if (job->process < 0)
		return -errno;
	status = timeout_call(
		timeout, do_job, drop_job, job, sizeof(*job), job->process, SYMBOLS_MS);
	if (status == -ETIMEDOUT)
		return status; /* the thread owns the descriptor now */
	drop_job(job);
	if (!status)
		status = job->status;
	if (!status)
		memcpy(addresses, job->addresses, count * sizeof(*addresses));
	return status;
}
