/* SPDX-License-Identifier: BSD-2-Clause */
/* inotify watches of a process and their paths. */
#include "os/linux/fds/fd_watches.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/units.h"
#include "os/linux/files/path_lookup.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timed_open.h"

/* --- fd search --- */

/* Finds files by inode below some directories, with limits on time and entries. Directories are
 * read without updating their access time (O_NOATIME), which only their owner may: others are
 * skipped. Made for timeout_call(): it owns everything it uses. */

#define FD_SEARCH_MS 500

struct fd_search;

#define SELECTED_MAX 262144
#define ENTRIES_MAX  300000
#define QUEUE_BYTES  (16u << 20)

struct sought {
	uint32_t offset, size; /* position and size of the path; size 0: not found */
};

struct fd_search {
	int process;
	struct buffer queue; /* paths of directories to read, each ended by a NUL */
	struct map targets;  /* path_aim -> sought */
	struct map devices;  /* devices of the watches: path_aim of inode 0 */
	struct buffer paths;
	size_t left; /* number of paths still to find */
	uint64_t entries;
};

/* Makes a search below these paths (each ended by a NUL) in the root of the process. */
static struct fd_search *fd_search_new(int process, const struct buffer *roots)
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

/* Returns the only descriptor that the search needs. */
static int fd_search_descriptor(const struct fd_search *s)
{
	return s->process;
}

static void fd_search_free(struct fd_search *s)
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

static void fd_search_add(struct fd_search *s, const struct path_aim *aim)
{
	struct path_aim device = *aim;
	bool is_new = false;

	device.inode = 0;
	map_put(&s->devices, &device, NULL);
	if (map_put(&s->targets, aim, &is_new) && is_new)
		s->left++;
}

/* Returns the path of the file, if it was found; borrowed. */
static bool fd_search_get(const struct fd_search *s, const struct path_aim *aim, struct span *path)
{
	const struct sought *sought = map_get(&s->targets, aim);

	if (!sought || !sought->size)
		return false;
	*path = span_of((const char *)s->paths.data + sought->offset, sought->size);
	return true;
}

static struct path_aim file_identity_of(const struct stat *st)
{
	return (struct path_aim){ st->st_ino, major(st->st_dev), minor(st->st_dev) };
}

static void check_path(
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

static void push_directory(struct fd_search *s, const char *directory, const char *name)
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

/* Checks an entry: its inode is compared with the file itself before it counts. */
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
		aim = file_identity_of(&st);
		check_path(s, &aim, directory, entry->d_name);
	}
	if (entry->d_type == DT_DIR)
		push_directory(s, directory, entry->d_name);
}

/* Reads a directory. Its path is in the queue, whose memory may move while it grows. */
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
	here = device = file_identity_of(&st);
	device.inode = 0;
	if (!map_get(&s->devices, &device))
		return;
	check_path(s, &here, directory, NULL);
	while (s->left && s->entries < ENTRIES_MAX && (entry = readdir(dir))) {
		s->entries++;
		check_entry(s, fd, &here, directory, entry);
	}
}

/* Runs a search, for timeout_call(): the argument is a pointer to a struct fd_search pointer. */
static void fd_search_do(void *argument)
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

static void fd_search_drop(void *argument)
{
	fd_search_free(*(struct fd_search **)argument);
}

/* --- fd watches --- */

#define RESOLVE_NS_MAX	  (1000 * NS_PER_MS) /* time for the lookup of all handles */
#define MOUNTS_TRIED	  4		     /* per device */
#define DEVICES_MAX	  64
#define ROOTS_MAX	  64
#define SEARCH_TIMEOUT_MS (FD_SEARCH_MS + TIMEOUT_MS)

struct fd_watch {
	uint64_t inode;
	uint32_t fd, watch, mask;
	uint32_t device_major, device_minor;
	uint32_t path_offset, path_size;
	uint8_t state;
	bool has_handle;
	uint32_t handle_type, handle_bytes;
	unsigned char handle[FDINFO_HANDLE_MAX];
};

void fd_watches_init(struct fd_watches *w)
{
	*w = (struct fd_watches){ 0 };
}

void fd_watches_fini(struct fd_watches *w)
{
	buffer_fini(&w->list);
	buffer_fini(&w->roots);
	buffer_fini(&w->paths);
}

void fd_watches_clear(struct fd_watches *w)
{
	buffer_reset(&w->list);
	buffer_reset(&w->roots);
	buffer_reset(&w->paths);
	w->roots_count = 0;
	w->left_out = 0;
}

static struct fd_watch *all_of(const struct fd_watches *w, size_t *count)
{
	*count = w->list.size / sizeof(struct fd_watch);
	return (void *)w->list.data;
}

