/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output files. Recordings are private, so a file is made with mode 0600; and sooth often runs as
 * root in folders that others may write to, so the name given is never followed when it is a
 * symbolic link. An opened file is checked again, since it may have been swapped after the first
 * check.
 */
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"

/* --- file checks --- */

/*
 * Checks of the name of an output file: its kind, and whether only the caller can read what is
 * written there: a FIFO, a terminal or a file of another user is read by that user, whatever its
 * mode.
 */

#define PRIVATE_MODE 0600

/* Returns whether a FIFO or device takes the bytes as they come: no temporary, no truncation. */
static bool file_is_stream(mode_t mode)
{
	return S_ISFIFO(mode) || S_ISCHR(mode);
}

static int file_refuse_link(const char *path, struct sooth_error *err)
{
	error_set(err, -ELOOP, SOOTH_FAULT_IO, "write %s", path);
	error_why(err,
		"the file is a symbolic link, and sooth does not write through symbolic links");
	error_remedy(err, "give the name of the file that the link points to, or remove the link");
	return -ELOOP;
}

static int file_refuse_kind(const char *path, mode_t mode, struct sooth_error *err)
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

/* Returns whether a device is /dev/null or a standard stream of sooth, which any user may own. The
 * terminal belongs to the user who called sudo; and where users are mapped to others, /dev/null
 * belongs to no user that is known. */
static bool is_device_in_use(const struct stat *device)
{
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (!fstat(fd, &st) && S_ISCHR(st.st_mode) && st.st_rdev == device->st_rdev)
			return true;
	}
	return !stat("/dev/null", &st) && S_ISCHR(st.st_mode) && st.st_rdev == device->st_rdev;
}

static int refuse_owner(const char *path, const struct stat *st, struct sooth_error *err)
{
	const char *kind = S_ISFIFO(st->st_mode)  ? "FIFO"
			   : S_ISCHR(st->st_mode) ? "device"
						  : "file";

	error_set(err, -EPERM, SOOTH_FAULT_IO, "write %s", path);
	error_why(err,
		"the %s belongs to another user (uid %u), and that user could read the output",
		kind, (unsigned)st->st_uid);
	error_remedy(err, S_ISFIFO(st->st_mode) ? "make a FIFO of your own (mkfifo -m 600 FILE), "
						  "or pipe the output into a program"
						: "give the name of a new file");
	return -EPERM;
}

/* Checks whether an existing file may be written in place. */
static int file_check_place(const char *path, const struct stat *st, struct sooth_error *err)
{
	bool is_own = st->st_uid == geteuid();

	if (S_ISCHR(st->st_mode) && (is_own || !st->st_uid || is_device_in_use(st)))
		return 0;
	if (!is_own)
		return refuse_owner(path, st, err);
	if (S_ISREG(st->st_mode) && st->st_nlink > 1) {
		error_set(err, -EMLINK, SOOTH_FAULT_IO, "write %s", path);
		error_why(err, "the file has another hard link: the file under the other name "
			       "would change too");
		return error_remedy(err, "remove the file first, or name another file");
	}
	return 0;
}

/* Makes an older file or FIFO of ours readable for us only. Devices stay as they are. */
static int file_make_private(
	const char *path, int fd, const struct stat *st, struct sooth_error *err)
{
	if (S_ISCHR(st->st_mode) || !(st->st_mode & 077) || !fchmod(fd, PRIVATE_MODE))
		return 0;
	error_errno(err, -errno, "make %s unreadable for other users", path);
	return error_remedy(err, "remove the file first, or name another file");
}

static int inherited_number(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
	uint64_t number;

	if (!strcmp(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(path, "/dev/stderr"))
		return STDERR_FILENO;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		size_t size = strlen(folders[i]);

		if (!strncmp(path, folders[i], size) && parse_u64(path + size, &number))
			return number > INT_MAX ? -1 : (int)number;
	}
	return -1;
}

/* Returns a duplicate of a descriptor that this program was started with, by its name /dev/stdout,
 * /dev/stderr or /dev/fd/N. -1: no such name, or no such descriptor. */
