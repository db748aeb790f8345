/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether an output file may be written. */
#include "base/file_checks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"

#define PRIVATE_MODE 0600

bool file_is_stream(mode_t mode)
{
	return S_ISFIFO(mode) || S_ISCHR(mode);
}

int file_refuse_link(const char *path, struct sooth_error *err)
{
	error_set(err, -ELOOP, SOOTH_FAULT_IO, "write %s", path);
	error_why(err,
		"the file is a symbolic link, and sooth does not write through symbolic links");
	error_remedy(err, "give the name of the file that the link points to, or remove the link");
	return -ELOOP;
}

int file_refuse_kind(const char *path, mode_t mode, struct sooth_error *err)
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

/* Its own terminal belongs to the user who called sudo; and where users are mapped to others,
 * /dev/null belongs to no user that is known. */
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
	error_remedy(err, S_ISFIFO(st->st_mode)
				  ? "make a FIFO of your own (mkfifo -m 600 FILE), or "
				    "pipe the output into a program"
				  : "give the name of a new file");
	return -EPERM;
}

int file_check_place(const char *path, const struct stat *st, struct sooth_error *err)
{
	bool is_own = st->st_uid == geteuid();

	if (S_ISCHR(st->st_mode) && (is_own || !st->st_uid || is_device_in_use(st)))
		return 0;
	if (!is_own)
		return refuse_owner(path, st, err);
	if (S_ISREG(st->st_mode) && st->st_nlink > 1) {
		error_set(err, -EMLINK, SOOTH_FAULT_IO, "write %s", path);
		error_why(err, "the file has another hard link: it would change under that name "
			       "too");
		return error_remedy(err, "remove the file first, or name another file");
	}
	return 0;
}

int file_make_private(const char *path, int fd, const struct stat *st, struct sooth_error *err)
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

int file_inherited(const char *path)
{
	int fd = inherited_number(path), flags = fd < 0 ? -1 : fcntl(fd, F_GETFD);

	/* Those that sooth has opened close at an exec. */
	if (flags < 0 || (flags & FD_CLOEXEC) || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return -1;
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}