void fd_watches_add(struct fd_watches *w, uint32_t fd, const struct fdinfo_watch *from)
{
	struct fd_watch watch = { .inode = from->inode,
		.fd = fd,
		.watch = from->watch,
		.mask = from->mask,
		.device_major = from->device_major,
		.device_minor = from->device_minor,
		.state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED),
		.has_handle = from->has_handle,
		.handle_type = from->handle_type,
		.handle_bytes = from->handle_bytes };

	if (fd_watches_count(w) >= WATCHES_MAX) {
		w->left_out++;
		return;
	}
	memcpy(watch.handle, from->handle, sizeof(watch.handle));
	buffer_append(&w->list, &watch, sizeof(watch));
}

void fd_watches_add_root(struct fd_watches *w, struct span path)
{
	if (w->roots_count >= ROOTS_MAX || !path.size || path.data[0] != '/')
		return;
	w->roots_count++;
	buffer_append(&w->roots, path.data, path.size);
	buffer_char(&w->roots, '\0');
}

size_t fd_watches_count(const struct fd_watches *w)
{
	return w->list.size / sizeof(struct fd_watch);
}

static void set_watch_path(struct fd_watches *w, struct fd_watch *watch, struct span path)
{
	watch->state = SOOTH_STATE_VALUE;
	watch->path_offset = (uint32_t)w->paths.size;
	watch->path_size = (uint32_t)path.size;
	buffer_append(&w->paths, path.data, path.size);
}

/* --- by file handle --- */

#define MOUNT_FLAGS (O_RDONLY | O_DIRECTORY | O_NOCTTY)

/* Opens a mount point; the directories above it may be on any file system. */
static int open_mount(struct timeout *timeout, int process, struct span point)
{
	char path[PATH_MAX + 8] = "root";

	if (point.size > PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path + 4, point.data, point.size);
	path[4 + point.size] = '\0';
	return timed_open(timeout, process, path, MOUNT_FLAGS, TIMEOUT_MS);
}

/* A file system and descriptors of mounts of it. */
struct device {
	uint32_t major, minor;
	int mounts[MOUNTS_TRIED];
	unsigned count;
};

struct resolving {
	struct fd_watches *watches;
	struct timeout *timeout;
	const struct mounts *mounts;
	int process;
	struct device devices[DEVICES_MAX];
	unsigned device_count;
	struct buffer path;
	bool is_refused; /* opening by handle is refused for every file */
};

/* Opens mounts, those of the whole file system first: a bind mount has no path for files outside of
 * it. */
static void open_mounts(struct resolving *r, struct device *d)
{
	for (int whole = 1; whole >= 0; whole--) {
		size_t position = 0;
		void *value;

		while (d->count < MOUNTS_TRIED &&
			map_next(&r->mounts->by_id, &position, NULL, &value)) {
			const struct mount *m = value;
			int fd;

			if (m->device_major != d->major || m->device_minor != d->minor ||
				m->may_block || m->is_whole != (whole != 0))
				continue;
			fd = open_mount(r->timeout, r->process, mounts_point(r->mounts, m));
			if (fd >= 0)
				d->mounts[d->count++] = fd;
		}
	}
}

static struct device *device_of(struct resolving *r, const struct fd_watch *watch)
{
	struct device *d;

	for (unsigned i = 0; i < r->device_count; i++) {
		d = &r->devices[i];
		if (d->major == watch->device_major && d->minor == watch->device_minor)
			return d;
	}
	if (r->device_count == DEVICES_MAX)
		return NULL;
	d = &r->devices[r->device_count++];
	*d = (struct device){ .major = watch->device_major, .minor = watch->device_minor };
	open_mounts(r, d);
	return d;
}

/* Opens the watched file by its handle (O_PATH), to read its path. Returns -ESTALE if the handle
 * names another inode on this mount. */
static int open_handle(int mount, const struct fd_watch *watch, struct path_aim *aim)
{
	union {
		struct file_handle head;
		unsigned char bytes[sizeof(struct file_handle) + FDINFO_HANDLE_MAX];
	} handle;
	struct statx st;
	int fd;

	handle.head.handle_bytes = watch->handle_bytes;
	handle.head.handle_type = (int)watch->handle_type;
	memcpy(handle.head.f_handle, watch->handle, watch->handle_bytes);
	fd = open_by_handle_at(mount, &handle.head, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) ||
		st.stx_ino != watch->inode) {
		close(fd);
		return -ESTALE;
	}
	*aim = (struct path_aim){ st.stx_ino, st.stx_dev_major, st.stx_dev_minor };
	return fd;
}

