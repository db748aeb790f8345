/* SPDX-License-Identifier: BSD-2-Clause */
/* Files in the root of a process. */
#include "os/linux/files/root_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_at.h"

int root_open(int process)
{
	int fd = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int root_file_open(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT };
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS) /* before Linux 5.6 */
		fd = openat(root, path + (path[0] == '/'), flags | O_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

/* The type of the file is checked before it is opened: opening alone has effects on a device, and
 * wakes a process that waits to write to a FIFO. */
int root_file_open_owned(int root, const char *path, uint32_t uid, struct stat *st)
{
	_cleanup_close_ int place = root_file_open(root, path, O_PATH | O_NOFOLLOW);
	char name[sizeof("/proc/self/fd/-2147483648")];
	int fd;

	assert(st);
	if (place < 0)
		return place;
	if (fstat(place, st))
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	if (uid && st->st_uid != uid)
		return -EACCES;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", place);
	fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int root_file_open_regular(int root, const char *path, struct stat *st)
{
	return root_file_open_owned(root, path, 0, st);
}

int root_file_read(int fd, struct buffer *out, uint64_t offset, size_t most)
{
	unsigned char *to = buffer_reserve(out, most);
	ssize_t size = to ? read_at(fd, to, most, offset) : -ENOMEM;

	if (size < 0)
		return (int)size;
	buffer_commit(out, (size_t)size);
	return 0;
}

int root_file_read_whole(int fd, const struct stat *st, struct buffer *out, size_t most)
{
	assert(st);
	return (uint64_t)st->st_size > most ? -EFBIG : root_file_read(fd, out, 0, most);
}

int root_file_whole(int root, const char *path, struct buffer *out, size_t most, struct stat *st)
{
	assert(st);

	_cleanup_close_ int fd = root_file_open_regular(root, path, st);

	buffer_reset(out);
	return fd < 0 ? fd : root_file_read_whole(fd, st, out, most);
}
