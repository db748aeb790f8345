/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing is checked by its name and then used by its name: what was opened is checked. */
#include "cli/monitor/fifo_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"

#define PIPE_BYTES (1 << 20)
#define FOLDER	    ".claude"
#define SUBFOLDER   "fifos"
#define OTHERS_MODE 077

/* --- as the user --- */

static bool invoking_user(uid_t *uid, gid_t *gid)
{
	const char *user = getenv("SUDO_UID"), *group = getenv("SUDO_GID");
	uint64_t uid_number, gid_number;

	if (getuid() || !user || !group || !parse_u64(user, &uid_number) ||
		!parse_u64(group, &gid_number) || uid_number >= UINT32_MAX ||
		gid_number >= UINT32_MAX)
		return false;
	*uid = (uid_t)uid_number;
	*gid = (gid_t)gid_number;
	return true;
}

static int as_user(struct fifo_folder *f, struct sooth_error *err)
{
	f->before_uid = geteuid();
	f->before_gid = getegid();
	if (f->uid == f->before_uid)
		return 0;
	if (setegid(f->gid) || seteuid(f->uid))
		return error_errno(err, -errno, "act as user %u", (unsigned)f->uid);
	return 0;
}

static void as_before(struct fifo_folder *f)
{
	if (f->uid == f->before_uid)
		return;
	if (seteuid(f->before_uid) || setegid(f->before_gid))
		abort(); /* every right that sooth has from here on would be another's */
}

/* --- the folder --- */

static const char *home_of(const struct fifo_folder *f)
{
	const struct passwd *user = f->uid == getuid() ? NULL : getpwuid(f->uid);
	const char *home = user ? user->pw_dir : getenv("HOME");

	return home && *home == '/' ? home : NULL;
}

static int refuse(
	const struct fifo_folder *f, const char *name, const char *why, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use %s%s%s", f->path, name ? "/" : "",
		name ? name : "");
	error_why(err, "%s", why);
	/* What the user named as a folder may be anything: only what stands in one is to be removed. */
	return error_remedy(err, "%schoose another folder: sooth monitor --fifo-dir DIR",
		name ? "remove it, or " : "");
}

static int check_folder(const struct fifo_folder *f, int fd, struct sooth_error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_errno(err, -errno, "look at %s", f->path);
	if (st.st_uid != f->uid)
		return refuse(f, NULL, "it belongs to another user", err);
	if (st.st_mode & OTHERS_MODE)
		return refuse(f, NULL, "other users may enter it: its mode has to be 0700", err);
	return 0;
}

static int open_or_make(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(at, name, 0700) && errno != EEXIST)
		return -1;
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int cannot_open(const struct fifo_folder *f, struct sooth_error *err)
{
	if (errno == ENOTDIR || errno == ELOOP)
		return refuse(f, NULL, "it is no folder, or a symbolic link leads to it", err);
	return error_errno(err, -errno, "open the folder %s", f->path);
}

static int put_default(struct fifo_folder *f, struct sooth_error *err)
{
	const char *home = home_of(f);

	if (!home) {
		error_set(err, -ENOENT, SOOTH_FAULT_USAGE, "find the home of user %u",
			(unsigned)f->uid);
		return error_remedy(err, "name a folder: sooth monitor --fifo-dir DIR");
	}
	snprintf(f->path, sizeof(f->path), "%s/" FOLDER "/" SUBFOLDER, home);
	return 0;
}

static int open_default(struct fifo_folder *f, struct sooth_error *err)
{
	const char *home = home_of(f);
	int at, middle;

	if (put_default(f, err))
		return err->code;
	at = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	middle = at < 0 ? -1 : open_or_make(at, FOLDER);
	f->fd = middle < 0 ? -1 : open_or_make(middle, SUBFOLDER);
	if (f->fd < 0)
		cannot_open(f, err);
	if (middle >= 0)
		close(middle);
	if (at >= 0)
		close(at);
	return f->fd < 0 ? err->code : 0;
}

