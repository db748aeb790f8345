/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocators in mapped files. */
#include "os/linux/heap/allocators.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/map.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/mounts.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timed_open.h"
#include "os/linux/proc/proc_values.h"
#include "os/linux/rights/needs.h"
#include "symbols/instruction.h"
#include "preload/layout.h"

#define FILES_MAX 65536
#define OPEN_MS	  1000
#define READ_MS	  3000 /* some hundred megabytes of names, from a cold disk */

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

struct file_identity {
	uint64_t device;
	uint64_t inode;
};

struct known_file {
	bool defines; /* whether the file defines an allocator */
	bool is_opaque;
};

void allocators_init(struct allocators *a)
{
	*a = (struct allocators){ 0 };
	map_init(&a->files, sizeof(struct file_identity), sizeof(struct known_file), FILES_MAX);
	map_init(&a->silent, sizeof(uint64_t), 1, FILES_MAX);
	a->kernel = needs_kernel_release();
}

void allocators_fini(struct allocators *a)
{
	map_fini(&a->files);
	map_fini(&a->silent);
	timeout_fini(&a->timeout);
}

/* --- in a call with a timeout --- */

struct reading {
	struct allocator_file found; /* its file is the reading's own descriptor */
	uint32_t kernel;
	bool is_fuse;
	bool is_absent; /* a page could not be read */
};

/* Reads the page of an instruction into memory. When the kernel puts a probe there it reads the
 * page while it holds locks that all tracing needs, and cannot be interrupted; so the page has to
 * be in memory before. */
static bool bring_into_memory(int file, uint64_t offset)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t first = offset & ~(uint64_t)(page - 1);
	size_t size = (offset + INSTRUCTION_LENGTH_MAX > first + page ? 2 : 1) * page;
	void *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, (off_t)first);
	unsigned char is_there = 0;

	if (at == MAP_FAILED)
		return false;
	mincore(at, page, &is_there);
	munmap(at, size);
	return is_there & 1;
}

static void run_read_job(void *argument)
{
	struct reading *r = argument;
	struct statfs fs;

	/* A FUSE daemon may refuse to answer. */
	r->is_fuse = fstatfs(r->found.file, &fs) || fs.f_type == FUSE_SUPER_MAGIC;
	allocator_sites_find(&r->found, r->kernel);
	r->is_absent = r->found.count && !bring_into_memory(r->found.file, 0);
	for (size_t i = 0; i < r->found.count; i++)
		r->is_absent |= !bring_into_memory(r->found.file, r->found.sites[i].offset);
}

static void drop_reading(void *argument)
{
	close(((struct reading *)argument)->found.file);
}

/* Takes over the descriptor, which becomes that of the reading. Returns 0, -ETIMEDOUT or -EBUSY. */
static int read_file(struct allocators *a, int fd, struct reading *r)
{
	int status;

	*r = (struct reading){ .found = { .file = fd }, .kernel = a->kernel };
	status = timeout_call(&a->timeout, run_read_job, drop_reading, r, sizeof(*r), fd, READ_MS);
	if (status == -ETIMEDOUT)
		r->found.file = -1; /* the thread owns it */
	return status;
}

/* --- a mapped file --- */

static void note_unread(struct allocators *a, const char *path, const char *why)
{
	a->unread++;
	if (a->unread_why)
		return;
	a->unread_why = why;
	snprintf(a->unread_path, sizeof(a->unread_path), "%s", path);
}

static void leave_out_file(
	struct allocators *a, const char *path, const char *why, struct allocator_file *file)
{
	file->count = 0;
	note_unread(a, path, why);
}

static const char *const absent = "its code could not be read";
static const char *const silent = "the file did not answer in time";
static const char *const served = "another user's FUSE daemon serves the file, and the kernel "
				  "would wait for it with locks held";

/* Returns whether root or sooth's own user made a FUSE mount (user_id=, a number in the mount's
 * user namespace). True also for mounts of other types. */
static bool is_own_daemon(const struct mount_line *line)
{
	struct cursor c = cursor_over(line->options.data, line->options.size);

	if (!span_starts(line->type, "fuse"))
		return true;
	while (!cursor_at_end(&c)) {
		struct span word = cursor_until(&c, ',');
		uint64_t user;

		if (span_starts(word, "user_id=") &&
			span_decimal(span_of(word.data + 8, word.size - 8), &user))
			return !user || user == geteuid();
	}
	return false;
}

/* Returns whether the kernel waits for a daemon of another user when it reads files of the device,
 * as far as the mounts of the process show. True when they do not show it. */
