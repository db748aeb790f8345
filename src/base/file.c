/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output files. What is recorded is private, so a file is made with mode 0600;
 * and sooth often runs as root in folders that others may write to, so the name
 * given is never followed when it is a symbolic link. What is opened is asked
 * again what it is, since it may have been swapped after the first look.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define OPEN_FLAGS   (O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY)
#define PRIVATE_MODE 0600

static int refuse_link(const char *path, struct sooth_error *err)
{
	error_set(err, -ELOOP, SOOTH_FAULT_IO, "write %s", path);
	error_why(err,
		"the file is a symbolic link, and sooth does not write through symbolic links");
	error_remedy(err, "give the name of the file that the link points to, or remove the link");
	return -ELOOP;
}

static int refuse_kind(const char *path, mode_t mode, struct sooth_error *err)
{
	int code = S_ISDIR(mode) ? -EISDIR : -EINVAL;

	error_set(err, code, SOOTH_FAULT_IO, "write %s", path);
	error_why(err, "the path names %s, not a regular file",
		S_ISDIR(mode)	 ? "a folder"
		: S_ISBLK(mode)	 ? "a block device"
		: S_ISSOCK(mode) ? "a socket"
				 : "something else");
	error_remedy(err, "give the name of a new file, or of a regular file that may be replaced");
	return code;
}

static int fail_open(const char *path, int code, struct sooth_error *err)
{
	if (code == -ELOOP)
		return refuse_link(path, err);
	error_errno(err, code, "create %s", path);
	/* No target is missing here, and no privilege of sooth's. */
	if (err)
		err->fault = SOOTH_FAULT_IO;
	if (code == -ENOENT) {
		error_remedy(err, *path ? "create the folder first" : "name a file");
	}
	return code;
}

/* A FIFO or a character device takes bytes as they come: no temporary, no truncation. */
static bool is_stream(mode_t mode)
{
	return S_ISFIFO(mode) || S_ISCHR(mode);
}

/* An older file of ours may be readable by others; one we cannot close to others is not used. */
static int make_private(int fd, const struct stat *st, const char *path, struct sooth_error *err)
{
	int code;

	if (!(st->st_mode & 077) || fchmod(fd, PRIVATE_MODE) == 0 || st->st_uid == geteuid())
		return 0;
	code = -errno;
	error_set(err, code, SOOTH_FAULT_IO, "write %s", path);
	error_why(err, "the file belongs to another user, and others can read it");
	error_remedy(err, "remove the file first, or name another file");
	return code;
}

/* Open the name itself; is_old_stream says what the first look found there. */
static int open_in_place(const char *path, bool is_old_stream, struct sooth_error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	fd = open(path, OPEN_FLAGS | (is_old_stream ? 0 : O_CREAT), PRIVATE_MODE);
	if (fd < 0 || fstat(fd, &st))
		return fail_open(path, -errno, err);
	if (is_stream(st.st_mode) && is_old_stream)
		return TAKE_FD(fd);
	if (!S_ISREG(st.st_mode))
		return refuse_kind(path, st.st_mode, err);
	r = make_private(fd, &st, path, err);
	if (r)
		return r;
	/* Only now, when it is known to be a regular file, may what it held go. */
	if (ftruncate(fd, 0))
		return error_errno(err, -errno, "empty %s", path);
	return TAKE_FD(fd);
}

/* A new file beside the name, by O_CREAT|O_EXCL and mode 0600, which follows no link. */
static int open_beside(const char *path, char **temporary, struct sooth_error *err)
{
	_cleanup_free_ char *name = NULL;
	int fd;

	if (asprintf(&name, "%s.XXXXXX", path) < 0) {
		name = NULL;
		return error_no_memory(err);
	}
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return fail_open(path, -errno, err);
	*temporary = TAKE_PTR(name);
	return fd;
}

static int open_named(struct out_file *f, const char *path, bool in_place, struct sooth_error *err)
{
	_cleanup_close_ int fd = -1;
	bool is_old_stream = false;
	struct stat st;

	if (!*path) /* else its temporary would be a fine name */
		return fail_open(path, -ENOENT, err);
	if (lstat(path, &st) == 0) {
		if (S_ISLNK(st.st_mode))
			return refuse_link(path, err);
		is_old_stream = is_stream(st.st_mode);
		if (!S_ISREG(st.st_mode) && !is_old_stream)
			return refuse_kind(path, st.st_mode, err);
	} else if (errno != ENOENT) {
		return fail_open(path, -errno, err);
	}
	f->path = strdup(path);
	if (!f->path)
		return error_no_memory(err);
	if (in_place || is_old_stream)
		fd = open_in_place(path, is_old_stream, err);
	else
		fd = open_beside(path, &f->temporary, err);
	if (fd < 0)
		return fd;
	f->stream = fdopen(fd, "w");
	if (!f->stream)
		return error_errno(err, -errno, "write %s", path);
	(void)TAKE_FD(fd);
	return 0;
}

int out_file_open(struct out_file *f, const char *path, bool in_place, struct sooth_error *err)
{
	int r;

	*f = (struct out_file){ 0 };
	if (strcmp(path, "-") == 0) {
		f->stream = stdout;
		return 0;
	}
	r = open_named(f, path, in_place, err);
	if (r)
		out_file_close(f);
	return r;
}

/* Pipes, terminals and some file systems have nothing to sync, and say so in these ways. */
static bool sync_failed(int fd)
{
	return fsync(fd) && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP &&
	       errno != EROFS;
}

/* Best effort: the file is whole under its name; this only makes the name outlive a power cut. */
static void sync_folder_of(const char *path)
{
	_cleanup_free_ char *folder = strdup(path);
	_cleanup_close_ int fd = -1;
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!folder)
		return;
	if (slash)
		slash[1] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)fsync(fd);
}

static void drop_temporary(struct out_file *f)
{
	if (f->temporary)
		unlink(f->temporary);
	free(TAKE_PTR(f->temporary));
}

int out_file_place(struct out_file *f, struct sooth_error *err)
{
	int code;

	if (!f->temporary)
		return 0;
	if (rename(f->temporary, f->path)) {
		code = -errno;
		drop_temporary(f);
		return error_errno(err, code, "rename the finished file to %s", f->path);
	}
	free(TAKE_PTR(f->temporary));
	sync_folder_of(f->path);
	return 0;
}

int out_file_commit(struct out_file *f, struct sooth_error *err)
{
	const char *name = f->path ? f->path : "standard output";
	int code = 0;

	errno = 0;
	/* An earlier write that failed leaves only its mark, not its errno. */
	if (fflush(f->stream) || ferror(f->stream))
		code = errno ? -errno : -EIO;
	else if (f->path && sync_failed(fileno(f->stream)))
		code = -errno;
	if (code) {
		drop_temporary(f);
		return error_errno(err, code, "write %s", name);
	}
	return out_file_place(f, err);
}

void out_file_close(struct out_file *f)
{
	drop_temporary(f);
	if (f->stream && f->path)
		fclose(f->stream);
	free(f->path);
	*f = (struct out_file){ 0 };
}