static bool resolve_by(struct resolving *r, int mount, struct fd_watch *watch)
{
	struct path_aim aim;
	_cleanup_close_ int fd = open_handle(mount, watch, &aim);
	char link[32];
	struct span path;

	r->is_refused |= fd == -EPERM || fd == -ENOSYS;
	if (fd < 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (procfs_link_at(AT_FDCWD, link, &r->path))
		return false;
	path = span_of((const char *)r->path.data, r->path.size);
	/* A file outside of a bind mount, or opened without its parents, has an incomplete path. */
	if (path_leads_to(r->timeout, r->process, path, &aim) != 1)
		return false;
	set_watch_path(r->watches, watch, path);
	return true;
}

static void resolve_by_handles(struct resolving *r)
{
	uint64_t deadline = clock_monotonic_ns() + RESOLVE_NS_MAX;
	size_t count;
	struct fd_watch *all = all_of(r->watches, &count);

	for (size_t i = 0; i < count && !r->is_refused && clock_monotonic_ns() < deadline; i++) {
		struct device *d = all[i].has_handle ? device_of(r, &all[i]) : NULL;

		for (unsigned k = 0; d && k < d->count; k++) {
			if (resolve_by(r, d->mounts[k], &all[i]))
				break;
		}
	}
	for (unsigned i = 0; i < r->device_count; i++) {
		for (unsigned k = 0; k < r->devices[i].count; k++)
			close(r->devices[i].mounts[k]);
	}
	buffer_fini(&r->path);
}

/* --- by searching --- */

static void mark_rest_unread(struct fd_watches *w, uint8_t state)
{
	size_t count;
	struct fd_watch *all = all_of(w, &count);

	for (size_t i = 0; i < count; i++) {
		if (all[i].state != SOOTH_STATE_VALUE)
			all[i].state = state;
	}
}

static void name_found_files(struct fd_watches *w, const struct fd_search *search)
{
	size_t count;
	struct fd_watch *all = all_of(w, &count);

	for (size_t i = 0; i < count; i++) {
		struct path_aim aim = { all[i].inode, all[i].device_major, all[i].device_minor };
		struct span path;

		if (all[i].state != SOOTH_STATE_VALUE && fd_search_get(search, &aim, &path))
			set_watch_path(w, &all[i], path);
	}
}

static void search_remaining_files(struct resolving *r)
{
	struct fd_watches *w = r->watches;
	struct fd_search *search = fd_search_new(r->process, &w->roots);
	uint8_t rest =
		SOOTH_NOT_MEASURED(r->is_refused ? SOOTH_REASON_PERMISSION : SOOTH_REASON_FAILED);
	size_t count;
	struct fd_watch *all = all_of(w, &count);
	bool has_rest = false;
	int status;

	for (size_t i = 0; search && i < count; i++) {
		struct path_aim aim = { all[i].inode, all[i].device_major, all[i].device_minor };

		if (all[i].state == SOOTH_STATE_VALUE)
			continue;
		fd_search_add(search, &aim);
		has_rest = true;
	}
	if (!search || !has_rest) {
		fd_search_free(search);
		return;
	}
	status = timeout_call(r->timeout, fd_search_do, fd_search_drop, &search, sizeof(search),
		fd_search_descriptor(search), SEARCH_TIMEOUT_MS);
	if (status == -ETIMEDOUT) {
		mark_rest_unread(w, procfs_state(status)); /* the thread owns the search */
		return;
	}
	if (!status)
		name_found_files(w, search);
	mark_rest_unread(w, rest);
	fd_search_free(search);
}

/* Notes a mount that did not answer, which may be the reason for files that were not found. */
static void note_blocked(
	struct fd_watches *w, const struct mounts *mounts, const struct map *blocked)
{
	size_t count;
	struct fd_watch *all = all_of(w, &count);

	map_for_each_key (blocked, const void *, id) {
		const struct mount *m = map_get(&mounts->by_id, id);

		for (size_t i = 0; m && i < count; i++) {
			if (all[i].state != SOOTH_STATE_VALUE &&
				all[i].device_major == m->device_major &&
				all[i].device_minor == m->device_minor)
				all[i].state = SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED);
		}
	}
}

void fd_watches_resolve(struct fd_watches *w, struct timeout *timeout, const struct mounts *mounts,
	const struct map *blocked, int process)
{
	struct resolving r = {
		.watches = w, .timeout = timeout, .mounts = mounts, .process = process
	};

	resolve_by_handles(&r);
	search_remaining_files(&r);
	note_blocked(w, mounts, blocked);
}

void fd_watches_resolve_some(
	struct fd_watches *w, struct timeout *timeout, const struct mounts *mounts, int process)
{
	struct resolving r = {
		.watches = w, .timeout = timeout, .mounts = mounts, .process = process
	};

	resolve_by_handles(&r);
}

void fd_watches_write(struct fd_watches *w, struct backend_run *run, const struct sooth_record *of)
{
	size_t count;
	const struct fd_watch *all = all_of(w, &count);

	for (size_t i = 0; i < count; i++) {
		struct fds_watch record = { .record = *of,
			.inode = all[i].inode,
			.device_major = all[i].device_major,
			.device_minor = all[i].device_minor,
			.fd = all[i].fd,
			.watch = all[i].watch,
			.mask = all[i].mask,
			.path_state = all[i].state };
		struct record_tail tail[] = {
			{ &record.path, w->paths.data + all[i].path_offset, all[i].path_size },
		};

		record.record.kind = FDS_WATCH;
		RECORD_APPEND(&run->out, &record, tail, ARRAY_SIZE(tail));
	}
}
