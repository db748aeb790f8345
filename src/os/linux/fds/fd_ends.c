/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes at the other ends.
 *
 * Cannot be seen: descriptors of processes that ptrace(2) would refuse, ends in transit inside
 * sockets, and ends the kernel itself holds.
 */
#include "os/linux/fds/fd_ends.h"

#include <assert.h>
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
#include "base/cursor.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/files/mounts.h"
#include "os/linux/files/procfs.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"
#include "probes/fds.h"

#define ENDS_MAX	 1000000
#define HOLDERS_MAX	 32	 /* per end */
#define SEARCH_LINKS_MAX 2000000 /* descriptors read in all processes */
#define SEARCH_NS_MAX	 (2000 * (uint64_t)1000000)

void fd_ends_init(struct fd_ends *e)
{
	assert(e);
	*e = (struct fd_ends){ 0 };
	map_init(&e->sockets, sizeof(uint64_t), 0, ENDS_MAX);
	map_init(&e->targets, sizeof(struct fd_end_key), sizeof(struct fd_end), ENDS_MAX);
}

void fd_ends_fini(struct fd_ends *e)
{
	assert(e);
	map_fini(&e->sockets);
	map_fini(&e->targets);
	buffer_fini(&e->paths);
}

void fd_ends_clear(struct fd_ends *e)
{
	assert(e);
	map_clear(&e->sockets);
	map_clear(&e->targets);
	buffer_reset(&e->paths);
	e->has_fifos = false;
}

void fd_ends_add_pipe(struct fd_ends *e, uint64_t inode)
{
	assert(e);

	struct fd_end_key key = { .inode = inode };
	struct fd_end *end = map_put(&e->targets, &key, NULL);

	if (end)
		end->descriptor_inode = inode;
}

void fd_ends_add_fifo(struct fd_ends *e, uint64_t inode, uint64_t device, struct span path)
{
	assert(e);

	struct fd_end_key key = { inode, device };
	bool is_new = false;
	struct fd_end *end = map_put(&e->targets, &key, &is_new);

	if (!end || !is_new)
		return;
	end->descriptor_inode = inode;
	end->path_offset = (uint32_t)e->paths.size;
	end->path_size = (uint32_t)path.size;
	buffer_append(&e->paths, path.data, path.size);
	e->has_fifos = true;
}

/* A descriptor found in a process. */
struct fd_found {
	struct process_id holder;
	uint32_t fd;
	uint8_t access;
	char name[16];
	struct fd_end_key key;
};

/* Writes a holder; false when the limit for its inode is reached. */
static bool emit_holder(struct fd_ends *e, struct backend_run *run, const struct sooth_record *of,
	const struct fd_found *found)
{
	struct fd_end *end = map_get(&e->targets, &found->key);
	struct fds_holder h = { .record = *of,
		.held_inode = found->key.inode,
		.holder_start_ticks = found->holder.start_ticks,
		.holder_pid = found->holder.pid,
		.holder_fd = found->fd,
		.access = found->access };

	if (!end)
		return true;
	if (end->holders >= HOLDERS_MAX)
		return false;
	end->holders++;
	h.inode = end->descriptor_inode;
	h.record.kind = FDS_HOLDER;
	memcpy(h.holder_name, found->name, sizeof(h.holder_name));
	RECORD_APPEND(&run->out, &h, NULL, 0);
	return true;
}

/* --- searching /proc --- */

struct search {
	struct fd_ends *ends;
	struct backend_run *run;
	const struct sooth_record *of;
	struct buffer text, scratch;
	struct fd_found found;
	/* Mounts of the process being searched, read once they are needed. */
	struct mounts mounts;
	bool has_mounts;
	uint64_t links;
	bool was_refused, is_cut;
};

static bool is_fifo_name(const struct fd_ends *e, struct span link)
{
	map_for_each_value (&e->targets, const struct fd_end *, end) {
		struct span path = { (const char *)e->paths.data + end->path_offset,
			end->path_size };

		if (end->path_size && !span_compare(path, link))
			return true;
	}
	return false;
}

static const struct mount *mount_of(struct search *s, int process, const struct fdinfo *info)
{
	if (!s->has_mounts)
		mounts_read(&s->mounts, process, &s->scratch);
	s->has_mounts = true;
	return info->has & FDINFO_MOUNT ? mounts_get(&s->mounts, info->mount) : NULL;
}

/* Finds a FIFO by its name. Its file is read only on a mount that needs no server to answer. On
 * other mounts the name in /proc has to do: reading it never blocks. */
static bool find_fifo(
	struct search *s, int process, int table, const char *name, struct fd_end_key *key)
{
	struct fdinfo info = { 0 };
	const struct mount *mount;
	char path[300]; /* room for any directory entry */
	struct statx st;

	snprintf(path, sizeof(path), "fdinfo/%s", name);
	if (procfs_read_at(process, path, &s->scratch, PROCFS_SMALL) >= 0)
		fdinfo_parse(&info, s->scratch.data, s->scratch.size);
	mount = mount_of(s, process, &info);
	if (mount && !mount->may_block) {
		if (statx(table, name, AT_STATX_DONT_SYNC, STATX_INO | STATX_TYPE, &st) ||
			!S_ISFIFO(st.stx_mode))
			return false;
		*key = (struct fd_end_key){ st.stx_ino,
			makedev(st.stx_dev_major, st.stx_dev_minor) };
		return true;
	}
	if (!mount || !info.inode) {
		s->is_cut = true;
		return false;
	}
	*key = (struct fd_end_key){ info.inode, makedev(mount->device_major, mount->device_minor) };
	return true;
}