static int open_named(struct fifo_folder *f, const char *path, struct sooth_error *err)
{
	snprintf(f->path, sizeof(f->path), "%s", path);
	f->fd = open_or_make(AT_FDCWD, path);
	return f->fd < 0 ? cannot_open(f, err) : 0;
}

static int lock(struct fifo_folder *f, struct sooth_error *err)
{
	if (!flock(f->fd, LOCK_EX | LOCK_NB))
		return 0;
	error_set(err, -EBUSY, SOOTH_FAULT_USAGE, "write into %s", f->path);
	error_why(err, "another monitor does");
	return error_remedy(err, "end that one, or choose another folder: --fifo-dir DIR");
}

int fifo_folder_open(struct fifo_folder *f, const char *path, struct sooth_error *err)
{
	int status;

	*f = (struct fifo_folder){ .fd = -1, .uid = getuid(), .gid = getgid() };
	invoking_user(&f->uid, &f->gid);
	status = as_user(f, err);
	if (status)
		return status;
	status = path ? open_named(f, path, err) : open_default(f, err);
	if (!status)
		status = check_folder(f, f->fd, err);
	if (!status)
		status = lock(f, err);
	as_before(f);
	if (status)
		fifo_folder_close(f);
	return status;
}

void fifo_folder_close(struct fifo_folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* --- a FIFO --- */

static int check_fifo(const struct fifo_folder *f, const char *name, const struct stat *st,
	struct sooth_error *err)
{
	if (S_ISLNK(st->st_mode))
		return refuse(f, name, "it is a symbolic link", err);
	if (!S_ISFIFO(st->st_mode))
		return refuse(f, name, "it is no FIFO", err);
	if (st->st_uid != f->uid)
		return refuse(f, name, "it belongs to another user", err);
	if (st->st_mode & OTHERS_MODE)
		return refuse(f, name, "other users may read it: its mode has to be 0600", err);
	return 0;
}

static int check_or_make(struct fifo_folder *f, const char *name, struct sooth_error *err)
{
	struct stat st;

	if (!fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return check_fifo(f, name, &st, err);
	if (errno != ENOENT || (mkfifoat(f->fd, name, 0600) && errno != EEXIST))
		return error_errno(err, -errno, "make the FIFO %s/%s", f->path, name);
	return 0;
}

/* Without a reader it cannot be opened, so its name is checked, too; it may have become another
 * since.
 */
static int open_checked(struct fifo_folder *f, const char *name, struct sooth_error *err)
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

int fifo_open(struct fifo_folder *f, const char *name, struct sooth_error *err)
{
	int status = as_user(f, err);

	if (status)
		return status;
	status = open_checked(f, name, err);
	as_before(f);
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

static int remove_old(const struct fifo_folder *f, const char *name, struct sooth_error *err)
{
	struct stat st;

	if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return refuse(f, name, "it is no socket", err);
	if (unlinkat(f->fd, name, 0))
		return error_errno(err, -errno, "replace %s/%s", f->path, name);
	return 0;
}

static int listen_at(const struct fifo_folder *f, const char *name, struct sooth_error *err)
{
	struct sockaddr_un address;
	int status = put_address(f->path, name, &address, err), fd;

	if (!status)
		status = remove_old(f, name, err);
	if (status)
		return status;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) ||
		fchmodat(f->fd, name, 0600, 0) || listen(fd, SOMAXCONN)) {
		status = error_errno(err, -errno, "listen at %s/%s", f->path, name);
		if (fd >= 0)
			close(fd);
		return status;
	}
	return fd;
}

int fifo_folder_listen(struct fifo_folder *f, const char *name, struct sooth_error *err)
{
	int status = as_user(f, err);

	if (status)
		return status;
	status = listen_at(f, name, err);
	as_before(f);
	return status;
}

int fifo_folder_socket(
	const char *folder, const char *name, struct sockaddr_un *out, struct sooth_error *err)
{
	struct fifo_folder f = { .uid = getuid(), .gid = getgid() };
	int status;

	if (folder)
		return put_address(folder, name, out, err);
	invoking_user(&f.uid, &f.gid);
	status = put_default(&f, err);
	return status ? status : put_address(f.path, name, out, err);
}
