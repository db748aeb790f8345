/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks files after opening them: checking a name and then using the name would be a race. */
#include "cli/monitor/fifo_folder.h"
#include "base/closed_at_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_BYTES  (1 << 20)
#define OTHERS_MODE 077

static const struct user_folder_kind kind = { .below = ".claude/fifos", .option = "fifo-dir" };

int fifo_folder_open(struct user_folder *f, const char *path, struct sooth_error *err)
{
	return user_folder_open(f, &kind, path, err);
}

/* --- a FIFO --- */

static int check_fifo(const struct user_folder *f, const char *name, const struct stat *st,
	struct sooth_error *err)
{
	if (S_ISLNK(st->st_mode))
		return user_folder_refuse(f, name, "the path is a symbolic link", err);
	if (!S_ISFIFO(st->st_mode))
		return user_folder_refuse(f, name, "the file is no FIFO", err);
	if (st->st_uid != f->uid)
		return user_folder_refuse(f, name, "the file belongs to another user", err);
	if (st->st_mode & OTHERS_MODE)
		return user_folder_refuse(
			f, name, "other users may read the file: its mode has to be 0600", err);
	return 0;
}

static int check_or_make(struct user_folder *f, const char *name, struct sooth_error *err)
{
	struct stat st;

	if (!fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return check_fifo(f, name, &st, err);
	if (errno != ENOENT || (mkfifoat(f->fd, name, 0600) && errno != EEXIST))
		return error_errno(err, -errno, "make the FIFO %s/%s", f->path, name);
	return 0;
}

/* Opens and checks a FIFO. A FIFO without a reader cannot be opened, so its name is checked, too;
 * the name may lead to another file since. */
static int open_checked(struct user_folder *f, const char *name, struct sooth_error *err)
{
	int status = check_or_make(f, name, err), fd;
	struct stat st;

	if (status)
		return status;
	fd = openat(f->fd, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENXIO || errno == ENOENT))
		return -ENXIO;
	if (fd < 0)
		return error_errno(err, -errno, "open %s/%s", f->path, name);
	status = fstat(fd, &st) ? error_errno(err, -errno, "look at %s/%s", f->path, name)
				: check_fifo(f, name, &st, err);
	if (!status)
		return fd;
	close(fd);
	return status;
}

void fifo_enlarge(int fd)
{
#ifdef F_SETPIPE_SZ
	fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
#else
	(void)fd;
#endif
}

int fifo_open(struct user_folder *f, const char *name, struct sooth_error *err)
{
	int status = user_folder_enter(f, err);

	if (status)
		return status;
	status = open_checked(f, name, err);
	user_folder_leave(f);
	return status;
}

/* --- the socket --- */

static int put_address(
	const char *folder, const char *name, struct sockaddr_un *out, struct sooth_error *err)
{
	int size;

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	size = snprintf(out->sun_path, sizeof(out->sun_path), "%s/%s", folder, name);
	if (size >= 0 && (size_t)size < sizeof(out->sun_path))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "make a socket in %s", folder);
	error_why(err, "the path of a socket has at most %zu bytes", sizeof(out->sun_path) - 1);
	return error_remedy(err, "choose a folder with a shorter path: --fifo-dir DIR");
}

static int remove_old(const struct user_folder *f, const char *name, struct sooth_error *err)
{
	struct stat st;

	if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return user_folder_refuse(f, name, "the file is no socket", err);
	if (unlinkat(f->fd, name, 0))
		return error_errno(err, -errno, "replace %s/%s", f->path, name);
	return 0;
}

static int listen_at(const struct user_folder *f, const char *name, struct sooth_error *err)
{
	struct sockaddr_un address;
	int status = put_address(f->path, name, &address, err), fd;

	if (!status)
		status = remove_old(f, name, err);
	if (status)
		return status;
	fd = closed_at_exec_socket(AF_UNIX, SOCK_STREAM, false);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) ||
		fchmodat(f->fd, name, 0600, 0) || listen(fd, SOMAXCONN)) {
		status = error_errno(err, -errno, "listen at %s/%s", f->path, name);
		if (fd >= 0)
			close(fd);
		return status;
	}
	return fd;
}

int fifo_folder_listen(struct user_folder *f, const char *name, struct sooth_error *err)
{
	int status = user_folder_enter(f, err);

	if (status)
		return status;
	status = listen_at(f, name, err);
	user_folder_leave(f);
	return status;
}

int fifo_folder_socket(
	const char *folder, const char *name, struct sockaddr_un *out, struct sooth_error *err)
{
	struct user_folder f;
	int status;

	if (folder)
		return put_address(folder, name, out, err);
	user_folder_set(&f, &kind);
	status = user_folder_default(&f, err);
	return status ? status : put_address(f.path, name, out, err);
}
