/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files of the user. */
#include "cli/config/config_files.h"

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
#include "cli/command/command.h"
#include "cli/rights/invoker.h"

#define ROOTS_HOME "/root"

/* Returns the variable's folder; sets *below to the path below it. */
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

/* Returns the folder that sooth writes to, so root never gets the folder of a user. */
const char *config_cache_folder(void)
{
	static char path[PATH_MAX];
	const char *below, *base = folder_of("XDG_CACHE_HOME", "/.cache", &below);
	struct trust trust = invoker_trust();
	int size;

	trust.user = 0;
	if (trust.is_checked && (!base || !trusted_is_place(&trust, base))) {
		base = ROOTS_HOME;
		below = "/.cache";
	}
	size = base ? snprintf(path, sizeof(path), "%s%s/sooth", base, below) : 0;
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
	return code == ENOENT || code == ENOTDIR || code == EACCES;
}

static int open_file(const char *path, int flags, uid_t *owner, struct sooth_error *err)
{
	struct trust trust = invoker_trust();
	int fd = trusted_open(&trust, path, flags, owner, err);

	if (fd == -EPERM && !err->remedy[0])
		error_remedy(err, "env -u XDG_CONFIG_HOME HOME=" ROOTS_HOME " sooth");
	return fd;
}

static int read_file(
	struct buffer *out, int fd, const char *path, size_t limit, struct sooth_error *err)
{
	ssize_t got;

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

int config_read(
	struct buffer *out, const char *path, size_t limit, uid_t *owner, struct sooth_error *err)
{
	_cleanup_close_ int fd = open_file(path, 0, owner, err);

	assert(out);
	return fd < 0 ? fd : read_file(out, fd, path, limit, err);
}

int config_read_secret(struct buffer *out, const char *path, size_t limit, struct sooth_error *err)
{
	_cleanup_close_ int fd = open_file(path, 0, NULL, err);
	struct stat st;

	assert(out);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return error_errno(err, -errno, "read %s", path);
	if (!(st.st_mode & (S_IRWXG | S_IRWXO)) && (!st.st_uid || st.st_uid == geteuid()))
		return read_file(out, fd, path, limit, err);
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "read the secret in %s", path);
	error_why(err, "other users can read it, or it is another user's");
	return error_remedy(err, "chmod 600 %s, as its owner", path);
}

/* Reports a refused file. A missing file is not reported: HOME without a file is no
 * configuration. */
static void report_refusal(const char *path, const struct sooth_error *err)
{
	static char reported[sizeof(err->why)];
	struct stat st;

	if (lstat(path, &st) || !strcmp(reported, err->why))
		return;
	memcpy(reported, err->why, sizeof(reported));
	command_print_error(err);
}

int config_file_read(struct config_file *f, const char *name, size_t limit, struct sooth_error *err)
{
	uid_t owner;
	int status;

	assert(f);
	*f = (struct config_file){ 0 };
	config_path(&f->path, name);
	if (!f->path.size)
		return 0;
	status = config_read(&f->text, buffer_cstr(&f->path), limit, &owner, err);
	f->is_there = !status;
	f->is_users = owner != geteuid();
	if (status == -EPERM)
		report_refusal(buffer_cstr(&f->path), err);
	return status == -EPERM || config_is_missing(-status) ? 0 : status;
}

void config_file_fini(struct config_file *f)
{
	assert(f);
	buffer_fini(&f->path);
	buffer_fini(&f->text);
}

bool config_refuses_folder(const char *path, struct sooth_error *err)
{
	_cleanup_close_ int fd = open_file(path, O_DIRECTORY, NULL, err);
	struct stat st;

	return fd == -EPERM && !lstat(path, &st);
}
