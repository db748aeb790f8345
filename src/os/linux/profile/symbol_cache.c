/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded folder of files that can be made or fetched again. */
#include "os/linux/profile/symbol_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ENTRIES_MAX  65536
#define UNFINISHED_S 3600 /* no write takes that long */
#define BLOCK	     512  /* of st_blocks */
#define LEAST_BYTES                                                                                \
	4096 /* least size that a file counts with, even if its file system reports less */

/* --- the folder --- */

/* Makes the folder and the one above it, as the first program that stores a file there does. */
static void make_folder(const char *folder)
{
	_cleanup_free_ char *above = strdup(folder);
	char *slash = above ? strrchr(above, '/') : NULL;

	if (slash && slash > above) {
		*slash = '\0';
		mkdir(above, 0700);
	}
	mkdir(folder, 0700);
}

static bool is_own_file(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

int symbol_cache_open(const char *folder, bool is_made)
{
	struct stat st;
	int fd;

	if (!folder)
		return -1;
	if (is_made)
		make_folder(folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fd;
	if (!fstat(fd, &st) && is_own_file(&st))
		return fd;
	close(fd);
	return -1;
}

static bool is_build_id(const char *text, size_t size)
{
	return size && size <= SYMBOL_CACHE_ID && strspn(text, "0123456789abcdef") >= size;
}

bool symbol_cache_name(char name[SYMBOL_CACHE_NAME], const char *kind, const char *build_id)
{
	if (!is_build_id(build_id, strlen(build_id)))
		return false;
	return snprintf(name, SYMBOL_CACHE_NAME, "%s-%s", kind, build_id) < SYMBOL_CACHE_NAME;
}

/* --- a file --- */

int symbol_cache_get(int directory, const char *name)
{
	int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (file < 0)
		return file;
	if (!fstat(file, &st) && S_ISREG(st.st_mode) && is_own_file(&st)) {
		futimens(file, NULL);
		return file;
	}
	close(file);
	return -1;
}

int symbol_cache_begin(int directory, const char *name, char part[SYMBOL_CACHE_PART])
{
	uint32_t number; /* random, not the PID: another PID namespace may have the same */

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -1;
	snprintf(part, SYMBOL_CACHE_PART, ".%s-%08x", name, number);
	return openat(directory, part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

bool symbol_cache_end(int directory, const char *name, const char *part, bool is_whole)
{
	if (is_whole && !renameat(directory, part, directory, name))
		return true;
	unlinkat(directory, part, 0);
	return false;
}

/* --- the bound --- */

struct entry {
	char name[SYMBOL_CACHE_NAME];
	uint64_t bytes;
	struct timespec used;
};

struct entries {
	struct entry *all;
	size_t count, room;
	uint64_t bytes;
};

static bool is_of_kind(const char *name, const char *kind)
{
	size_t size = strlen(kind);

	return !strncmp(name, kind, size) && name[size] == '-' &&
	       is_build_id(name + size + 1, strlen(name + size + 1));
}

/* Returns whether a file is unfinished, by its name: ".jsc-ID-0123abcd". */
static bool is_unfinished(const char *name, const char *kind, const struct stat *st)
{
	const char *id = name + 1 + strlen(kind) + 1, *dash;
	struct timespec now;

	if (name[0] != '.' || strncmp(name + 1, kind, strlen(kind)) || id[-1] != '-')
		return false;
	dash = strchr(id, '-');
	if (!dash || !is_build_id(id, (size_t)(dash - id)) || strlen(dash + 1) != 8 ||
		!is_build_id(dash + 1, 8))
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	return st->st_mtim.tv_sec + UNFINISHED_S < now.tv_sec;
}

static void put_entry(struct entries *e, const char *name, const struct stat *st)
{
	uint64_t blocks = (uint64_t)st->st_blocks * BLOCK, bytes = (uint64_t)st->st_size;
	struct entry *more;

	if (e->count == e->room) {
		e->room = e->room ? 2 * e->room : 64;
		more = e->room <= ENTRIES_MAX ? realloc(e->all, e->room * sizeof(*more)) : NULL;
		if (!more) {
			e->room = e->count;
			return;
		}
		e->all = more;
	}
	bytes = bytes > blocks ? bytes : blocks;
	bytes = bytes > LEAST_BYTES ? bytes : LEAST_BYTES;
	e->all[e->count] = (struct entry){ .bytes = bytes, .used = st->st_mtim };
	strcpy(e->all[e->count++].name, name);
	e->bytes += bytes;
}

static void list_files(struct entries *e, int directory, const char *kind)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *one;
	struct stat st;

	if (!folder) {
		cleanup_close(&fd);
		return;
	}
	while ((one = readdir(folder))) {
		if (fstatat(directory, one->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
			!S_ISREG(st.st_mode) || st.st_uid != geteuid())
			continue;
		if (is_of_kind(one->d_name, kind))
			put_entry(e, one->d_name, &st);
		else if (is_unfinished(one->d_name, kind, &st))
			unlinkat(directory, one->d_name, 0);
	}
}

static int compare_by_use(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->used,
			      *y = &((const struct entry *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

void symbol_cache_trim(int directory, const char *kind, uint64_t bytes_max)
{
	struct entries e = { 0 };

	list_files(&e, directory, kind);
	if (e.bytes > bytes_max)
		qsort(e.all, e.count, sizeof(*e.all), compare_by_use);
	for (size_t i = 0; i < e.count && e.bytes > bytes_max; i++) {
		unlinkat(directory, e.all[i].name, 0);
		e.bytes -= e.all[i].bytes;
	}
	free(e.all);
}
