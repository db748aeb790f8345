/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fds by procfs: /proc/PID/fd for the links, fdinfo for flags and details of special kinds,
 * statx(2) for the file. Only statx() can block: on a mount that may not answer it has a timeout,
 * and is not tried again after one.
 *
 * Cannot be seen: descriptors of processes that ptrace(2) would refuse.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/fds/fds_reader.h"
#include "os/linux/files/procfs.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"

/* --- fd file --- */

/* The file behind a descriptor, read by statx(2): with a timeout on mounts that may not answer, and
 * not again after one timed out. */

struct file_request {
	struct fds_call call; /* call that reads the table of descriptors */
	char name[16];
	struct statx st;
};

static void read_file(void *request)
{
	struct file_request *a = request;

	a->call.status =
		statx(a->call.folder, a->name, AT_STATX_DONT_SYNC,
			STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_INO | STATX_SIZE, &a->st)
			? -errno
			: 0;
}

/* Fills mode, links, inode, size and devices of raw->fd, and inode_state. */
static void fd_file_read(struct fds_reader *r, struct fd_raw *raw)
{
	struct file_request a = { .call.folder = r->table };
	int status;

	snprintf(a.name, sizeof(a.name), "%u", raw->fd);
	if (fds_reader_may_block(r, raw)) {
		status = fds_reader_call(r, raw->mount, r->table, read_file, &a.call, sizeof(a));
	} else {
		read_file(&a);
		status = a.call.status;
	}
	raw->inode_state = procfs_state(status);
	if (status)
		return;
	raw->mode = a.st.stx_mode;
	raw->links = a.st.stx_nlink;
	raw->inode = a.st.stx_ino;
	raw->size_bytes = a.st.stx_size;
	raw->device_major = a.st.stx_dev_major;
	raw->device_minor = a.st.stx_dev_minor;
	raw->node_major = a.st.stx_rdev_major;
	raw->node_minor = a.st.stx_rdev_minor;
}

/* --- fds procfs --- */

#define PROTOCOL_MAX 64

struct procfs_state {
	struct fds_reader reader;
	struct buffer path;
	char protocol[PROTOCOL_MAX];
};

static void read_flags(struct fds_reader *r, struct fd_raw *raw)
{
	int status = fds_reader_info(r, raw->fd);
	const struct fdinfo *f = &r->info;

	raw->flags_state = status == 1 ? SOOTH_STATE_VALUE : procfs_state(status);
	if (status < 0)
		return;
	if (!(f->has & FDINFO_FLAGS)) {
		raw->flags_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
		return;
	}
	raw->flags = f->flags;
	raw->offset = f->offset;
	raw->mount = f->mount;
	raw->is_of_kernel = !mounts_get(&r->mounts, f->mount);
}

/* Reads the protocol, which the socket file system has as an extended attribute. Only sockets are
 * asked for it. */
static void read_protocol(struct procfs_state *s, struct fd_raw *raw)
{
	char path[64];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%u", s->reader.table, raw->fd);
	got = getxattr(path, "system.sockprotoname", s->protocol, sizeof(s->protocol));
	if (got > 0)
		raw->protocol = span_of(s->protocol, strnlen(s->protocol, (size_t)got));
	else
		raw->protocol_state = procfs_state(got ? -errno : -EINVAL);
}

/* Reads a descriptor. Negative: the link may not be read, so the kind is unknown. */
static int read_descriptor(struct backend_run *run, const char *name)
{
	struct procfs_state *s = run->state;
	struct fds_reader *r = &s->reader;
	struct fd_raw raw = { .fd = (uint32_t)strtoul(name, NULL, 10) };
	int status = procfs_link_at(r->table, name, &s->path);

	if (status == -ENOENT)
		return 0; /* closed meanwhile */
	raw.path_state = procfs_state(status);
	if (!status)
		raw.path = span_of((const char *)s->path.data, s->path.size);
	r->info_of = -1;
	read_flags(r, &raw);
	fd_file_read(r, &raw);
	if (S_ISSOCK(raw.mode) && span_starts(raw.path, "socket:["))
		read_protocol(s, &raw);
	fds_reader_descriptor(r, run, &raw);
	return status == -EACCES || status == -EPERM ? status : 0;
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct procfs_state *s = run->state;
	struct fds_reader *r = &s->reader;
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *entry;
	int table, status = 0, one, refused = 0;

	if (!fds_reader_begin(r, run, pid, expected))
		return;
	table = fcntl(r->table, F_DUPFD_CLOEXEC, 0);
	dir = table < 0 ? NULL : fdopendir(table);
	if (!dir) {
		status = -errno;
		if (table >= 0)
			close(table);
	}
	while (dir && (errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (r->summary.descriptors >= DESCRIPTORS_MAX) {
			status = 1;
			break;
		}
		one = read_descriptor(run, entry->d_name);
		refused = one ? one : refused;
	}
	if (dir && !status && errno)
		status = -errno;
	/* A kernel may list the descriptors of a process whose links it refuses, even to root. */
	fds_reader_end(r, run, refused ? refused : status);
}

static int fds_open(struct backend_run *run, struct sooth_error *err)
{
	struct procfs_state *s = run->state;

	(void)err;
	fds_reader_init(&s->reader);
	return 0;
}

static int fds_sample(struct backend_run *run, struct sooth_error *err)
{
	struct procfs_state *s = run->state;

	return members_visit(&s->reader.members, run, sample_process, err);
}

static void fds_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

static void fds_close(struct backend_run *run)
{
	struct procfs_state *s = run->state;

	fds_reader_fini(&s->reader);
	buffer_fini(&s->path);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_fds_procfs = {
	.name = "procfs",
	.probe = "fds",
	.help = "reads /proc; nothing is attached to the processes",
	.needs = needs,
	.state_size = sizeof(struct procfs_state),
	.open = fds_open,
	.set = members_backend_set,
	.start = fds_sample,
	.sample = fds_sample,
	.joined = fds_joined,
	.stop = members_backend_stop,
	.close = fds_close,
};
