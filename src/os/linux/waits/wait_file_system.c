/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wait for the answer of a file system: the file, its mount, and the process that serves the
 * mount. A FUSE server has the connection open (/dev/fuse). Its fdinfo names the connection by the
 * device number of the mount (Linux 6.x; on older kernels only a single process with /dev/fuse open
 * is known to be the server). The file itself is not touched, because that would wait, too.
 *
 * An access to a file may also wait for the permission of another process, such as a virus scanner
 * (fanotify(7), FAN_OPEN_PERM). Its fdinfo names the mounts and files that it guards
 * (proc_pid_fdinfo(5)).
 *
 * Also found are descendants of the observed process that wait in this way, or in state D: the
 * process does not wait for them, but they are its work.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "os/linux/files/task_files.h"
#include "os/linux/waits/wait_reader.h"

#define BLOCKED_MAX 32 /* descendants; with more, the snapshot is truncated */
#define ASKED_MAX   64 /* sleeping descendants whose wait channel is read */
#define SLEEPERS_OF 16 /* observed processes; for others only descendants in state D are found */
#define MINOR_BITS  20 /* bits of the minor number of a device inside the kernel */
#define PERMISSIONS 0x70000u /* FAN_OPEN_PERM, FAN_ACCESS_PERM and FAN_OPEN_EXEC_PERM */

/* --- which file, and which mount --- */

/* Returns the descriptor whose file the call is about, or -1. With AT_EMPTY_PATH it is that of the
 * directory: fstat(3) of the C library is newfstatat(2) with an empty path. */
static int descriptor_of(const struct wait_call *c)
{
	int fd_at = wait_find_argument(c->row, ARGUMENT_TYPE_fd);
	int flags_at = wait_find_argument(c->row, ARGUMENT_TYPE_at_flags);

	if (flags_at >= 0 && c->thread->arguments[flags_at] & AT_EMPTY_PATH)
		fd_at = wait_find_argument(c->row, ARGUMENT_TYPE_dir);
	return fd_at < 0 ? -1 : (int)c->thread->arguments[fd_at];
}

/* Makes a path absolute. A path that does not begin at the root is below the directory of the call,
 * or the working directory. */
static void make_absolute(
	const struct wait_node *n, const struct wait_call *c, const char *path, struct buffer *out)
{
	int at = wait_find_argument(c->row, ARGUMENT_TYPE_dir);
	int32_t fd = at < 0 ? AT_FDCWD : (int32_t)c->thread->arguments[at];
	char link[32] = "cwd";

	if (fd != AT_FDCWD)
		snprintf(link, sizeof(link), "fd/%d", fd);
	if (*path != '/' && !procfs_link_at(n->process, link, out))
		buffer_char(out, '/');
	buffer_string(out, path);
}

static const struct mount *mount_of(struct wait_reader *r, struct wait_node *n, struct span path)
{
	if (!n->has_mounts)
		mounts_read(&n->mounts, n->process, &r->more);
	n->has_mounts = true;
	return mounts_find(&n->mounts, path);
}

static uint32_t device_of(const struct mount *mount)
{
	return mount->device_major << MINOR_BITS | mount->device_minor;
}

/* --- its server --- */

/* Sets the device of the connection behind a descriptor of /dev/fuse; false: the kernel does not
 * show it. */
static bool connection_of(struct wait_reader *r, const struct wait_end *end, uint32_t *device)
{
	char path[48];
	struct span text;
	uint64_t value;

	snprintf(path, sizeof(path), "fdinfo/%u", end->fd);
	if (procfs_read((pid_t)end->pid, path, &r->text, PROCFS_SMALL) ||
		!task_status_find(&text, "fuse_connection:", r->text.data, r->text.size) ||
		!span_decimal(text, &value))
		return false;
	*device = (uint32_t)value;
	return true;
}

/* Adds the server. A process that has forked shares the connection with its child: the older one is
 * named. */
static void add_server(
	struct wait_reader *r, struct wait_node *n, uint32_t tid, const struct mount *mount)
{
	size_t count;
	const struct wait_end *ends = wait_ends_first(
		&r->ends, WAIT_END_PATH, wait_ends_hash_path(span_of_string("/dev/fuse")), &count);
	struct wait_found found = { .relation = WAITS_RELATION_DAEMON,
		.source = WAITS_SOURCE_DESCRIPTORS,
		.confidence = WAITS_HIGH,
		.detail = mounts_point(&n->mounts, mount) };

	for (size_t i = 0; mount->is_fuse && i < count; i++) {
		uint32_t device;
		bool is_known = connection_of(r, &ends[i], &device);

		if (is_known ? device != device_of(mount) : count > 1)
			continue;
		found.pid = ends[i].pid;
		found.fd = ends[i].fd;
		found.follows = ends[i].pid != (uint32_t)n->stat.pid;
		if (!is_known)
			found.confidence = WAITS_MEDIUM;
		break;
	}
	wait_add_party(r, n, tid, &found);
}

/* --- who has to permit an access --- */

