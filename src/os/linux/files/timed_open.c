/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens a file that may not answer. */
#include "os/linux/files/timed_open.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/descriptors.h"

struct opening {
	int socket; /* socket of the child: the folder comes in, the file goes out */
	int flags;
	bool is_regular; /* nothing else is opened */
	uint64_t inode;	 /* expected inode of `path`; 0: any */
	char first[48];	 /* tried before; empty: none */
	char path[PATH_MAX + 8];
	int status;
};

static int receive_descriptor(int socket)
{
	char byte;
	int fd, status = descriptors_receive(socket, &fd, 1, &byte, 1, MSG_DONTWAIT);

	return status ? status : fd;
}

static int open_expected_file(int folder, const char *path, int flags, uint64_t inode)
{
	_cleanup_close_ int place = openat(folder, path, O_PATH | O_CLOEXEC);
	char again[40];
	struct stat st;
	int fd;

	if (place < 0 || fstat(place, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || (inode && (uint64_t)st.st_ino != inode))
		return -ENOENT;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	fd = open(again, flags);
	return fd < 0 ? -errno : fd;
}

int regular_open(int folder, const char *path, int flags)
{
	return open_expected_file(folder, path, flags, 0);
}

static int open_plain(int folder, const char *path, int flags)
{
	int fd = openat(folder, path, flags);

	return fd < 0 ? -errno : fd;
}

static void run_open_job(void *argument)
{
	struct opening *o = argument;
	_cleanup_close_ int folder = receive_descriptor(o->socket);
	_cleanup_close_ int fd = -EACCES;

	if (folder < 0) {
		o->status = folder;
		return;
	}
	if (*o->first)
		fd = regular_open(folder, o->first, o->flags);
	if (fd == -EPERM || fd == -EACCES)
		fd = o->is_regular ? open_expected_file(folder, o->path, o->flags, o->inode)
				   : open_plain(folder, o->path, o->flags);
	o->status = fd < 0 ? fd : descriptors_send(o->socket, &fd, 1, "", 1, 0);
}

static void drop_opening(void *argument)
{
	close(((struct opening *)argument)->socket);
}

static int open_timed(struct timeout *timeout, int folder, struct opening *o, int timeout_ms)
{
	int pair[2], status;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	o->socket = pair[1];
	status = descriptors_send(pair[0], &folder, 1, "", 1, 0);
	if (!status)
		status = timeout_call_about(timeout, run_open_job, drop_opening, o, sizeof(*o),
			o->socket, folder, timeout_ms);
	if (status != -ETIMEDOUT) /* else the thread owns it */
		close(pair[1]);
	if (!status)
		status = o->status;
	if (!status)
		status = receive_descriptor(pair[0]);
	close(pair[0]);
	return status;
}

static struct opening *opening_new(const char *path, size_t size, int flags)
{
	struct opening *o = size < sizeof(o->path) ? calloc(1, sizeof(*o)) : NULL;

	if (o) {
		memcpy(o->path, path, size);
		o->flags = flags | O_CLOEXEC;
	}
	return o;
}

int timed_open(struct timeout *timeout, int folder, const char *path, int flags, int timeout_ms)
{
	_cleanup_free_ struct opening *o = opening_new(path, strlen(path), flags);

	return o ? open_timed(timeout, folder, o, timeout_ms) : -ENOMEM;
}

#define READING (O_RDONLY | O_NOCTTY | O_NONBLOCK)

int timed_open_regular(struct timeout *timeout, int folder, const char *path, int timeout_ms)
{
	_cleanup_free_ struct opening *o = opening_new(path, strlen(path), READING);

	if (!o)
		return -ENOMEM;
	o->is_regular = true;
	return open_timed(timeout, folder, o, timeout_ms);
}

int timed_open_mapped(
	struct timeout *timeout, int process, const struct maps_line *mapping, int timeout_ms)
{
	_cleanup_free_ struct opening *o = opening_new("root", 4, READING);

	assert(mapping);
	if (!o || mapping->path.size >= sizeof(o->path) - 4)
		return -ENOMEM;
	memcpy(o->path + 4, mapping->path.data, mapping->path.size);
	snprintf(o->first, sizeof(o->first), "map_files/%llx-%llx",
		(unsigned long long)mapping->from, (unsigned long long)mapping->to);
	o->inode = mapping->inode;
	o->is_regular = true;
	return open_timed(timeout, process, o, timeout_ms);
}
