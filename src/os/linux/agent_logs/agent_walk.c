/* SPDX-License-Identifier: BSD-2-Clause */
/* Expands a pattern. */
#include "os/linux/agent_logs/agent_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/linux/files/root_file.h"

#define NAMES_MAX 8192 /* in all folders together */
#define PATH_SIZE 2048
#define PROJECT	  "{project}"

struct place {
	char path[PATH_SIZE];
	size_t size;
};

/* Returns 1: go on, 0: enough; or a negative errno. */
static int walk_on(struct agent_walk *walk, struct place *at, struct span pattern);

static bool append_name(struct place *at, const char *name, size_t size)
{
	if (size + 2 > PATH_SIZE - at->size)
		return false;
	at->path[at->size++] = '/';
	memcpy(at->path + at->size, name, size);
	at->size += size;
	at->path[at->size] = '\0';
	return true;
}

static void cut_path(struct place *at, size_t size)
{
	at->size = size;
	at->path[size] = '\0';
}

/* Whether the folder's file names the process's working directory. */
static bool is_project(const struct agent_walk *walk, struct place *at)
{
	struct span directory = walk->values->directory;
	struct buffer bytes = { 0 };
	size_t before = at->size;
	bool is_it = false;
	struct stat st;

	if (append_name(at, walk->project_file, strlen(walk->project_file)) &&
		!root_file_whole(walk->root, at->path, &bytes, PATH_SIZE, &st)) {
		while (bytes.size && strchr("\r\n", bytes.data[bytes.size - 1]))
			bytes.size--;
		is_it = bytes.size && bytes.size == directory.size &&
			!memcmp(bytes.data, directory.data, bytes.size);
	}
	cut_path(at, before);
	buffer_fini(&bytes);
	return is_it;
}

static int visit_file(struct agent_walk *walk, const struct place *at)
{
	_cleanup_close_ int fd = root_file_open(walk->root, at->path, O_PATH | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 1 : fd;
	if (fstat(fd, &st))
		return -errno;
	return !S_ISREG(st.st_mode) || walk->visit(walk->user, at->path, &st);
}

static int enter_name(struct agent_walk *walk, struct place *at, struct span name, struct span rest)
{
	size_t before = at->size;
	int status = 1;

	if (append_name(at, name.data, name.size))
		status = rest.size ? walk_on(walk, at, rest) : visit_file(walk, at);
	cut_path(at, before);
	return status;
}

/* Searches for a name with wildcards: compares it with every entry of the folder. */
static int search_folder(
	struct agent_walk *walk, struct place *at, struct span name, struct span rest)
{
	int fd = root_file_open(walk->root, at->path, O_RDONLY | O_DIRECTORY), status = 1;
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 1 : fd;
	for (struct dirent *entry; status == 1 && dir && (entry = readdir(dir));) {
		struct span found = span_of(entry->d_name, strlen(entry->d_name));
		size_t before = at->size;

		if (walk->seen++ == NAMES_MAX)
			return -E2BIG;
		if (walk->end_cpu_ns && clock_ns(CLOCK_THREAD_CPUTIME_ID) >= walk->end_cpu_ns)
			return -EDQUOT;
		if (span_equal(found, ".") || span_equal(found, "..") ||
			!agent_path_match(name, found, walk->values, NULL))
			continue;
		if (span_equal(name, PROJECT)) {
			if (!append_name(at, found.data, found.size))
				continue;
			if (!is_project(walk, at))
				found.size = 0;
			cut_path(at, before);
		}
		if (found.size)
			status = enter_name(walk, at, found, rest);
	}
	return status;
}

static int walk_on(struct agent_walk *walk, struct place *at, struct span pattern)
{
	struct span name = agent_path_next(&pattern);
	char one[AGENT_NAME_MAX + 1];

	if (agent_path_expand(one, sizeof(one), name, walk->values))
		return enter_name(walk, at, span_of(one, strlen(one)), pattern);
	return search_folder(walk, at, name, pattern);
}

int agent_walk(struct agent_walk *walk, const char *home, const char *pattern)
{
	struct place at = { .size = 0 };
	int status;

	if (strlen(home) >= PATH_SIZE)
		return -ENAMETOOLONG;
	strcpy(at.path, home);
	at.size = strlen(home);
	status = walk_on(walk, &at, span_of(pattern, strlen(pattern)));
	return status > 0 ? 0 : status;
}