static int file_inherited(const char *path)
{
	int fd = inherited_number(path), flags = fd < 0 ? -1 : fcntl(fd, F_GETFD);

	/* Descriptors that sooth has opened close at an exec. */
	if (flags < 0 || (flags & FD_CLOEXEC) || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return -1;
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* --- file --- */

#define OPEN_FLAGS     (O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY)
#define PRIVATE_MODE   0600
#define OPEN_NAME_SIZE sizeof("/proc/self/fd/-2147483648")
#define NAME_TRIES     100

static int fail_open(const char *path, int code, struct sooth_error *err)
{
	if (code == -ELOOP)
		return file_refuse_link(path, err);
	error_errno(err, code, "create %s", path);
	/* Neither a target nor a privilege of sooth is missing here. */
	if (err)
		err->fault = SOOTH_FAULT_IO;
	if (code == -ENOENT) {
		error_remedy(err, *path ? "create the folder first" : "name a file");
	}
	return code;
}

/* Opens the name itself. `is_old_stream`: the first check found a stream there. */
static int open_in_place(const char *path, bool is_old_stream, struct sooth_error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	fd = open(path, OPEN_FLAGS | (is_old_stream ? 0 : O_CREAT), PRIVATE_MODE);
	if (fd < 0 || fstat(fd, &st))
		return fail_open(path, -errno, err);
	if (file_is_stream(st.st_mode) != is_old_stream)
		return file_refuse_kind(path, st.st_mode, err);
	r = file_check_place(path, &st, err);
	if (!r)
		r = file_make_private(path, fd, &st, err);
	if (r)
		return r;
	/* Only now it is known to be a regular file, so that its old contents may go. */
	if (!is_old_stream && ftruncate(fd, 0))
		return error_errno(err, -errno, "empty %s", path);
	return TAKE_FD(fd);
}

#ifdef O_TMPFILE
/* Writes a name for an open file without a name; linkat() follows it to the file. */
static void name_of_open(char name[OPEN_NAME_SIZE], int fd)
{
	snprintf(name, OPEN_NAME_SIZE, "/proc/self/fd/%d", fd);
}

/* Opens a file without a name: a run that is killed leaves nothing. -1: the file system, or the
 * operating system, has no such files. */
static int open_nameless(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : NULL;
	_cleanup_close_ int fd = -1;
	char name[OPEN_NAME_SIZE];

	if (slash && !folder)
		return -1;
	fd = open(slash ? folder : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, PRIVATE_MODE);
	if (fd < 0)
		return -1;
	name_of_open(name, fd);
	return access(name, F_OK) ? -1 : TAKE_FD(fd);
}

static int link_as(int fd, const char *path)
{
	char name[OPEN_NAME_SIZE];

	name_of_open(name, fd);
	return linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW) ? -errno : 0;
}
#else
static int open_nameless(const char *path)
{
	(void)path;
	return -1;
}

static int link_as(int fd, const char *path)
{
	(void)fd;
	(void)path;
	return -ENOSYS;
}
#endif

/* Gives a file its name. linkat() replaces nothing, so a rename replaces an older file. */
static int link_file(struct out_file *f)
{
	int fd = fileno(f->stream), code = link_as(fd, f->path);
	_cleanup_free_ char *name = NULL;

	for (int i = 0; code == -EEXIST && i < NAME_TRIES; i++) {
		free(TAKE_PTR(name));
		if (asprintf(&name, "%s.%06lx", f->path,
			    (unsigned long)(clock_monotonic_ns() + (unsigned)i) & 0xffffff) < 0) {
			name = NULL;
			return -ENOMEM;
		}
		code = link_as(fd, name);
		if (!code)
			f->temporary = TAKE_PTR(name);
	}
	return code;
}

/* Opens a new file beside the name by O_CREAT|O_EXCL and mode 0600, which follows no link. */
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

enum way {
	WHOLE, /* gets its name when it is complete */
	NAMED, /* has a temporary name until then */
	IN_PLACE,
};

static int open_as(struct out_file *f, const char *path, enum way way, struct sooth_error *err)
{
	_cleanup_close_ int fd = -1;
	bool is_old_stream = false;
	struct stat st;
	int r;

	if (!*path) /* an empty path would make a valid temporary name */
		return fail_open(path, -ENOENT, err);
	fd = file_inherited(path);
	if (fd < 0 && lstat(path, &st) == 0) {
		if (S_ISLNK(st.st_mode))
			return file_refuse_link(path, err);
		is_old_stream = file_is_stream(st.st_mode);
		if (!S_ISREG(st.st_mode) && !is_old_stream)
			return file_refuse_kind(path, st.st_mode, err);
		/* Checked before the open: an open already wakes the reader of a FIFO. */
		r = way == IN_PLACE || is_old_stream ? file_check_place(path, &st, err) : 0;
		if (r)
			return r;
	} else if (fd < 0 && errno != ENOENT) {
		return fail_open(path, -errno, err);
	}
	f->path = strdup(path);
	if (!f->path)
		return error_no_memory(err);
	if (fd < 0 && (way == IN_PLACE || is_old_stream)) {
		fd = open_in_place(path, is_old_stream, err);
	} else if (fd < 0) {
		fd = way == NAMED ? -1 : open_nameless(path);
		f->is_nameless = fd >= 0;
		if (fd < 0)
			fd = open_beside(path, &f->temporary, err);
	}
	if (fd < 0)
		return fd;
	f->stream = fdopen(fd, "w");
	if (!f->stream)
		return error_errno(err, -errno, "write %s", path);
	(void)TAKE_FD(fd);
	return 0;
}

static int open_or_close(
	struct out_file *f, const char *path, enum way way, struct sooth_error *err)
{
	int r;

	*f = (struct out_file){ 0 };
	if (strcmp(path, "-") == 0) {
		f->stream = stdout;
		return 0;
	}
	r = open_as(f, path, way, err);
	if (r)
		out_file_close(f);
	return r;
}

int out_file_open(struct out_file *f, const char *path, bool in_place, struct sooth_error *err)
{
	return open_or_close(f, path, in_place ? IN_PLACE : WHOLE, err);
}

int out_file_open_named(struct out_file *f, const char *path, struct sooth_error *err)
{
	return open_or_close(f, path, NAMED, err);
}

/* Returns whether a sync failed. Pipes, terminals and some file systems cannot sync: no failure. */
static bool sync_failed(int fd)
{
	return fsync(fd) && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP &&
	       errno != EROFS;
}

/* Syncs the folder, if possible: the file is complete, and now its name survives a power cut. */
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
	int code = 0;

	assert(f);
	if (f->is_nameless)
		code = link_file(f);
	if (code)
		return error_errno(err, code, "give the finished file the name %s", f->path);
	if (!f->temporary && !f->is_nameless)
		return 0;
	f->is_nameless = false;
	if (f->temporary && rename(f->temporary, f->path)) {
		code = -errno;
		drop_temporary(f);
		return error_errno(err, code, "rename the finished file to %s", f->path);
	}
	free(TAKE_PTR(f->temporary));
	sync_folder_of(f->path);
	return 0;
}

/* Returns the errno of an earlier failed write, which leaves only a mark: one more byte after the
 * gap fails for the same reason, and sets errno. */
int stream_failure(FILE *stream)
{
	bool was_lost = ferror(stream);

	errno = 0;
	if (was_lost)
		clearerr(stream);
	if ((was_lost && fputc('\n', stream) == EOF) || fflush(stream))
		return errno ? -errno : -EIO;
	return was_lost ? -EIO : 0;
}

int out_file_commit(struct out_file *f, struct sooth_error *err)
{
	assert(f);

	const char *name = f->path ? f->path : "standard output";
	int code = stream_failure(f->stream);

	if (!code && f->path && sync_failed(fileno(f->stream)))
		code = -errno;
	if (code) {
		drop_temporary(f);
		return error_errno(err, code, "write %s", name);
	}
	return out_file_place(f, err);
}

void out_file_close(struct out_file *f)
{
	assert(f);
	drop_temporary(f);
	if (f->stream && f->path)
		fclose(f->stream);
	free(f->path);
	*f = (struct out_file){ 0 };
}