/* Returns the access: the link's permissions show how the descriptor was opened
 * (proc_pid_fd(5)). */
static uint8_t access_of(int table, const char *name, struct span link)
{
	struct stat st;

	if (span_starts(link, "socket:["))
		return FDS_ACCESS_BOTH;
	if (fstatat(table, name, &st, AT_SYMLINK_NOFOLLOW))
		return FDS_ACCESS_NONE;
	if (st.st_mode & S_IRUSR)
		return st.st_mode & S_IWUSR ? FDS_ACCESS_BOTH : FDS_ACCESS_READ;
	return st.st_mode & S_IWUSR ? FDS_ACCESS_WRITE : FDS_ACCESS_NONE;
}

static void check_entry(struct search *s, int process, int table, const char *name)
{
	struct fd_end_key key = { 0 };
	struct procfs_stat stat;
	struct span link;
	size_t used;

	int status = procfs_link_at(table, name, &s->text);

	if (status) {
		s->was_refused |= status == -EACCES || status == -EPERM;
		return;
	}
	link = span_of((const char *)s->text.data, s->text.size);
	if (!procfs_link_inode(link, "pipe:[", &key.inode) &&
		!procfs_link_inode(link, "socket:[", &key.inode) &&
		!(s->ends->has_fifos && is_fifo_name(s->ends, link) &&
			find_fifo(s, process, table, name, &key)))
		return;
	if (!map_get(&s->ends->targets, &key))
		return;
	s->found.key = key;
	s->found.fd = (uint32_t)strtoul(name, NULL, 10);
	s->found.access = access_of(table, name, link);
	if (!s->found.holder.pid) {
		if (procfs_stat_at(process, &stat, &s->text))
			return;
		s->found.holder =
			(struct process_id){ .start_ticks = stat.start_ticks, .pid = stat.pid };
		used = stat.name.size < sizeof(s->found.name) ? stat.name.size
							      : sizeof(s->found.name) - 1;
		memset(s->found.name, 0, sizeof(s->found.name));
		memcpy(s->found.name, stat.name.data, used);
	}
	s->is_cut |= !emit_holder(s->ends, s->run, s->of, &s->found);
}

static void search_process(struct search *s, pid_t pid)
{
	_cleanup_close_ int process = procfs_open(pid);
	_cleanup_close_ int living = procfs_open(procfs_living(pid));
	int table = process < 0 ? -1 : openat(living, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = table < 0 ? NULL : fdopendir(table);
	struct dirent *entry;

	if (!dir) {
		s->was_refused |= errno == EACCES || errno == EPERM;
		if (table >= 0)
			close(table);
		return;
	}
	s->found = (struct fd_found){ 0 };
	s->has_mounts = false;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (s->links++ >= SEARCH_LINKS_MAX) {
			s->is_cut = true;
			return;
		}
		check_entry(s, process, table, entry->d_name);
	}
}

/* Returns whether the first process can be read. It may have more privileges than root has here;
 * then its descriptors are hidden. */
static bool sees_first(void)
{
	_cleanup_dir_ DIR *dir = opendir("/proc/1/fd");
	struct dirent *entry;
	char link[8];

	while (dir && (entry = readdir(dir)) && entry->d_name[0] == '.')
		;
	return dir && (!entry || readlinkat(dirfd(dir), entry->d_name, link, sizeof(link)) > 0);
}

/* Returns whether every process can be read: in a PID namespace, or with a restricted /proc, some
 * are invisible here. */
static bool sees_all(void)
{
	return !needs_inner_pid_namespace() && sees_first();
}

uint8_t fd_ends_search_in(struct fd_ends *e, struct backend_run *run, const struct sooth_record *of,
	const struct buffer *pids)
{
	assert(e);
	assert(run);

	uint64_t deadline_ns = run->os->now_ns(run->os) + SEARCH_NS_MAX;
	struct search s = { .ends = e, .run = run, .of = of };

	assert(pids);
	if (!e->targets.count)
		return SOOTH_STATE_VALUE;
	mounts_init(&s.mounts);
	for (size_t i = 0; i < pids->size / sizeof(pid_t); i++) {
		pid_t pid = ((const pid_t *)(const void *)pids->data)[i];

		if (run->os->now_ns(run->os) > deadline_ns) {
			s.is_cut = true;
			break;
		}
		/* Descriptors of sooth itself close with it. */
		if (pid != getpid())
			search_process(&s, pid);
	}
	buffer_fini(&s.text);
	buffer_fini(&s.scratch);
	mounts_fini(&s.mounts);
	if (s.is_cut || e->targets.refused)
		return SOOTH_STATE_TRUNCATED;
	return s.was_refused || !sees_all() ? SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
					    : SOOTH_STATE_VALUE;
}

uint8_t fd_ends_search(struct fd_ends *e, struct backend_run *run, const struct sooth_record *of)
{
	struct buffer pids = { 0 };
	uint8_t state = SOOTH_STATE_VALUE;
	int status = 0;

	assert(e);
	if (e->targets.count)
		status = procfs_list(&pids);
	if (status)
		state = procfs_state(status);
	else
		state = fd_ends_search_in(e, run, of, &pids);
	buffer_fini(&pids);
	return state;
}
