/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing is checked by its name and then used by its name: what was opened is checked. */
#include "cli/state/user_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"

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

int user_folder_enter(struct user_folder *f, struct sooth_error *err)
{
	f->before_uid = geteuid();
	f->before_gid = getegid();
	if (f->uid == f->before_uid)
		return 0;
	if (setegid(f->gid) || seteuid(f->uid))
		return error_errno(err, -errno, "act as user %u", (unsigned)f->uid);
	return 0;
}

void user_folder_leave(struct user_folder *f)
{
	if (f->uid == f->before_uid)
		return;
	if (seteuid(f->before_uid) || setegid(f->before_gid))
		abort(); /* every right that sooth has from here on would be another's */
}

/* --- the folder --- */

static const char *home_of(const struct user_folder *f)
{
	const struct passwd *user = f->uid == getuid() ? NULL : getpwuid(f->uid);
	const char *home = user ? user->pw_dir : getenv("HOME");

	return home && *home == '/' ? home : NULL;
}

static bool has_parent(const char *path)
{
	const char *last = strrchr(path, '/');
	char parent[4096];
	struct stat st;

	if (!last || last == path)
		return true;
	snprintf(parent, sizeof(parent), "%.*s", (int)(last - path), path);
	return !stat(parent, &st) && S_ISDIR(st.st_mode);
}

/* A folder that can be made: beside this one, or in /tmp. */
static int try_another(const struct user_folder *f, bool beside, struct sooth_error *err)
{
	if (beside && has_parent(f->path))
		return error_remedy(err, "sooth monitor --%s %s.2", f->kind->option, f->path);
	return error_remedy(
		err, "sooth monitor --%s /tmp/sooth-%u", f->kind->option, (unsigned)f->uid);
}

int user_folder_refuse(
	const struct user_folder *f, const char *name, const char *why, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use %s%s%s", f->path, name ? "/" : "",
		name ? name : "");
	error_why(err, "%s", why);
	return try_another(f, true, err);
}

static int check_folder(const struct user_folder *f, int fd, struct sooth_error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_errno(err, -errno, "look at %s", f->path);
	if (st.st_uid != f->uid)
		return user_folder_refuse(f, NULL, "it belongs to another user", err);
	if (st.st_mode & OTHERS_MODE)
		return user_folder_refuse(
			f, NULL, "other users may enter it: its mode has to be 0700", err);
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

static int cannot_open(const struct user_folder *f, struct sooth_error *err)
{
	if (errno == ENOTDIR || errno == ELOOP)
		return user_folder_refuse(
			f, NULL, "it is no folder, or a symbolic link leads to it", err);
	error_errno(err, -errno, "make the folder %s", f->path);
	return try_another(f, false, err);
}

/* The folder that must be there, and what is made below it. */
static int find_default(
	const struct user_folder *f, const char **base, const char **below, struct sooth_error *err)
{
	const char *variable =
		f->kind->variable && f->uid == getuid() ? getenv(f->kind->variable) : NULL;

	*below = f->kind->below;
	*base = variable && *variable == '/' ? variable : home_of(f);
	if (variable && *variable == '/')
		*below = f->kind->below_variable;
	if (*base)
		return 0;
	error_set(err, -ENOENT, SOOTH_FAULT_USAGE, "find the home of user %u", (unsigned)f->uid);
	return try_another(f, false, err);
}

int user_folder_default(struct user_folder *f, struct sooth_error *err)
{
	const char *base, *below;
	int status = find_default(f, &base, &below, err);

	if (!status)
		snprintf(f->path, sizeof(f->path), "%s/%s", base, below);
	return status;
}

/* Each folder on the way is made, and none may be a link. */
static int open_below(int at, const char *below)
{
	while (at >= 0 && *below) {
		size_t size = strcspn(below, "/");
		char name[64];
		int next;

		snprintf(name, sizeof(name), "%.*s", (int)size, below);
		next = open_or_make(at, name);
		close(at);
		at = next;
		below += size + (below[size] == '/');
	}
	return at;
}

static int open_default(struct user_folder *f, struct sooth_error *err)
{
	const char *base, *below;
	int status = find_default(f, &base, &below, err);

	if (status)
		return status;
	snprintf(f->path, sizeof(f->path), "%s/%s", base, below);
	f->fd = open_below(open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), below);
	return f->fd < 0 ? cannot_open(f, err) : 0;
}

static int open_named(struct user_folder *f, const char *path, struct sooth_error *err)
{
	snprintf(f->path, sizeof(f->path), "%s", path);
	f->fd = open_or_make(AT_FDCWD, path);
	return f->fd < 0 ? cannot_open(f, err) : 0;
}

static int lock(struct user_folder *f, struct sooth_error *err)
{
	if (!flock(f->fd, LOCK_EX | LOCK_NB))
		return 0;
	error_set(err, -EBUSY, SOOTH_FAULT_USAGE, "write into %s", f->path);
	error_why(err, "another monitor does");
	return try_another(f, true, err);
}

void user_folder_set(struct user_folder *f, const struct user_folder_kind *kind)
{
	*f = (struct user_folder){ .fd = -1, .uid = getuid(), .gid = getgid(), .kind = kind };
	invoking_user(&f->uid, &f->gid);
}

int user_folder_open(struct user_folder *f, const struct user_folder_kind *kind, const char *path,
	struct sooth_error *err)
{
	int status;

	user_folder_set(f, kind);
	status = user_folder_enter(f, err);
	if (status)
		return status;
	status = path ? open_named(f, path, err) : open_default(f, err);
	if (!status)
		status = check_folder(f, f->fd, err);
	if (!status)
		status = lock(f, err);
	user_folder_leave(f);
	if (status)
		user_folder_close(f);
	return status;
}

bool user_folder_is_there(struct user_folder *f)
{
	struct stat here, there;
	struct sooth_error ignored;
	bool is_there;

	if (user_folder_enter(f, &ignored))
		return false;
	is_there = !fstat(f->fd, &here) &&
		   !fstatat(AT_FDCWD, f->path, &there, AT_SYMLINK_NOFOLLOW) &&
		   here.st_ino == there.st_ino && here.st_dev == there.st_dev;
	user_folder_leave(f);
	return is_there;
}

void user_folder_close(struct user_folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