static bool mounts_may_be_served_by_user(
	int process, uint32_t device_major, uint32_t device_minor, struct buffer *scratch)
{
	int status = procfs_read_at(process, "mountinfo", scratch, MOUNTS_BYTES);
	struct cursor c = cursor_over(scratch->data, status < 0 ? 0 : scratch->size);
	struct mount_line line;

	while (!cursor_at_end(&c)) {
		if (mounts_parse(cursor_line(&c), &line) && line.device_major == device_major &&
			line.device_minor == device_minor)
			return !is_own_daemon(&line) ||
			       !procfs_shares_namespace(process, "ns/user");
	}
	return true;
}

/* Reads a mapped file. False: the file is gone. If one file does not answer, sooth skips all files
 * of its file system. */
static bool read_mapped(struct allocators *a, int process, const struct maps_line *m,
	const char *path, struct reading *r)
{
	uint64_t device = makedev(m->device_major, m->device_minor);
	struct buffer scratch = { 0 };
	int status = -ETIMEDOUT;

	if (!map_get(&a->silent, &device))
		status = timed_open_mapped(&a->timeout, process, m, OPEN_MS);
	if (status >= 0)
		status = read_file(a, status, r);
	if (status == -ETIMEDOUT || status == -EBUSY) {
		map_put(&a->silent, &device, NULL);
		note_unread(a, path, silent);
		*r = (struct reading){ .found = { .file = -1 } };
		status = 0;
	}
	/* Otherwise the file was unmapped in the meantime, or is unreadable: nothing is known about
	 * it. */
	if (!status && r->found.count && r->is_absent)
		leave_out_file(a, path, absent, &r->found);
	else if (!status && r->found.count && r->is_fuse &&
		 mounts_may_be_served_by_user(process, m->device_major, m->device_minor, &scratch))
		leave_out_file(a, path, served, &r->found);
	buffer_fini(&scratch);
	return !status;
}

static int add_file_sites(struct allocators *a, const struct file_identity *identity,
	struct allocator_file *file, allocator_handler handler, void *user, struct sooth_error *err)
{
	struct known_file *known = map_put(&a->files, identity, NULL);
	int status;

	if (!known)
		return error_no_memory(err);
	file->device = identity->device;
	file->inode = identity->inode;
	*known = (struct known_file){ allocator_file_defines(file), file->is_opaque };
	status = file->count ? handler(user, file, err) : 0;
	return status < 0 ? status : known->defines;
}

static int examine_file(struct allocators *a, int process, const struct maps_line *m,
	allocator_handler handler, void *user, struct sooth_error *err)
{
	struct file_identity identity = { makedev(m->device_major, m->device_minor), m->inode };
	_cleanup_free_ struct reading *r = NULL;
	_cleanup_free_ char *path = NULL;
	const struct known_file *known;
	int status = 0;

	/* sooth's own library passes calls on to another allocator. */
	if (span_ends(m->path, "/" PRELOAD_LIBRARY))
		return 0;
	if (!m->inode || !m->is_executable || !m->path.size)
		return 0;
	known = map_get(&a->files, &identity);
	if (known)
		return known->defines;
	path = strndup(m->path.data, m->path.size);
	r = calloc(1, sizeof(*r));
	if (!path || !r)
		return error_no_memory(err);
	if (read_mapped(a, process, m, path, r)) {
		r->found.path = path;
		status = add_file_sites(a, &identity, &r->found, handler, user, err);
		cleanup_close(&r->found.file);
	}
	return status;
}

/* Reads the file at a path below a root. False: it cannot be read, or is another file, because in
 * another mount namespace the path may lead to one. After true the descriptor is to be closed. */
static bool read_below(struct allocators *a, const char *root_path, const char *path,
	const struct file_identity *identity, struct reading *r)
{
	_cleanup_close_ int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct statx st;

	if (path[0] != '/' || !path[1] || map_get(&a->silent, &identity->device) || root < 0)
		return false;
	fd = timed_open_regular(&a->timeout, root, path + 1, OPEN_MS);
	return fd >= 0 && !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == identity->device &&
	       st.stx_ino == identity->inode && !read_file(a, TAKE_FD(fd), r);
}

static bool read_at_path(struct allocators *a, const char *path,
	const struct file_identity *identity, struct reading *r)
{
	return read_below(a, "/", path, identity, r);
}

bool allocators_know(struct allocators *a, const char *path, uint64_t device, uint64_t inode)
{
	struct file_identity identity = { device, inode };
	_cleanup_free_ struct reading *r = calloc(1, sizeof(*r));
	struct known_file *known;

	if (map_get(&a->files, &identity))
		return true;
	if (!r || !read_at_path(a, path, &identity, r))
		return false;
	cleanup_close(&r->found.file);
	if (allocator_file_defines(&r->found))
		return false; /* the allocator has to be found in the process, and probed */
	known = map_put(&a->files, &identity, NULL);
	if (known)
		known->is_opaque = r->found.is_opaque;
	return known != NULL;
}

