/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cannot be seen: which process wrote files that no process has open. On a file system with many
 * files, directories are not added up, and only open files are reported.
 */
#include "os/linux/limits/limit_space.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/units.h"
#include "os/linux/files/mounts.h"
#include "os/linux/limits/limit_descriptors.h"
#include "os/os.h"

#define MOUNTS_TRIED 256
#define FULL_MOUNTS  2
#define FULL_PARTS   50	       /* less than this part of the space is left */
#define FULL_BYTES   (1 << 20) /* or less than that */
#define FILES_MAX    20000     /* looked at below a mount point */
#define DEPTH_MAX    32
#define OPEN_MAX     64		       /* open files that are reported */
#define READING_MAX  (150 * NS_PER_MS) /* of all descriptors; a healthy host needs a third */
#define SHARE_LEAST  10		       /* a smaller part of the used space is not reported */
#define OTHERS_MAX   4
#define DELETED	     " (deleted)"
#define NAME_SIZE    64
/* A mount point may lie in the way whose server does not answer: it is not asked. */
#define LOCAL_ONLY (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC)

struct space {
	struct limit_holders all;
	struct mounts mounts;
	const struct mount *mount;
	struct span point;
	uint64_t used, device;
	struct buffer text, scratch;
	struct limits_holder one; /* the current process */
	struct map names;	  /* char[NAME_SIZE] -> struct limits_holder: at the top */
	unsigned tried, others, open;
	uint64_t deadline_ns;
};

/* --- open files --- */

/* Returns whether a file is on the mount. A file on a mount that hangs is not touched. */
static bool is_on_mount(const struct space *s, struct span path)
{
	return mounts_find(&s->mounts, path) == s->mount;
}

/* Returns whether the search takes too long: any user may open 100,000s of descriptors. */
static bool is_late(const struct space *s)
{
	const struct os *os = s->all.run->os;

	return os->now_ns(os) > s->deadline_ns;
}

static void count_file(void *user, int process, int table, const char *name)
{
	struct procfs_stat stat;
	struct space *s = user;
	struct span path;
	struct statx st;

	if (is_late(s) || procfs_link_at(table, name, &s->text))
		return;
	path = span_of((const char *)s->text.data, s->text.size);
	if (!path_is_within(path, s->point) || !is_on_mount(s, path) ||
		statx(table, name, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_BLOCKS | STATX_NLINK,
			&st) ||
		!S_ISREG(st.stx_mode) || makedev(st.stx_dev_major, st.stx_dev_minor) != s->device)
		return;
	if (!s->one.holder_pid && limit_holder_read(&s->one, process, &stat, &s->scratch))
		return;
	s->one.is_deleted = !st.stx_nlink && span_ends(path, DELETED);
	path.size -= s->one.is_deleted ? strlen(DELETED) : 0;
	s->one.count = 1;
	s->one.amount = st.stx_blocks * 512;
	s->all.resource = LIMITS_SHARED_SPACE;
	if (s->one.amount >= s->used / SHARE_LEAST && s->open++ < OPEN_MAX)
		limit_holder_write(&s->all, &s->one, path);
}

/* --- other processes that have the mount --- */

static uint64_t mount_namespace(int process)
{
	struct stat st;

	return fstatat(process, "ns/mnt", &st, 0) ? 0 : st.st_ino;
}

static bool is_private(const struct space *s)
{
	struct stat own;

	return !stat("/proc/self/ns/mnt", &own) &&
	       own.st_ino != mount_namespace(s->all.of->process);
}

static void write_user_of_space(struct space *s, int process)
{
	struct limits_holder one = { 0 };
	struct procfs_stat stat;

	if (s->others == OTHERS_MAX ||
		mount_namespace(process) != mount_namespace(s->all.of->process) ||
		limit_holder_read(&one, process, &stat, &s->scratch) ||
		stat.pid == s->all.of->id.pid || procfs_has_ended(&stat))
		return;
	s->others++;
	s->all.resource = LIMITS_SHARED_MOUNT;
	limit_holder_write(&s->all, &one, span_of("", 0));
}

static void read_processes(struct space *s)
{
	bool has_own = is_private(s);
	struct buffer pids = { 0 };

	s->deadline_ns = s->all.run->os->now_ns(s->all.run->os) + READING_MAX;
	procfs_list(&pids);
	buffer_each (const pid_t, pid, &pids) {
		_cleanup_close_ int process = procfs_open(*pid);
		int status;

		if (process < 0)
			continue;
		s->one = (struct limits_holder){ 0 };
		status = is_late(s) ? 0 : limit_descriptors_visit(process, count_file, s);
		s->all.unread += status == -EACCES || status == -EPERM || is_late(s);
		if (has_own)
			write_user_of_space(s, process);
	}
	buffer_fini(&pids);
}