/* Reads "mask:10000" of a line; false: it has no such member. */
static bool read_member(struct span line, const char *name, uint64_t *value)
{
	const char *at = memmem(line.data, line.size, name, strlen(name));
	struct cursor c;

	if (!at)
		return false;
	at += strlen(name);
	c = cursor_over(at, line.size - (size_t)(at - line.data));
	*value = cursor_hex(&c);
	return !c.failed;
}

/* Returns whether the owner of the descriptor has to permit accesses to files of the mount. */
static bool guards_mount(
	struct wait_reader *r, const struct wait_end *end, const struct mount *mount)
{
	struct cursor c;
	char path[48];

	snprintf(path, sizeof(path), "fdinfo/%u", end->fd);
	if (procfs_read((pid_t)end->pid, path, &r->text, PROCFS_SMALL))
		return false;
	c = cursor_over(r->text.data, r->text.size);
	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		uint64_t mask, value;

		if (span_starts(line, "fanotify ") && !read_member(line, " ino:", &value) &&
			read_member(line, " mask:", &mask) && mask & PERMISSIONS &&
			((read_member(line, " mnt_id:", &value) && value == mount->id) ||
				(read_member(line, " sdev:", &value) && value == device_of(mount))))
			return true;
	}
	return false;
}

static void add_guard(
	struct wait_reader *r, struct wait_node *n, uint32_t tid, const struct mount *mount)
{
	size_t count;
	const struct wait_end *ends = wait_ends_first(&r->ends, WAIT_END_PATH,
		wait_ends_hash_path(span_of_string(WAIT_END_GUARD)), &count);
	struct wait_found found = { .relation = WAITS_RELATION_GUARD,
		.source = WAITS_SOURCE_DESCRIPTORS,
		.confidence = WAITS_HIGH,
		.detail = mounts_point(&n->mounts, mount),
		.follows = true };

	for (size_t i = 0; i < count; i++) {
		found.pid = ends[i].pid;
		found.fd = ends[i].fd;
		if (found.pid != (uint32_t)n->stat.pid && guards_mount(r, &ends[i], mount))
			wait_add_party(r, n, tid, &found);
	}
}

void wait_add_file_system(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	int path_at = c->row ? wait_find_argument(c->row, ARGUMENT_TYPE_path) : -1;
	int fd = c->row ? descriptor_of(c) : -1;
	const struct mount *mount;
	struct buffer file = { 0 };
	char path[WAIT_PATH_SIZE] = "", link[32];
	struct waits_object o = { .record = wait_record(r, c->thread->record.tid, WAITS_OBJECT),
		.node_pid = n->stat.pid,
		.node_start_ticks = n->stat.start_ticks,
		.role = WAITS_ROLE_CALL,
		.type = FDS_FILE,
		.fd_state = SOOTH_STATE_ABSENT,
		.socket_state_state = SOOTH_STATE_ABSENT,
		.expires_state = SOOTH_STATE_ABSENT };

	if (path_at >= 0)
		wait_read_path(r, n, c->thread->arguments[path_at], path);
	if (!*path && fd >= 0) {
		snprintf(link, sizeof(link), "fd/%d", fd);
		procfs_link_at(n->process, link, &file);
	}
	if (*path)
		make_absolute(n, c, path, &file);
	if (file.size && !buffer_failed(&file)) {
		struct record_tail tail[] = { { &o.path, file.data, file.size } };

		/* Calls that open a file, and calls with a descriptor, have a record of their
		 * own. */
		if (*path && c->row->effect.what != SYSCALL_FD_OPENS_FILE)
			RECORD_APPEND(&r->run->out, &o, tail, 1);
		mount = mount_of(r, n, span_of((const char *)file.data, file.size));
		if (mount && waits_is_permission(c->channel))
			add_guard(r, n, c->thread->record.tid, mount);
		else if (mount && mount->may_block)
			add_server(r, n, c->thread->record.tid, mount);
	}
	buffer_fini(&file);
}

/* --- descendants --- */

static bool is_blocked(struct wait_reader *r, const struct wait_entry *e, unsigned *asked)
{
	char channel[64];
	size_t size;

	if (e->state == 'D')
		return true;
	if (e->state != 'S' || ++*asked > ASKED_MAX ||
		procfs_read((pid_t)e->pid, "wchan", &r->bytes, PROCFS_STAT))
		return false;
	size = r->bytes.size < sizeof(channel) ? r->bytes.size : sizeof(channel) - 1;
	memcpy(channel, r->bytes.data, size);
	channel[size] = '\0';
	return waits_is_of_file_system(channel);
}

void wait_add_blocked_below(struct wait_reader *r, uint32_t pid)
{
	unsigned asked = 0, added = 0;

	for (size_t i = 0; i < wait_table_count(&r->table); i++) {
		const struct wait_entry *e = wait_table_at(&r->table, i);

		if ((e->state != 'D' && (e->state != 'S' || r->processes > SLEEPERS_OF)) ||
			!wait_table_is_ancestor(&r->table, pid, e->pid) ||
			!is_blocked(r, e, &asked))
			continue;
		if (added++ == BLOCKED_MAX) {
			r->is_cut = true;
			break;
		}
		wait_add_process(r, e->pid, 1);
	}
}
