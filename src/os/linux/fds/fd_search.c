/* SPDX-License-Identifier: BSD-2-Clause */
/* A search by inode, breadth first: watched directories are usually near the top. */
#include "os/linux/fds/fd_search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/units.h"

#define SELECTED_MAX 262144
#define ENTRIES_MAX  300000
#define QUEUE_BYTES  (16u << 20)

struct sought {
	uint32_t offset, size; /* of its path; size 0: not found */
};

struct fd_search {
	int process;
	struct buffer queue; /* paths of directories to read, each ended by a NUL */
	struct map targets;  /* path_aim -> sought */
	struct map devices;  /* their devices: path_aim of inode 0 */
	struct buffer paths;
	size_t left; /* of those to find */
	uint64_t entries;
};

struct fd_search *fd_search_new(int process, const struct buffer *roots)
{
	struct fd_search *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->process = fcntl(process, F_DUPFD_CLOEXEC, 0);
	s->queue.limit = QUEUE_BYTES;
	buffer_append(&s->queue, roots->data, roots->size);
	map_init(&s->targets, sizeof(struct path_aim), sizeof(struct sought), SELECTED_MAX);
	map_init(&s->devices, sizeof(struct path_aim), 0, SELECTED_MAX);
	return s;
}

int fd_search_descriptor(const struct fd_search *s)
{
	return s->process;
}

void fd_search_free(struct fd_search *s)
{
	if (!s)
		return;
	cleanup_close(&s->process);
	buffer_fini(&s->queue);
	buffer_fini(&s->paths);
	map_fini(&s->targets);
	map_fini(&s->devices);
	free(s);
}

void fd_search_add(struct fd_search *s, const struct path_aim *aim)
{
	struct path_aim device = *aim;
	bool is_new = false;

	device.inode = 0;
	map_put(&s->devices, &device, NULL);
	if (map_put(&s->targets, aim, &is_new) && is_new)
		s->left++;
}

bool fd_search_get(const struct fd_search *s, const struct path_aim *aim, struct span *path)
{
	const struct sought *sought = map_get(&s->targets, aim);

	if (!sought || !sought->size)
		return false;
	*path = span_of((const char *)s->paths.data + sought->offset, sought->size);
	return true;
}

static struct path_aim aim_of(const struct stat *st)
{
	return (struct path_aim){ st->st_ino, major(st->st_dev), minor(st->st_dev) };
}

static void check(
	struct fd_search *s, const struct path_aim *aim, const char *directory, const char *name)
{
	struct sought *sought = map_get(&s->targets, aim);

	if (!sought || sought->size)
		return;
	sought->offset = (uint32_t)s->paths.size;
	buffer_string(&s->paths, directory);
	if (name) {
		if (strcmp(directory, "/") != 0)
			buffer_char(&s->paths, '/');
		buffer_string(&s->paths, name);
	}
	sought->size = (uint32_t)s->paths.size - sought->offset;
	s->left--;
}

static void push(struct fd_search *s, const char *directory, const char *name)
{
	size_t needed = strlen(directory) + strlen(name) + 2;

	if (s->queue.size + needed > QUEUE_BYTES)
		return;
	buffer_string(&s->queue, directory);
	if (strcmp(directory, "/") != 0)
		buffer_char(&s->queue, '/');
	buffer_string(&s->queue, name);
	buffer_char(&s->queue, '\0');
}

/* The inode of the directory entry is checked with the file itself before it counts. */
static void check_entry(struct fd_search *s, int fd, const struct path_aim *here,
	const char *directory, const struct dirent *entry)
{
	struct path_aim aim = *here;
	struct stat st;

	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return;
	aim.inode = entry->d_ino;
	if (map_get(&s->targets, &aim) &&
		!fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)) {
		aim = aim_of(&st);
		check(s, &aim, directory, entry->d_name);
	}
	if (entry->d_type == DT_DIR)
		push(s, directory, entry->d_name);
}

/* The path is in the queue, whose memory may move while it grows. */
static void read_directory(struct fd_search *s, const char *path)
{
	_cleanup_free_ char *name = NULL;
	const char *directory;
	_cleanup_dir_ DIR *dir = NULL;
	struct path_aim here, device;
	struct dirent *entry;
	struct stat st;
	int fd;

	if (asprintf(&name, "root%s", path) < 0) {
		name = NULL;
		return;
	}
	directory = name + strlen("root");
	fd = openat(s->process, name,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir || fstat(fd, &st)) {
		if (!dir)
			close(fd);
		return;
	}
	here = device = aim_of(&st);
	device.inode = 0;
	if (!map_get(&s->devices, &device))
		return;
	check(s, &here, directory, NULL);
	while (s->left && s->entries < ENTRIES_MAX && (entry = readdir(dir))) {
		s->entries++;
		check_entry(s, fd, &here, directory, entry);
	}
}

void fd_search_do(void *argument)
{
	struct fd_search *s = *(struct fd_search **)argument;
	uint64_t deadline_ns = clock_monotonic_ns() + FD_SEARCH_MS * NS_PER_MS;

	for (size_t at = 0; at < s->queue.size && s->left && s->entries < ENTRIES_MAX;) {
		size_t size = strlen((const char *)s->queue.data + at) + 1;

		if (clock_monotonic_ns() > deadline_ns || buffer_failed(&s->queue))
			return;
		read_directory(s, (const char *)s->queue.data + at);
		at += size;
	}
}

void fd_search_drop(void *argument)
{
	fd_search_free(*(struct fd_search **)argument);
}
