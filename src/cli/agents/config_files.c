/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files of the user. */
#include "cli/agents/config_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

void config_path(struct buffer *path, const char *name)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && config[0] == '/')
		buffer_format(path, "%s/sooth/%s", config, name);
	else if (home && home[0] == '/')
		buffer_format(path, "%s/.config/sooth/%s", home, name);
}

bool config_is_missing(int code)
{
	return code == ENOENT || code == ENOTDIR || code == EACCES || code == EPERM;
}

int config_read(struct buffer *out, const char *path, size_t limit, struct sooth_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t got;

	if (fd < 0)
		return error_errno(err, -errno, "read %s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return error_errno(err, -EINVAL, "read %s: not a regular file", path);
	do {
		void *to = buffer_reserve(out, 4096);

		got = to ? read(fd, to, 4096) : -ENOMEM;
		if (got > 0)
			buffer_commit(out, (size_t)got);
	} while (got > 0 && out->size <= limit);
	if (got < 0)
		return error_errno(err, -EIO, "read %s", path);
	return got ? error_errno(err, -EFBIG, "read %s", path) : 0;
}