bool allocators_define(
	struct allocators *a, pid_t pid, const char *path, uint64_t device, uint64_t inode)
{
	struct file_identity identity = { device, inode };
	_cleanup_free_ struct reading *r = calloc(1, sizeof(*r));
	const struct known_file *known = map_get(&a->files, &identity);
	char root[32];

	if (known)
		return known->defines;
	snprintf(root, sizeof(root), "/proc/%d/root", (int)procfs_living(pid));
	if (!r ||
		(!read_at_path(a, path, &identity, r) && !read_below(a, root, path, &identity, r)))
		return false;
	cleanup_close(&r->found.file);
	return allocator_file_defines(&r->found);
}

bool allocators_file_hides(const struct allocators *a, uint64_t device, uint64_t inode)
{
	struct file_identity identity = { device, inode };
	const struct known_file *known = map_get(&a->files, &identity);

	return known && known->is_opaque;
}

/* Says why an existing process has no mappings. */
static void explain_no_mappings(int process, struct sooth_error *err)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;

	if (process >= 0 && !procfs_stat_at(process, &stat, &bytes)) {
		error_why(err,
			stat.flags & PROC_IS_KERNEL_THREAD
				? "the process is a kernel thread, which has no memory of its own"
				: "the process has ended, and its parent has not reaped it");
		error_remedy(err, "sooth inspect %u shows the process", stat.pid);
	}
	buffer_fini(&bytes);
}

/* Examines the mapped files for allocators. The executable is mapped first, unless the kernel
 * placed its interpreter below it. The file behind /proc/PID/exe is then still one of the mapped
 * files. */
int allocators_examine(struct allocators *a, pid_t pid, allocator_handler handler, void *user,
	struct sooth_error *err)
{
	_cleanup_close_ int process = procfs_open(procfs_living(pid));
	struct buffer bytes = { 0 };
	int status = process < 0 ? process : procfs_read_at(process, "maps", &bytes, PROCFS_MAPS);
	struct cursor c = cursor_over(bytes.data, bytes.size);
	bool has_none = status >= 0 && !bytes.size, defines = false;
	struct maps_line m;

	if (has_none)
		status = -ESRCH;
	if (status < 0)
		error_errno(err, status, "read the mappings of process %d", (int)pid);
	else
		status = 0;
	if (has_none)
		explain_no_mappings(process, err);
	while (status >= 0 && !cursor_at_end(&c)) {
		if (maps_parse(cursor_line(&c), &m))
			status = examine_file(a, process, &m, handler, user, err);
		defines |= status > 0;
	}
	buffer_fini(&bytes);
	return status < 0 ? status : defines;
}

/* Examines the mapped file. -ENOENT: it is not the file with that identity. */
static int find_in(struct allocators *a, int process, const struct maps_line *m,
	const struct file_identity *identity, allocator_handler handler, void *user,
	struct sooth_error *err)
{
	_cleanup_free_ struct reading *r = NULL;
	_cleanup_free_ char *path = NULL;
	int status = -ENOENT;

	if (!m->is_executable || m->inode != identity->inode ||
		makedev(m->device_major, m->device_minor) != identity->device)
		return -ENOENT;
	path = strndup(m->path.data, m->path.size);
	r = calloc(1, sizeof(*r));
	if (!path || !r)
		return error_no_memory(err);
	if (!read_mapped(a, process, m, path, r))
		return -ENOENT;
	r->found.path = path;
	r->found.device = identity->device;
	r->found.inode = identity->inode;
	if (allocator_file_defines(&r->found))
		status = handler(user, &r->found, err);
	cleanup_close(&r->found.file);
	return status;
}

int allocators_find(struct allocators *a, pid_t pid, uint64_t device, uint64_t inode,
	allocator_handler handler, void *user, struct sooth_error *err)
{
	const struct file_identity identity = { device, inode };
	_cleanup_close_ int process = procfs_open(procfs_living(pid));
	struct buffer bytes = { 0 };
	int status = process < 0 ? process : procfs_read_at(process, "maps", &bytes, PROCFS_MAPS);
	struct maps_line m;

	if (status >= 0)
		status = -ENOENT;
	maps_for_each (&m, bytes) {
		if (status == -ENOENT)
			status = find_in(a, process, &m, &identity, handler, user, err);
	}
	buffer_fini(&bytes);
	return status;
}
