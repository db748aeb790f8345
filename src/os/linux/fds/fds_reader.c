/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot of a process's descriptors.
 *
 * Cannot be seen: descriptors of threads that have unshared their table (their existence is
 * reported), and files in transit inside sockets.
 */
#include "os/linux/fds/fds_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/fds/fd_space.h"
#include "os/linux/fds/fd_successor.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/files/limits_files.h"
#include "os/linux/files/mounts.h"
#include "os/linux/files/path_lookup.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/procfs.h"
#include "os/linux/sock_diag/socket_diag.h"
#include "os/os.h"
#include "probes/fds.h"

#define DELETED_SUFFIX " (deleted)"
#define BLOCKED_MAX    4096
#define LOOKUPS_MAX    10000 /* lookups of names with that ending, per snapshot */

void fds_reader_init(struct fds_reader *r)
{
	*r = (struct fds_reader){ .snapshot.process = -1, .table = -1, .info_of = -1 };
	members_init(&r->members);
	map_init(&r->blocked, sizeof(uint32_t), 1, BLOCKED_MAX);
	map_init(&r->written, sizeof(uint32_t), 1, BLOCKED_MAX);
	map_init(&r->spaces, sizeof(uint32_t), sizeof(struct statvfs), BLOCKED_MAX);
	mounts_init(&r->mounts);
	fd_watches_init(&r->watches);
	fd_ends_init(&r->ends);
}

static void forget_process(struct fds_reader *r)
{
	cleanup_close(&r->table);
	r->table = -1;
	process_snapshot_close(&r->snapshot);
	fd_watches_clear(&r->watches);
	fd_ends_clear(&r->ends);
}

void fds_reader_fini(struct fds_reader *r)
{
	forget_process(r);
	members_fini(&r->members);
	map_fini(&r->blocked);
	map_fini(&r->written);
	map_fini(&r->spaces);
	timeout_fini(&r->timeout);
	mounts_fini(&r->mounts);
	fd_watches_fini(&r->watches);
	fd_ends_fini(&r->ends);
	fd_tables_fini(&r->tables);
	buffer_fini(&r->info_text);
	buffer_fini(&r->detail);
	buffer_fini(&r->scratch);
}

static bool wants_details(const struct backend_run *run)
{
	return run->options.interest & INTEREST_DETAIL;
}

/* --- the process --- */

static bool find_limits(struct fds_process *p, const struct buffer *text)
{
	struct cursor c = cursor_over(text->data, text->size);
	struct limits_line line;

	while (!cursor_at_end(&c)) {
		if (!limits_line_parse(&line, cursor_line(&c)) || line.use != LIMITS_USE_FDS)
			continue;
		p->soft_limit = line.has_soft ? line.soft : UINT64_MAX;
		p->hard_limit = line.has_hard ? line.hard : UINT64_MAX;
		return true;
	}
	return false;
}

static void read_limits(struct fds_reader *r)
{
	int status = procfs_read_at(r->snapshot.process, "limits", &r->scratch, PROCFS_SMALL);

	r->summary.limit_state = procfs_state(status);
	if (status >= 0 && !find_limits(&r->summary, &r->scratch))
		r->summary.limit_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
}

static int read_system_number(struct fds_reader *r, const char *path, uint32_t *out)
{
	int status = procfs_read_at(AT_FDCWD, path, &r->scratch, 64);
	struct cursor c = cursor_over(r->scratch.data, status < 0 ? 0 : r->scratch.size);
	uint64_t value = cursor_decimal(&c);

	if (status < 0)
		return status;
	if (c.failed)
		return -EINVAL;
	*out = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
	return 0;
}

/* Returns whether the process is in another user namespace. The limits in /proc/sys are those of
 * the initial one (fs/notify/inotify); those of another can be read only inside of it. */
static bool is_in_other_users(const struct fds_reader *r)
{
	struct stat st;

	return r->snapshot.process >= 0 && !fstatat(r->snapshot.process, "ns/user", &st, 0) &&
	       st.st_ino != USER_NAMESPACE_INITIAL;
}

static void read_inotify_limits(struct fds_reader *r)
{
	int status;

	if (is_in_other_users(r)) {
		r->summary.inotify_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
		return;
	}
	status = read_system_number(
		r, "/proc/sys/fs/inotify/max_user_watches", &r->summary.watches_max);

	if (!status)
		status = read_system_number(
			r, "/proc/sys/fs/inotify/max_user_instances", &r->summary.instances_max);
	r->summary.inotify_state = procfs_state(status);
}

