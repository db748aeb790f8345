/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/read_at.h"

#include <errno.h>
#include <unistd.h>

ssize_t read_at(int fd, void *out, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)out + done, size - done, (off_t)(offset + done));

		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			break;
		done += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)done;
}

bool read_all_at(int fd, void *out, size_t size, uint64_t offset)
{
	return read_at(fd, out, size, offset) == (ssize_t)size;
}
