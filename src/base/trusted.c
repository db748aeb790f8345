/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks a path by descriptors, and follows links itself: the file that was checked is the file that
 * is opened, even if a name leads elsewhere a moment later. */
#include "base/trusted.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif
#define OPEN_FILE   (O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
#define OPEN_FOLDER (O_PATH | O_DIRECTORY | O_CLOEXEC) /* needs no read permission */
#define LINKS_MAX   40 /* as many links as path_resolution(7) follows */

struct walk {
	const struct trust *trust;
	const char *path;    /* path for errors */
	char part[PATH_MAX]; /* the path of what is checked */
	unsigned links;
	int at;		/* the open folder */
	dev_t device;	/* device of the last checked file */
	uid_t top;	/* owner of "/": root, or a root outside of this user namespace */
	bool is_users;	/* the folder or something before it is the user's */
	bool is_shared; /* other users may add files to the folder, but not rename those of others
			 */
};

/* Reports a failed call. EPERM becomes EACCES, because EPERM says that this file refused. */
static int report_failure(const struct walk *w, int code, struct sooth_error *err)
{
	return error_errno(err, code == EPERM ? -EACCES : -code, "open %s", w->path);
}

static int refuse_kind(const struct walk *w, struct sooth_error *err)
{
	return error_errno(err, -EINVAL, "read %s: not a regular file", w->path);
}

static int refuse_file(const struct walk *w, const char *why, struct sooth_error *err)
{
	error_set(err, -EPERM, SOOTH_FAULT_USAGE, "trust %s", w->path);
	error_why(err, "%s %s", w->part, why);
	return -EPERM;
}

static int check_part(struct walk *w, const struct stat *st, struct sooth_error *err)
{
	bool is_roots = !st->st_uid || !w->part[0] || st->st_uid == w->top;
	bool is_link = S_ISLNK(st->st_mode), is_open = st->st_mode & (S_IWGRP | S_IWOTH);

	if (!w->part[0])
		w->top = st->st_uid;
	if (!is_roots && st->st_uid != w->trust->user)
		return refuse_file(w, "belongs to another user", err);
	if (is_roots && w->is_users && S_ISREG(st->st_mode))
		return refuse_file(w, "does not belong to the user of its folder", err);
	/* The daemon of a mount decides which of its files belong to root. */
	if (w->is_shared && (is_link || st->st_dev != w->device))
		return refuse_file(
			w, "is a link or a mount in a folder that other users can write to", err);
	w->device = st->st_dev;
	w->is_users |= !is_roots;
	if (is_link)
		return 0;
	w->is_shared = S_ISDIR(st->st_mode) && is_open && (st->st_mode & S_ISVTX);
	if (!is_open || w->is_shared)
		return 0;
	refuse_file(w, "can be written to by other users", err);
	if (escape_is_shell_word(w->part, strlen(w->part)))
		error_remedy(err, "chmod go-w %s", w->part);
	return -EPERM;
}

/* Opens a file, or a folder from which the walk goes on. Returns the descriptor. */
static int open_part(struct walk *w, const char *name, bool is_folder, struct sooth_error *err)
{
	int flags = (is_folder ? OPEN_FOLDER : OPEN_FILE) | (w->trust->is_checked ? O_NOFOLLOW : 0);
	_cleanup_close_ int fd = openat(w->at, name, flags);
	struct stat st;
	int status = 0;

	if (fd < 0 || fstat(fd, &st))
		return report_failure(w, errno, err);
	if (!is_folder && !S_ISREG(st.st_mode))
		return refuse_kind(w, err);
	if (w->trust->is_checked)
		status = check_part(w, &st, err);
	if (status)
		return status;
	cleanup_close(&w->at);
	w->at = fd;
	return TAKE_FD(fd);
}

/* Writes the target of a link to `next`, and `rest` after it. */
static int follow_link(struct walk *w, const char *name, const char *rest, char next[PATH_MAX])
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(w->at, name, target, sizeof(target));
	int above = size > 0 && target[0] == '/' ? 0 : (int)(strrchr(w->part, '/') - w->part);

	if (size < 0)
		return errno;
	if (++w->links > LINKS_MAX || snprintf(next, PATH_MAX, "%.*s/%.*s%s", above, w->part,
					      (int)size, target, rest) >= PATH_MAX)
		return ELOOP;
	return 0;
}

/* Walks a path. The kind of a file is checked before the open: some devices act on an open. */
static int walk_path(struct walk *w, const char *path, bool is_folder, struct sooth_error *err)
{
	char name[NAME_MAX + 1], next[PATH_MAX];
	size_t used = *path != '/', size;
	struct stat st;
	int fd, status;

	snprintf(w->part, sizeof(w->part), used ? "." : "");
	fd = open_part(w, used ? "." : "/", true, err);
	while (fd >= 0 && *(path += strspn(path, "/"))) {
		size = strcspn(path, "/");
		if (size > NAME_MAX || used + size + 1 >= sizeof(w->part))
			return report_failure(w, ENAMETOOLONG, err);
		snprintf(name, sizeof(name), "%.*s", (int)size, path);
		used += (size_t)sprintf(w->part + used, "/%s", name);
		path += size;
		if (fstatat(w->at, name, &st, AT_SYMLINK_NOFOLLOW))
			return errno == ENOENT && w->is_shared
				       ? refuse_file(
						 w, "is missing, and other users can make it", err)
				       : report_failure(w, errno, err);
		if (S_ISLNK(st.st_mode)) {
			status = check_part(w, &st, err);
			if (status)
				return status;
			status = follow_link(w, name, path, next);
			return status ? report_failure(w, status, err)
				      : walk_path(w, next, is_folder, err);
		}
		if (!is_folder && !*path && !S_ISREG(st.st_mode))
			return refuse_kind(w, err);
		fd = open_part(w, name, is_folder || *path, err);
	}
	return fd;
}

int trusted_open(
	const struct trust *t, const char *path, int flags, uid_t *owner, struct sooth_error *err)
{
	assert(t);

	struct walk w = { .trust = t, .path = path, .at = AT_FDCWD };
	bool is_folder = flags & O_DIRECTORY;
	int fd = t->is_checked ? walk_path(&w, path, is_folder, err)
			       : open_part(&w, path, is_folder, err);

	if (fd < 0)
		cleanup_close(&w.at);
	if (owner)
		*owner = w.is_users ? t->user : geteuid();
	return fd;
}

int trusted_open_parent(
	const struct trust *t, const char *path, uid_t *owner, struct sooth_error *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);

	if (!folder)
		return error_no_memory(err);
	return trusted_open(t, slash ? folder : ".", O_DIRECTORY, owner, err);
}

bool trusted_is_folder(const struct trust *t, const char *path)
{
	struct sooth_error ignored;
	_cleanup_close_ int fd = trusted_open(t, path, O_DIRECTORY, NULL, &ignored);

	return fd >= 0;
}

bool trusted_is_place(const struct trust *t, const char *path)
{
	struct sooth_error ignored;
	_cleanup_close_ int above = -1, fd = trusted_open(t, path, O_DIRECTORY, NULL, &ignored);

	if (fd == -ENOENT)
		above = trusted_open_parent(t, path, NULL, &ignored);
	return fd >= 0 || above >= 0;
}