static void write_process(struct fds_reader *r, struct backend_run *run)
{
	RECORD_APPEND(&run->out, &r->summary, NULL, 0);
	forget_process(r);
}

static void emit_other_tables(struct fds_reader *r, struct backend_run *run)
{
	if (fd_tables_are_several(&r->tables, &r->snapshot, r->tid))
		backend_limit(run, "descriptors of threads with a private descriptor table",
			"only the main descriptor table of the process is read", "");
}

/* Returns the mount namespace; 0: unknown, or the root is not that of the namespace, and other
 * mounts are listed. */
static uint64_t mount_namespace(const struct fds_reader *r)
{
	char root[2];
	struct stat st;

	return readlinkat(r->snapshot.process, "root", root, sizeof(root)) == 1 &&
			       !fstatat(r->snapshot.process, "ns/mnt", &st, 0)
		       ? st.st_ino
		       : 0;
}

static void read_mounts(struct fds_reader *r, uint64_t now)
{
	uint64_t of = mount_namespace(r);

	if (of && of == r->mounts_of && now - r->mounts_ns < FDS_SHARED_NS)
		return;
	r->mounts_of = mounts_read(&r->mounts, r->snapshot.process, &r->scratch) ? 0 : of;
	r->mounts_ns = now;
}

bool fds_reader_begin(
	struct fds_reader *r, struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct procfs_stat stat;
	int status;

	forget_process(r);
	r->lookups = 0;
	r->successors = 0;
	map_clear(&r->blocked);
	map_clear(&r->written);
	status = process_snapshot_open_stat(&r->snapshot, run, pid, expected, &stat, &r->scratch);
	if (status > 0) {
		forget_process(r);
		return false;
	}
	r->summary = (struct fds_process){ .record = process_snapshot_head(
						   &r->snapshot, run, 0, FDS_PROCESS),
		.limit_state = SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED),
		.holders_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED) };
	read_inotify_limits(r);
	if (!status) {
		read_limits(r);
		r->tid = stat.living ? stat.living : stat.pid;
		r->table = openat(r->snapshot.process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (r->table < 0 || procfs_has_ended(&stat))
			status = r->table >= 0 || errno == ENOENT ? -ESRCH : -errno;
	}
	if (status) {
		r->summary.descriptors_state = procfs_state(status);
		write_process(r, run);
		return false;
	}
	if (stat.threads > 1)
		emit_other_tables(r, run);
	read_mounts(r, run->os->now_ns(run->os));
	return true;
}

/* --- a descriptor --- */

int fds_reader_info(struct fds_reader *r, uint32_t fd)
{
	char name[64];

	if (r->info_of == fd)
		return r->info_status;
	snprintf(name, sizeof(name), "fdinfo/%u", fd);
	r->info_of = fd;
	r->info_status = procfs_read_at(r->snapshot.process, name, &r->info_text, FDINFO_BYTES);
	if (r->info_status >= 0)
		fdinfo_parse(&r->info, r->info_text.data, r->info_text.size);
	else
		r->info = (struct fdinfo){ 0 };
	return r->info_status;
}

bool fds_reader_may_block(const struct fds_reader *r, const struct fd_raw *raw)
{
	const struct mount *mount;

	if (raw->path_state == SOOTH_STATE_VALUE && raw->path.size && raw->path.data[0] != '/')
		return false; /* of the kernel itself */
	mount = raw->flags_state == SOOTH_STATE_VALUE ? mounts_get(&r->mounts, raw->mount) : NULL;
	return !mount || mount->may_block;
}

/* Returns whether that exact name leads to the file: 1 or 0; a negative errno: unknown. */
static int has_that_name(struct fds_reader *r, struct backend_run *run, const struct fd_raw *raw)
{
	struct path_aim aim = { raw->inode, raw->device_major, raw->device_minor };
	int status;

	if (r->lookups++ >= LOOKUPS_MAX) {
		if (r->lookups == LOOKUPS_MAX + 1)
			backend_limit(run, "whether more files named \"... (deleted)\" are deleted",
				"there are too many such files to check every one", "");
		return -E2BIG;
	}
	if (fds_reader_is_blocked(r, raw->mount))
		return -EBUSY;
	status = path_leads_to(&r->timeout, r->snapshot.process, raw->path, &aim);
	if (status == -ETIMEDOUT)
		fds_reader_note_blocked(r, raw->mount);
	return status;
}

/* Decides whether a file was deleted: the kernel appends " (deleted)" to the name, but a file's
 * name may also end that way. */
