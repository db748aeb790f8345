/* SPDX-License-Identifier: BSD-2-Clause */
/* See same_file.h. */
#include "base/same_file.h"

#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* The place of a name: its folder, and the name in that folder. */
struct place {
	struct stat folder;
	const char *name;
};

static bool find_place(const char *path, struct place *p)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : NULL;

	p->name = slash ? slash + 1 : path;
	return *p->name && (folder || !slash) && !stat(slash ? folder : ".", &p->folder);
}

static bool is_same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_same_place(const char *a, const char *b)
{
	struct place x, y;

	return find_place(a, &x) && find_place(b, &y) && !strcmp(x.name, y.name) &&
	       is_same_inode(&x.folder, &y.folder);
}

bool file_is_same(const char *a, const char *b)
{
	struct stat x, y;
	bool has_a = !stat(a, &x), has_b = !stat(b, &y);

	if (has_a && has_b)
		return S_ISREG(x.st_mode) && is_same_inode(&x, &y);
	return !has_a && !has_b && is_same_place(a, b);
}

bool file_is_open_as(const char *path, int fd)
{
	struct stat x, y;

	return !stat(path, &x) && !fstat(fd, &y) && S_ISREG(x.st_mode) && is_same_inode(&x, &y);
}
