/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files of the user. */
#include "cli/agents/config_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The variable's folder, and what is below it. */
static const char *folder_of(const char *variable, const char *in_home, const char **below)
{
	const char *folder = getenv(variable), *home = getenv("HOME");

	*below = folder && folder[0] == '/' ? "" : in_home;
	if (folder && folder[0] == '/')
		return folder;
	return home && home[0] == '/' ? home : NULL;
}

static const char *base_folder(const char **below)
{
	return folder_of("XDG_CONFIG_HOME", "/.config", below);
}

const char *config_cache_folder(void)
{
	static char path[PATH_MAX];
	const char *below, *base = folder_of("XDG_CACHE_HOME", "/.cache", &below);
	int size = base ? snprintf(path, sizeof(path), "%s%s/sooth", base, below) : 0;

	return size > 0 && (size_t)size < sizeof(path) ? path : NULL;
}

void config_path(struct buffer *path, const char *name)
{
	const char *below, *base = base_folder(&below);

	if (base)
		buffer_format(path, "%s%s/sooth/%s", base, below, name);
}

bool config_is_missing(int code)
{
	return code == ENOENT || code == ENOTDIR || code == EACCES || code == EPERM;
}

/* strchrnul(3), which macOS has not. */
static const char *next_slash(const char *path)
{
	return path + strcspn(path, "/");
}

/*
 * The user that decides what is read at a path of the configuration: the owner of the first
 * folder or link on the way that is not the caller's. false: the caller. Only root reads what
 * another user may not.
 */
static bool find_other_user(const char *path, uid_t *user)
{
	const char *below, *base = base_folder(&below), *end;
	size_t size = base ? strlen(base) : 0;

	if (!base || geteuid() || strncmp(path, base, size) != 0)
		return false;
	for (end = path + size; end; end = *end ? next_slash(end + 1) : NULL) {
		_cleanup_free_ char *prefix = strndup(path, (size_t)(end - path));
		struct stat st;

		if (prefix && *prefix && !lstat(prefix, &st) && st.st_uid) {
			*user = st.st_uid;
			return true;
		}
	}
	return false;
}

static int refuse_link(const char *path, uid_t user, struct sooth_error *err)
{
	error_set(err, -ELOOP, SOOTH_FAULT_IO, "read %s", path);
	error_why(err,
		"it is a symbolic link of another user (uid %u), and root could read what that "
		"user may not",
		(unsigned)user);
	return error_remedy(err, "set HOME and XDG_CONFIG_HOME to your own folders");
}

static int refuse_owner(const char *path, uid_t user, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_IO, "read %s", path);
	error_why(err, "its folder belongs to another user (uid %u), the file does not",
		(unsigned)user);
	return error_remedy(err, "set HOME and XDG_CONFIG_HOME to your own folders");
}

/* Nothing is read, nor repeated in an error, that a user could not read itself. */
static int open_regular(const char *path, struct sooth_error *err)
{
	uid_t user;
	bool is_other = find_other_user(path, &user);
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (is_other ? O_NOFOLLOW : 0));
	if (fd < 0 && errno == ELOOP && is_other)
		return refuse_link(path, user, err);
	if (fd < 0)
		return error_errno(err, -errno, "read %s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return error_errno(err, -EINVAL, "read %s: not a regular file", path);
	if (is_other && st.st_uid != user)
		return refuse_owner(path, user, err);
	return TAKE_FD(fd);
}

int config_read(struct buffer *out, const char *path, size_t limit, struct sooth_error *err)
{
	_cleanup_close_ int fd = open_regular(path, err);
	ssize_t got;

	if (fd < 0)
		return fd;
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