static void resolve_deleted(
	struct fds_reader *r, struct backend_run *run, struct fd_raw *raw, struct fds_descriptor *d)
{
	int living = 0;

	d->is_deleted = d->type == FDS_DELETED;
	if (raw->path_state != SOOTH_STATE_VALUE || !raw->path.size || raw->path.data[0] != '/' ||
		!span_ends(raw->path, DELETED_SUFFIX))
		return;
	d->deleted_state = raw->inode_state;
	if (d->deleted_state)
		return;
	if (d->type != FDS_MEMFD && raw->links)
		living = has_that_name(r, run, raw);
	if (living < 0)
		d->deleted_state = procfs_state(living);
	if (living)
		return;
	d->is_deleted = d->type != FDS_MEMFD;
	raw->path.size -= strlen(DELETED_SUFFIX);
}

static void write_members(struct fds_reader *r, struct backend_run *run, uint32_t fd)
{
	struct cursor c = cursor_over(r->info_text.data, r->info_text.size);
	struct fdinfo_member m;

	while (fdinfo_next_member(&c, &m)) {
		struct fds_member record = { .record = r->summary.record,
			.inode = m.inode,
			.epoll = fd,
			.fd = m.fd,
			.events = m.events };

		record.record.kind = FDS_MEMBER;
		RECORD_APPEND(&run->out, &record, NULL, 0);
	}
}

static void add_watches(struct fds_reader *r, uint32_t fd)
{
	struct cursor c = cursor_over(r->info_text.data, r->info_text.size);
	struct fdinfo_watch w;

	while (fdinfo_next_watch(&c, &w))
		fd_watches_add(&r->watches, fd, &w);
	r->summary.watches += r->info.watches;
}

#define PEERS_MAX 1000000

static void fd_ends_add_socket(struct fd_ends *e, uint64_t inode)
{
	map_put(&e->sockets, &inode, NULL);
}

/* Decides which ends to search for: requests the peers from the kernel. Returns 0, or a negative
 * errno if they are not available. */
static int fd_ends_prepare(struct fd_ends *e, int process, struct sooth_error *err)
{
	_cleanup_close_ int netlink = -1;
	struct map peers;
	int status;

	if (!e->sockets.count)
		return 0;
	netlink = socket_diag_open(process, err);
	if (netlink < 0)
		return netlink;
	map_init(&peers, sizeof(uint64_t), sizeof(uint64_t), PEERS_MAX);
	status = socket_diag_peers(netlink, &peers, err);
	/* If one socket family failed, the answers of the others still count. */
	map_for_each_key (&e->sockets, const void *, inode) {
		const uint64_t *peer = map_get(&peers, inode);
		struct fd_end_key key = { .inode = peer ? *peer : 0 };
		struct fd_end *end = key.inode ? map_put(&e->targets, &key, NULL) : NULL;

		if (end)
			end->descriptor_inode = *(const uint64_t *)inode;
	}
	map_fini(&peers);
	return status;
}

static void add_pipe_or_socket_end(struct fds_reader *r, const struct fd_raw *raw, uint8_t type)
{
	uint64_t device = makedev(raw->device_major, raw->device_minor);

	if (raw->inode_state != SOOTH_STATE_VALUE)
		return;
	if (type == FDS_PIPE)
		fd_ends_add_pipe(&r->ends, raw->inode);
	else if (type == FDS_FIFO)
		fd_ends_add_fifo(&r->ends, raw->inode, device, raw->path);
	else if ((type == FDS_UNIX || type == FDS_TCP) && raw->path.data[0] == 's')
		fd_ends_add_socket(&r->ends, raw->inode);
}

static void read_kind(struct fds_reader *r, struct backend_run *run, const struct fd_raw *raw,
	struct fds_descriptor *d)
{
	static const struct fdinfo nothing;
	bool has_info = fd_kind_has_info(raw, d->type);
	int status = has_info ? fds_reader_info(r, raw->fd) : 0;

	buffer_reset(&r->detail);
	if (status >= 0)
		fd_detail(&r->detail, d->type, raw, has_info ? &r->info : &nothing);
	d->detail_state = r->detail.size ? procfs_state(status) : SOOTH_STATE_ABSENT;
	if (status < 0)
		d->detail_state = procfs_state(status);
	else if (!r->detail.size && raw->protocol_state != SOOTH_STATE_VALUE)
		d->detail_state = raw->protocol_state;
	if (status < 0)
		return;
	if (d->type == FDS_EPOLL)
		write_members(r, run, raw->fd);
	else if (d->type == FDS_INOTIFY)
		add_watches(r, raw->fd);
}

