/* SPDX-License-Identifier: BSD-2-Clause */
/* The space on the file systems of a process, by fstatfs(2) of its mount points. */
#include "os/linux/fds/fd_space.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "os/linux/files/hung_mounts.h"
#include "os/linux/files/procfs.h"
#include "os/os.h"

#define MOUNTS_TRIED 512   /* mounts that are examined of a process; more only if it uses them */
#define OTHERS_MAX   32	   /* records of file systems that it does not use */
#define NEARLY_FULL  20	   /* where less than this part of the space is left */
#define FEW_FILES    20000 /* inodes: a loop can use them up within minutes */

bool fds_reader_is_blocked(const struct fds_reader *r, uint32_t mount)
{
	return map_get(&r->blocked, &mount) || hung_mounts_hold_id(mount);
}

void fds_reader_note_blocked(struct fds_reader *r, uint32_t mount)
{
	map_put(&r->blocked, &mount, NULL);
	hung_mounts_add_id(mount);
}

struct space_request {
	struct fds_call call; /* call about files of the process */
	uint32_t mount;
	struct statvfs space;
	char path[PATH_MAX + 8]; /* "root/mnt/x" */
};

static void read_space(void *request)
{
	struct space_request *a = request;
	int fd = openat(a->call.folder, a->path, O_PATH | O_CLOEXEC);
	struct statx st;

	if (fd < 0) {
		a->call.status = -errno;
		return;
	}
	if (fstatvfs(fd, &a->space))
		a->call.status = -errno;
	/* Another file system may be mounted over it. */
	else if (!statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) &&
		 st.stx_mask & STATX_MNT_ID && (uint32_t)st.stx_mnt_id != a->mount)
		a->call.status = -ENOENT;
	close(fd);
}

static void drop_call(void *request)
{
	close(((struct fds_call *)request)->folder);
}

int fds_reader_call(struct fds_reader *r, uint32_t mount, int folder, void (*read)(void *request),
	struct fds_call *request, size_t size)
{
	int status;

	if (fds_reader_is_blocked(r, mount))
		return -EBUSY;
	request->folder = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	if (request->folder < 0)
		return -errno;
	status = timeout_call_about(
		&r->timeout, read, drop_call, request, size, request->folder, -1, TIMEOUT_MS);
	if (status != -ETIMEDOUT)
		close(request->folder);
	if (status == -ETIMEDOUT)
		fds_reader_note_blocked(r, mount);
	return status ? status : request->status;
}

static int read_mount(struct fds_reader *r, const struct mount *m, struct statvfs *out)
{
	struct span point = mounts_point(&r->mounts, m);
	struct space_request a = { .call.folder = r->snapshot.process, .mount = m->id };
	int status;

	if (point.size >= PATH_MAX)
		return -ENAMETOOLONG;
	snprintf(a.path, sizeof(a.path), "root%.*s", SPAN_ARGS(point));
	if (m->may_block) {
		status = fds_reader_call(
			r, m->id, r->snapshot.process, read_space, &a.call, sizeof(a));
	} else {
		read_space(&a);
		status = a.call.status;
	}
	*out = a.space;
	return status;
}

/* Reads the space of a mount, once for all processes of a sample. */
static int read_space_once(struct fds_reader *r, const struct mount *m, struct statvfs *out)
{
	const struct statvfs *known = map_get(&r->spaces, &m->id);
	struct statvfs *kept;
	int status;

	if (known) {
		*out = *known;
		return 0;
	}
	status = read_mount(r, m, out);
	kept = status ? NULL : map_put(&r->spaces, &m->id, NULL);
	if (kept)
		*kept = *out;
	return status;
}

static void begin_sample(struct fds_reader *r, uint64_t now)
{
	if (now - r->spaces_ns < FDS_SHARED_NS)
		return;
	map_clear(&r->spaces);
	r->spaces_ns = now;
}

/* --- which --- */

void fd_space_add_mount(struct fds_reader *r, const struct fds_descriptor *d)
{
	bool is_file = d->type == FDS_FILE || d->type == FDS_DELETED;
	bool writes = d->access == FDS_ACCESS_WRITE || d->access == FDS_ACCESS_BOTH;

	if (is_file && writes && d->flags_state == SOOTH_STATE_VALUE)
		map_put(&r->written, &d->mount, NULL);
}

/* Notes the mount of the working directory. */
static void note_directory(struct fds_reader *r)
{
	const struct mount *found;

	if (procfs_link_at(r->snapshot.process, "cwd", &r->scratch))
		return;
	found = mounts_find(&r->mounts, span_of((const char *)r->scratch.data, r->scratch.size));
	if (found)
		map_put(&r->written, &found->id, NULL);
}

static bool may_write_fail(const struct statvfs *s)
{
	if (s->f_flag & ST_RDONLY)
		return s->f_bavail > 0; /* otherwise it is an image, which is always full */
	return s->f_bavail < s->f_blocks / NEARLY_FULL ||
	       (s->f_files && (s->f_favail < s->f_files / NEARLY_FULL || s->f_favail < FEW_FILES));
}

/* --- records --- */

static void write_space(struct fds_reader *r, struct backend_run *run, const struct mount *m,
	const struct statvfs *s, int status)
{
	struct span point = mounts_point(&r->mounts, m);
	struct fds_filesystem f = { .record = r->summary.record,
		.mount = m->id,
		.device_major = m->device_major,
		.device_minor = m->device_minor,
		.space_state = procfs_state(status),
		.is_memory = m->is_memory };

	f.record.kind = FDS_FILESYSTEM;
	if (!status) {
		f.total_bytes = (uint64_t)s->f_blocks * s->f_frsize;
		f.free_bytes = (uint64_t)s->f_bfree * s->f_frsize;
		f.available_bytes = (uint64_t)s->f_bavail * s->f_frsize;
		f.files = s->f_files;
		f.files_available = s->f_favail;
		f.is_read_only = (s->f_flag & ST_RDONLY) != 0;
	}
	struct record_tail tail[] = { { &f.point, point.data, point.size } };
	RECORD_APPEND(&run->out, &f, tail, 1);
}

void fd_space_write(struct fds_reader *r, struct backend_run *run)
{
	unsigned tried = 0, others = 0;

	begin_sample(r, run->os->now_ns(run->os));
	note_directory(r);
	map_for_each_value (&r->mounts.by_id, const struct mount *, m) {
		bool is_used = map_get(&r->written, &m->id) != NULL;
		struct statvfs space = { 0 };
		int status;

		if (!is_used && (m->may_block || tried++ >= MOUNTS_TRIED || others >= OTHERS_MAX))
			continue;
		status = read_space_once(r, m, &space);
		if (status ? !is_used : !space.f_blocks || (!is_used && !may_write_fail(&space)))
			continue;
		others += !is_used;
		write_space(r, run, m, &space, status);
	}
}