/* --- files and directories at the top --- */

/* Appends "cache-17.html" as "cache-*.html", which names all files with such a name. */
static void put_name(char out[NAME_SIZE], const char *name)
{
	size_t used = 0;

	memset(out, 0, NAME_SIZE);
	for (; *name && used + 1 < NAME_SIZE; name++) {
		bool is_digit = *name >= '0' && *name <= '9';

		if (!is_digit)
			out[used++] = *name;
		else if (!used || out[used - 1] != '*')
			out[used++] = '*';
	}
}

/* Adds up what is below a folder, as deep as it goes. False: too much. */
static bool add_folder(struct space *s, int folder, struct limits_holder *sum, unsigned depth)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	char name[NAME_SIZE];
	struct statx st;

	while (dir && (entry = readdir(dir))) {
		struct limits_holder *to = sum;
		_cleanup_close_ int below = -1;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
			statx(copy, entry->d_name, LOCAL_ONLY, STATX_TYPE | STATX_BLOCKS, &st) ||
			makedev(st.stx_dev_major, st.stx_dev_minor) != s->device)
			continue;
		if (s->tried++ >= FILES_MAX || depth >= DEPTH_MAX)
			return false;
		put_name(name, entry->d_name);
		to = sum ? sum : map_put(&s->names, name, NULL);
		if (!to)
			return false;
		to->amount += st.stx_blocks * 512;
		to->count += !S_ISDIR(st.stx_mode);
		if (!S_ISDIR(st.stx_mode))
			continue;
		below = openat(copy, entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0 && !add_folder(s, below, to, depth + 1))
			return false;
	}
	return true;
}

static void write_names(struct space *s, int root)
{
	const struct limits_holder *most = NULL;
	const char *name = NULL;

	map_init(&s->names, NAME_SIZE, sizeof(struct limits_holder), FILES_MAX);
	s->tried = 0;
	if (add_folder(s, root, NULL, 0)) {
		map_for_each (&s->names, const char *, key, const struct limits_holder *, one) {
			if (!most || one->amount > most->amount) {
				most = one;
				name = key;
			}
		}
	}
	if (most && most->amount >= s->used / SHARE_LEAST)
		limit_holder_write(&s->all, most, span_of(name, strlen(name)));
	map_fini(&s->names);
}

/* --- full file systems --- */

static void write_full_file_system(struct space *s, int root)
{
	s->all.unread = s->others = s->open = 0;
	s->all.place = s->point;
	read_processes(s);
	s->all.resource = LIMITS_SHARED_SPACE;
	write_names(s, root);
}

/* Returns whether a file system is full, and not by nature, as an image or a file system without
 * files. */
static bool is_full(struct space *s, int root)
{
	struct statvfs v;
	struct stat st;

	if (fstatvfs(root, &v) || v.f_flag & ST_RDONLY || !v.f_blocks || fstat(root, &st))
		return false;
	s->device = st.st_dev;
	s->used = (uint64_t)(v.f_blocks - v.f_bfree) * v.f_frsize;
	return s->used && (v.f_bavail < v.f_blocks / FULL_PARTS ||
				  (uint64_t)v.f_bavail * v.f_frsize < FULL_BYTES);
}

static bool try_mount(struct space *s, const struct mount *m)
{
	char path[PATH_MAX + 8];
	_cleanup_close_ int root = -1;

	s->mount = m;
	s->point = mounts_point(&s->mounts, m);
	if (m->may_block || s->point.size >= PATH_MAX)
		return false;
	snprintf(path, sizeof(path), "root%.*s", SPAN_ARGS(s->point));
	root = openat(s->all.of->process, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || !is_full(s, root) || s->device != makedev(m->device_major, m->device_minor))
		return false;
	write_full_file_system(s, root);
	return true;
}

void limit_space_write(struct backend_run *run, const struct process_snapshot *snapshot)
{
	struct space s = { .all = { .run = run, .of = snapshot } };
	unsigned tried = 0, full = 0;

	mounts_init(&s.mounts);
	mounts_read(&s.mounts, snapshot->process, &s.scratch);
	map_for_each_value (&s.mounts.by_id, const struct mount *, m) {
		if (tried++ == MOUNTS_TRIED || full == FULL_MOUNTS)
			break;
		full += try_mount(&s, m);
	}
	mounts_fini(&s.mounts);
	buffer_fini(&s.text);
	buffer_fini(&s.scratch);
}
