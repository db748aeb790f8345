/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The git working tree of a process. It goes up from directory to directory by descriptors: so it
 * works in any mount namespace, and through directories without a path here. The reported path is
 * that of /proc/PID/cwd, shortened by a component with each step.
 */
#include "os/linux/files/work_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/files/procfs.h"

#define LEVELS_MAX 128

static bool is_same(int a, int b)
{
	struct stat first, second;

	return !fstat(a, &first) && !fstat(b, &second) && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* .git is a directory, or a file in a linked working tree or a submodule
 * (gitrepository-layout(5)). */
static bool has_git(int folder)
{
	struct stat st;

	return !fstatat(folder, ".git", &st, AT_SYMLINK_NOFOLLOW) &&
	       (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode));
}

/* False when nothing of the path is left. */
static bool cut_last(struct buffer *path)
{
	const unsigned char *slash = path->size ? memrchr(path->data, '/', path->size) : NULL;

	if (!slash || path->size == 1)
		return false;
	path->size = slash == path->data ? 1 : (size_t)(slash - path->data);
	return true;
}

int work_tree_find(struct buffer *out, int process)
{
	_cleanup_close_ int top = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int folder = openat(process, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status;

	if (folder < 0 || top < 0)
		return -errno;
	status = procfs_link_at(process, "cwd", out);
	if (status)
		return status;
	/* For a removed directory, or one outside of the process's root, the text is not a path. */
	if (!out->size || out->data[0] != '/' ||
		span_ends(span_of((const char *)out->data, out->size), " (deleted)"))
		return -ENOENT;
	for (int i = 0; i < LEVELS_MAX; i++) {
		int above;

		if (has_git(folder))
			return 0;
		if (is_same(folder, top) || !cut_last(out))
			return -ENOENT;
		above = openat(folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (above < 0)
			return -errno;
		close(folder);
		folder = above;
	}
	return -ENOENT;
}
