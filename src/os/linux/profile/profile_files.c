/* SPDX-License-Identifier: BSD-2-Clause */
/* Sampled files. */
#include "os/linux/profile/profile_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/root_file.h"
#include "os/linux/files/timed_open.h"
#include "os/linux/profile/unwind_file.h"

#define OPEN_MS	  1000
#define AHEAD_MAX 256 /* mappings of a process that are examined before a sample */

void profile_files_init(struct profile_files *f)
{
	map_init(&f->by_key, sizeof(uint64_t), sizeof(struct profile_known), PROFILE_FILES_MAX);
	f->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void profile_files_fini(struct profile_files *f)
{
	map_for_each_value (&f->by_key, struct profile_known *, known) {
		cleanup_close(&known->fd);
		cleanup_close(&known->root);
		parser_close(&known->rows);
		free(known->path);
	}
	map_fini(&f->by_key);
	timeout_fini(&f->timeout);
	cleanup_close(&f->root);
	debuginfod_fini(&f->debuginfod);
}

/* Finds the line of the mapping that was sampled. */
static bool find_line(struct buffer *bytes, const struct profile_seen *seen, struct maps_line *line)
{
	maps_for_each (line, *bytes) {
		if (line->from <= seen->from && seen->from < line->to)
			return line->is_executable && line->inode && line->path.size;
	}
	return false;
}

/* Opens the root of a process in a container: its debug files are there. */
static int open_root(const struct profile_files *f, int process)
{
	int root = root_open(process);
	struct stat own, other;

	if (root >= 0 && !fstat(f->root, &own) && !fstat(root, &other) &&
		own.st_dev == other.st_dev && own.st_ino == other.st_ino) {
		close(root);
		root = -1;
	}
	return root;
}

static void open_line_of(struct profile_files *f, struct profile_known *known, int process,
	const struct maps_line *line)
{
	free(known->path);
	known->path = strndup(line->path.data, line->path.size);
	known->fd = timed_open_mapped(&f->timeout, process, line, OPEN_MS);
	cleanup_close(&known->root);
	known->root = open_root(f, process);
}

static void open_mapped(
	struct profile_files *f, struct profile_known *known, const struct profile_seen *seen)
{
	_cleanup_close_ int process = procfs_open(procfs_living((pid_t)seen->record.pid));
	struct buffer bytes = { 0 };
	struct maps_line line;

	if (process >= 0 &&
		timeout_read_at(&f->timeout, process, "maps", &bytes, PROCFS_MAPS, OPEN_MS) >= 0 &&
		find_line(&bytes, seen, &line))
		open_line_of(f, known, process, &line);
	buffer_fini(&bytes);
}

/* Opens the vDSO of sooth: it is the same code in every process. */
static void open_vdso(struct profile_known *known)
{
	free(known->path);
	known->path = strdup("[vdso]");
	known->fd = unwind_file_vdso();
}

struct profile_known *profile_files_open(struct profile_files *f, const struct profile_seen *seen)
{
	assert(f);
	assert(seen);

	bool is_new;
	struct profile_known *known = map_put(&f->by_key, &seen->file, &is_new);

	if (!known)
		return NULL;
	if (is_new) {
		known->fd = known->root = known->rows = -1;
		known->path = strndup(seen->name, sizeof(seen->name));
	}
	known->tries++;
	if (known->fd < 0 && seen->file == PROFILE_FILE_VDSO)
		open_vdso(known);
	else if (known->fd < 0)
		open_mapped(f, known, seen);
	return known;
}

static bool is_seen_file(int fd, const struct profile_seen *seen)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_ino == seen->inode &&
	       major(st.st_dev) == seen->device_major && minor(st.st_dev) == seen->device_minor;
}

void profile_files_open_path(
	struct profile_files *f, const struct profile_seen *seen, const char *path)
{
	struct profile_known *known = map_get(&f->by_key, &seen->file);
	int fd;

	if (!known || known->fd >= 0 || path[0] != '/')
		return;
	fd = timed_open_regular(&f->timeout, f->root, path, OPEN_MS);
	if (fd < 0)
		return;
	if (!is_seen_file(fd, seen)) {
		close(fd);
		return;
	}
	known->fd = fd;
	free(known->path);
	known->path = strdup(path);
}

static bool is_file_name_of(struct span path, const char *const *names)
{
	struct span name = path_base(path);

	for (; names && *names; names++) {
		if (span_starts(name, *names))
			return true;
	}
	return !names;
}

static void open_mapped_file(
	struct profile_files *f, int process, const struct maps_line *line, struct buffer *keys)
{
	uint64_t device = (uint64_t)line->device_major << PROFILE_MINOR_BITS | line->device_minor;
	uint64_t key = profile_file_key(device, line->inode);
	bool is_new;
	struct profile_known *known = map_put(&f->by_key, &key, &is_new);

	if (!known || !is_new)
		return;
	known->fd = known->root = known->rows = -1;
	open_line_of(f, known, process, line);
	if (known->fd >= 0)
		buffer_append(keys, &key, sizeof(key));
}

void profile_files_open_ahead(
	struct profile_files *f, pid_t pid, const char *const *names, struct buffer *keys)
{
	_cleanup_close_ int process = procfs_open(procfs_living(pid));
	struct buffer bytes = { 0 };
	struct maps_line line;

	if (process >= 0 &&
		timeout_read_at(&f->timeout, process, "maps", &bytes, PROCFS_MAPS, OPEN_MS) >= 0) {
		struct cursor c = cursor_over(bytes.data, bytes.size);

		for (int i = 0; !cursor_at_end(&c) && i < AHEAD_MAX; i++) {
			if (maps_parse(cursor_line(&c), &line) && line.is_executable &&
				line.inode && line.path.size && is_file_name_of(line.path, names))
				open_mapped_file(f, process, &line, keys);
		}
	}
	buffer_fini(&bytes);
}

struct profile_known *profile_files_get(const struct profile_files *f, uint64_t key)
{
	assert(f);
	return map_get(&f->by_key, &key);
}

int profile_files_names(
	struct profile_files *f, struct profile_known *file, struct file_names *names)
{
	int status = file->fd < 0 ? -ENOENT
				  : profile_names(&f->timeout, file->fd, names, &file->identity);
	bool is_missing = false;

	for (size_t i = 0; i < names->count && !status; i++)
		is_missing |= names->addresses[i].is_linked &&
			      (!names->addresses[i].is_found ||
				      (names->has_lines && !names->lines[i].is_found));
	if (!is_missing)
		return status;
	if ((file->root >= 0 && debug_file_names(&f->timeout, file->root, file->path,
					&file->identity, names)) ||
		debug_file_names(&f->timeout, f->root, file->path, &file->identity, names))
		return 0;
	debuginfod_names(&f->debuginfod, &f->timeout, &file->identity, names);
	return 0;
}