static void fill_descriptor(const struct fd_raw *raw, struct fds_descriptor *d)
{
	bool is_node =
		raw->inode_state == SOOTH_STATE_VALUE && (S_ISCHR(raw->mode) || S_ISBLK(raw->mode));
	bool is_file = S_ISREG(raw->mode) && d->type != FDS_NAMESPACE && d->type != FDS_PIDFD;

	d->inode = raw->inode;
	d->device_major = raw->device_major;
	d->device_minor = raw->device_minor;
	d->inode_state = raw->inode_state;
	d->offset = raw->offset;
	d->flags = raw->flags;
	d->closes_on_exec = (raw->flags & O_CLOEXEC) != 0;
	d->mount = raw->mount;
	d->access = fd_access(raw->flags);
	d->flags_state = raw->flags_state;
	d->node_major = is_node ? raw->node_major : 0;
	d->node_minor = is_node ? raw->node_minor : 0;
	d->node_state = is_node				 ? SOOTH_STATE_VALUE
			: raw->inode_state && !raw->mode ? raw->inode_state
							 : SOOTH_STATE_ABSENT;
	d->size_bytes = is_file ? raw->size_bytes : 0;
	d->size_state = raw->inode_state ? raw->inode_state
			: is_file	 ? SOOTH_STATE_VALUE
					 : SOOTH_STATE_ABSENT;
	d->path_state = raw->path_state;
}

void fds_reader_descriptor(struct fds_reader *r, struct backend_run *run, struct fd_raw *raw)
{
	struct fds_descriptor d = {
		.record = r->summary.record, .fd = raw->fd, .type = fd_kind(raw)
	};
	bool has_detail = wants_details(run);

	d.record.kind = FDS_DESCRIPTOR;
	fill_descriptor(raw, &d);
	resolve_deleted(r, run, raw, &d);
	read_kind(r, run, raw, &d);
	struct record_tail tail[] = { { &d.path, raw->path.data, raw->path.size },
		{ &d.detail, r->detail.data, r->detail.size } };
	RECORD_APPEND(&run->out, &d, tail, ARRAY_SIZE(tail));
	r->summary.descriptors++;
	fd_space_add_mount(r, &d);
	fd_successor_write(r, run, &d, raw->path);
	if (!has_detail)
		return;
	add_pipe_or_socket_end(r, raw, d.type);
	if (d.type == FDS_DIRECTORY && raw->path_state == SOOTH_STATE_VALUE)
		fd_watches_add_root(&r->watches, raw->path);
}

/* --- the end of a snapshot --- */

#define FEW_WATCHES 64 /* number of watches whose paths are found without a request */

static void finish_watches(struct fds_reader *r, struct backend_run *run)
{
	size_t count = fd_watches_count(&r->watches);

	if (wants_details(run) && count) {
		if (!procfs_link_at(r->snapshot.process, "cwd", &r->scratch))
			fd_watches_add_root(&r->watches,
				span_of((const char *)r->scratch.data, r->scratch.size));
		fd_watches_resolve(
			&r->watches, &r->timeout, &r->mounts, &r->blocked, r->snapshot.process);
	} else if (count && count <= FEW_WATCHES) {
		fd_watches_resolve_some(&r->watches, &r->timeout, &r->mounts, r->snapshot.process);
	}
	if (r->watches.left_out)
		backend_limit(run, "more inotify watches",
			"there are more watches than sooth can report", "");
	fd_watches_write(&r->watches, run, &r->summary.record);
}

static void finish_holders(struct fds_reader *r, struct backend_run *run)
{
	struct sooth_error err;

	if (!wants_details(run))
		return;
	if (fd_ends_prepare(&r->ends, r->snapshot.process, &err))
		backend_limit_error(run, "processes at the other ends of sockets", &err);
	r->summary.holders_state = fd_ends_search(&r->ends, run, &r->summary.record);
}

void fds_reader_end(struct fds_reader *r, struct backend_run *run, int status)
{
	struct process_id id;

	/* The process may have ended meanwhile, and its files with it. */
	if (procfs_identify_at(r->snapshot.process, &id))
		status = -ESRCH;
	finish_watches(r, run);
	finish_holders(r, run);
	if (status >= 0)
		fd_space_write(r, run);
	r->summary.descriptors_state = procfs_state(status);
	r->info_of = -1;
	write_process(r, run);
}
