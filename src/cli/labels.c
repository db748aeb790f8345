/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for peers; see labels.h. The library reads neither files of the user nor the environment.
 */
#include "cli/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FILE_MAX (1u << 20)

/* $XDG_CONFIG_HOME, else ~/.config, as the XDG base directory specification says. */
static void find_path(struct buffer *path)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && config[0] == '/')
		buffer_string(path, config);
	else if (home && home[0] == '/')
		buffer_format(path, "%s/.config", home);
	else
		return;
	buffer_string(path, "/sooth/peers");
}

/* Whoever runs sooth may run it with another's home: a file closed to them is not theirs. */
static bool is_missing(int code)
{
	return code == ENOENT || code == ENOTDIR || code == EACCES || code == EPERM;
}

/* Plain files only: a pipe under that name would hold us up. */
static int read_file(struct buffer *out, const char *path, struct sooth_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t got;

	if (fd < 0)
		return is_missing(errno) ? 0 : error_errno(err, -errno, "read %s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return error_errno(err, -EINVAL, "read %s: it is no plain file", path);
	do {
		void *to = buffer_reserve(out, 4096);

		got = to ? read(fd, to, 4096) : -ENOMEM;
		if (got > 0)
			buffer_commit(out, (size_t)got);
	} while (got > 0 && out->size <= FILE_MAX);
	if (got < 0)
		return error_errno(err, -EIO, "read %s", path);
	return got ? error_errno(err, -EFBIG, "read %s", path) : 0;
}

int labels_read(struct labels *l, struct sooth_error *err)
{
	struct sooth_error ignored;
	int status = 0;

	find_path(&l->path);
	if (l->path.size)
		status = read_file(&l->rules, buffer_cstr(&l->path), err);
	/* What the system has there is not the user's fault. */
	if (!status && read_file(&l->hosts, "/etc/hosts", &ignored))
		buffer_reset(&l->hosts);
	return status;
}

void labels_fini(struct labels *l)
{
	buffer_fini(&l->path);
	buffer_fini(&l->rules);
	buffer_fini(&l->hosts);
}
