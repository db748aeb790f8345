/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks files after opening them: checking a name and then using the name would be a race. */
#include "cli/state/user_folder.h"
#include "base/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHERS_MODE 077

/* --- as the user --- */

int user_folder_enter(struct user_folder *f, struct sooth_error *err)
{
	assert(f);
	return rights_drop_to_user(&f->before, f->uid, err);
}

void user_folder_leave(struct user_folder *f)
{
	assert(f);
	rights_restore(&f->before);
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
	static const struct trust any;
	struct sooth_error ignored;
	_cleanup_close_ int fd = trusted_open_parent(&any, path, NULL, &ignored);

	return fd >= 0;
}

/* Proposes another folder that can be made: beside this one, or in /tmp. */
static int propose_other_folder(const struct user_folder *f, bool beside, struct sooth_error *err)
{
	if (beside && has_parent(f->path))
		return error_remedy(err, "sooth monitor --%s %s.2", f->kind->option, f->path);
	return error_remedy(
		err, "sooth monitor --%s /tmp/sooth-%u", f->kind->option, (unsigned)f->uid);
}

int user_folder_refuse(
	const struct user_folder *f, const char *name, const char *why, struct sooth_error *err)
{
	assert(f);
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use %s%s%s", f->path, name ? "/" : "",
		name ? name : "");
	error_why(err, "%s", why);
	return propose_other_folder(f, true, err);
}

static int check_folder(const struct user_folder *f, int fd, struct sooth_error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_errno(err, -errno, "look at %s", f->path);
	if (st.st_uid != f->uid)
		return user_folder_refuse(f, NULL, "the folder belongs to another user", err);
	if (st.st_mode & OTHERS_MODE)
		return user_folder_refuse(
			f, NULL, "other users may enter the folder: its mode has to be 0700", err);
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

static int refuse_folder(const struct user_folder *f, struct sooth_error *err)
{
	if (errno == ENOTDIR || errno == ELOOP)
		return user_folder_refuse(
			f, NULL, "the path is no folder, or is a symbolic link", err);
	error_errno(err, -errno, "make the folder %s", f->path);
	return propose_other_folder(f, false, err);
}

/* Finds the default: a folder that must exist, and the path to make below it. */
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
	return propose_other_folder(f, false, err);
}

static const char *set_path(struct user_folder *f, const char *path)
{
	const char *slash;
	size_t size;

	snprintf(f->path, sizeof(f->path), "%s", path);
	for (size = strlen(f->path); size > 1 && f->path[size - 1] == '/'; size--)
		f->path[size - 1] = '\0';
	slash = strrchr(f->path, '/');
	return slash ? slash + 1 : f->path;
}

/* Opens the folder that must exist; as root only one that no other user can exchange. */
static int open_base(
	struct user_folder *f, const char *path, const char **below, struct sooth_error *err)
{
	struct trust trust = invoker_trust(); /* f->uid is that of root or of the user of sudo */
	const char *base;
	int status = 0;

	if (path) {
		*below = set_path(f, path);
		f->fd = trusted_open_parent(&trust, f->path, NULL, err);
	} else {
		status = find_default(f, &base, below, err);
		if (status)
			return status;
		snprintf(f->path, sizeof(f->path), "%s/%s", base, *below);
		f->fd = trusted_open(&trust, base, O_DIRECTORY, NULL, err);
	}
	if (f->fd == -EPERM)
		return err->remedy[0] ? -EPERM : propose_other_folder(f, false, err);
	errno = f->fd < 0 ? -f->fd : 0;
	return f->fd < 0 ? refuse_folder(f, err) : 0;
}

int user_folder_default(struct user_folder *f, struct sooth_error *err)
{
	const char *below;
	int status = open_base(f, NULL, &below, err);

	user_folder_close(f);
	return status;
}

/* Opens the path below, making each missing folder; none may be a link. */
static int open_below(int at, const char *below)
{
	while (at >= 0 && *below) {
		size_t size = strcspn(below, "/");
		char name[NAME_MAX + 1];
		int next;

		snprintf(name, sizeof(name), "%.*s", (int)size, below);
		next = open_or_make(at, name);
		close(at);
		at = next;
		below += size + (below[size] == '/');
	}
	return at;
}

static int open_and_check_folder(struct user_folder *f, const char *below, struct sooth_error *err)
{
	f->fd = open_below(f->fd, below);
	return f->fd < 0 ? refuse_folder(f, err) : check_folder(f, f->fd, err);
}

static int lock_folder(struct user_folder *f, struct sooth_error *err)
{
	if (!flock(f->fd, LOCK_EX | LOCK_NB))
		return 0;
	error_set(err, -EBUSY, SOOTH_FAULT_USAGE, "write into %s", f->path);
	error_why(err, "another monitor does");
	return propose_other_folder(f, true, err);
}

void user_folder_set(struct user_folder *f, const struct user_folder_kind *kind)
{
	gid_t ignored;

	assert(f);
	*f = (struct user_folder){ .fd = -1, .uid = getuid(), .kind = kind };
	invoker_find(&f->uid, &ignored);
}

int user_folder_make(struct user_folder *f, const struct user_folder_kind *kind, const char *path,
	struct sooth_error *err)
{
	const char *below;
	int status;

	user_folder_set(f, kind);
	status = open_base(f, path, &below, err);
	if (!status)
		status = user_folder_enter(f, err);
	if (!status) {
		status = open_and_check_folder(f, below, err);
		user_folder_leave(f);
	}
	if (status)
		user_folder_close(f);
	return status;
}

int user_folder_open(struct user_folder *f, const struct user_folder_kind *kind, const char *path,
	struct sooth_error *err)
{
	int status = user_folder_make(f, kind, path, err);

	if (!status)
		status = lock_folder(f, err);
	if (status)
		user_folder_close(f);
	return status;
}

bool user_folder_is_there(struct user_folder *f)
{
	struct stat here, there;
	struct sooth_error ignored;
	bool is_there;

	assert(f);
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
	assert(f);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
