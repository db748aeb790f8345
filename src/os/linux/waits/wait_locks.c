/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks on files. /proc/locks lists each lock with the process that made it, and below it, marked
 * by "->", the processes that wait for it.
 *
 * Cannot be seen: locks of other PID namespaces; the owner of an open file description lock, which
 * has no PID in /proc/locks: sooth searches the processes that have the file open.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/waits/wait_lock_lines.h"
#include "os/linux/waits/wait_reader.h"

#define FDS_MAX 512 /* descriptors of a process that are compared */

/* --- a call that waits for a lock --- */

static void describe(struct wait_reader *r, const struct wait_node *n, const struct lock_line *l,
	uint32_t fd, struct buffer *out)
{
	char path[48];

	snprintf(path, sizeof(path), "fd/%u", fd);
	if (procfs_link_at(n->process, path, &r->more))
		buffer_format(out, "inode %llu", (unsigned long long)l->inode);
	else
		buffer_append(out, r->more.data, r->more.size);
}

/* Adds the processes with a descriptor that has a lock without a living owner. */
static bool add_by_descriptors(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	struct span path, enum waits_source source, enum waits_confidence confidence)
{
	size_t count;
	const struct wait_end *ends =
		wait_ends_first(&r->ends, WAIT_END_PATH, wait_ends_hash_path(path), &count);
	bool is_found = false;

	r->ends_state = wait_ends_state(&r->ends);
	for (size_t i = 0; i < count; i++) {
		char name[48];

		if (ends[i].pid == n->stat.pid)
			continue;
		snprintf(name, sizeof(name), "fdinfo/%u", ends[i].fd);
		if (procfs_read(procfs_living((pid_t)ends[i].pid), name, &r->more, PROCFS_SMALL) <
			0)
			continue;
		if (!strstr(buffer_cstr(&r->more), "\nlock:") &&
			!strstr(buffer_cstr(&r->more), "lock:\t"))
			continue;
		wait_add_party(r, n, tid,
			&(struct wait_found){ .relation = WAITS_RELATION_LOCK,
				.source = source,
				.confidence = confidence,
				.pid = ends[i].pid,
				.fd = ends[i].fd,
				.detail = path,
				.follows = true });
		is_found = true;
	}
	return is_found;
}

static void add_holder(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	const struct lock_line *l, uint32_t fd)
{
	struct buffer path = { 0 };
	struct wait_found found = { .relation = WAITS_RELATION_LOCK,
		.source = WAITS_SOURCE_LOCKS,
		.confidence = WAITS_HIGH,
		.pid = (uint32_t)l->pid,
		.follows = true };

	describe(r, n, l, fd, &path);
	found.detail = span_of((const char *)path.data, path.size);
	/* The lock of an open file outlives the process that made it, if a child has the file. */
	if ((!l->pid || !wait_table_get(&r->table, (uint32_t)l->pid)) &&
		add_by_descriptors(r, n, tid, found.detail,
			l->pid > 0 ? WAITS_SOURCE_INHERITED : WAITS_SOURCE_LOCKS, WAITS_HIGH)) {
		buffer_fini(&path);
		return;
	}
	wait_add_party(r, n, tid, &found);
	buffer_fini(&path);
}

static bool is_same(const struct lock_line *l, uint64_t inode, uint32_t major, uint32_t minor)
{
	return l->inode == inode && l->major == major && l->minor == minor;
}

/* Finds the line of this process's wait. */
static bool find_wait(
	struct wait_reader *r, const struct wait_node *n, uint32_t tid, struct lock_line *out)
{
	struct cursor c = wait_lock_lines(r);

	while (wait_lock_next(&c, out)) {
		if (out->is_waiting && (out->pid == n->stat.pid || out->pid == tid))
			return true;
	}
	return false;
}

void wait_add_lock_owners(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	uint32_t fd = (uint32_t)c->thread->arguments[0], tid = c->thread->record.tid;
	uint32_t major = 0, minor = 0;
	struct lock_line waiting, l;
	bool has_wait = find_wait(r, n, tid, &waiting);
	uint64_t inode = 0;
	struct cursor all;

	if (!has_wait && !wait_read_file_identity(r, n, fd, &inode, &major, &minor))
		return;
	all = wait_lock_lines(r);
	while (wait_lock_next(&all, &l)) {
		if (l.is_waiting)
			continue;
		if (has_wait ? l.number == waiting.number
			     : is_same(&l, inode, major, minor) && l.pid != n->stat.pid)
			add_holder(r, n, tid, &l, fd);
	}
}

/* --- a process that tries again and again --- */

/* Returns whether the descriptor has the lock of the open file itself, which a child has from its
 * parent: then it does not wait. A lock of the process (POSIX) does not count, because it may be on
 * another part of the file: SQLite has such a lock while it is refused another. */
static bool shares_lock(struct wait_reader *r, const struct wait_node *n, uint32_t fd)
{
	char name[48];

	snprintf(name, sizeof(name), "fdinfo/%u", fd);
	return procfs_read_at(n->process, name, &r->more, PROCFS_SMALL) >= 0 &&
	       strstr(buffer_cstr(&r->more), "lock:\t") &&
	       (strstr(buffer_cstr(&r->more), ": FLOCK") ||
		       strstr(buffer_cstr(&r->more), ": OFDLCK"));
}

static void add_polled(struct wait_reader *r, const struct wait_node *n, const struct wait_call *c,
	const struct lock_line *l, uint32_t fd, struct span path)
{
	uint32_t tid = c->thread->record.tid;

	/* The lock of an open file names no process. */
	if (!l->pid && add_by_descriptors(r, n, tid, path, WAITS_SOURCE_LOCKS, WAITS_MEDIUM))
		return;
	wait_add_party(r, n, tid,
		&(struct wait_found){ .relation = WAITS_RELATION_LOCK,
			.source = WAITS_SOURCE_LOCKS,
			.confidence = WAITS_MEDIUM,
			.pid = (uint32_t)l->pid,
			.fd = fd,
			.detail = path,
			.follows = true });
}

/* Adds a lock for writing that another process has on a file that this process has open. */
void wait_add_polled_locks(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	struct own_file files[FDS_MAX];
	size_t count = 0;
	struct lock_line l;
	struct cursor all = wait_lock_lines(r);
	uint32_t last = 0;

	if (cursor_at_end(&all))
		return;
	for (uint32_t fd = 0; fd < FDS_MAX && count < FDS_MAX; fd++) {
		struct own_file *f = &files[count];

		f->fd = fd;
		count += wait_read_file_identity(r, n, fd, &f->inode, &f->major, &f->minor) &&
			 !shares_lock(r, n, fd);
	}
	while (wait_lock_next(&all, &l)) {
		if (l.is_waiting || span_equal(l.mode, "READ") || l.pid == n->stat.pid ||
			(l.pid && l.pid == last))
			continue;
		for (size_t i = 0; i < count; i++) {
			struct buffer path = { 0 };

			if (!is_same(&l, files[i].inode, files[i].major, files[i].minor))
				continue;
			describe(r, n, &l, files[i].fd, &path);
			add_polled(r, n, c, &l, files[i].fd,
				span_of((const char *)path.data, path.size));
			buffer_fini(&path);
			last = (uint32_t)l.pid;
			break;
		}
	}
}

/* --- package managers --- */

/* apt closes the file between two tries, so no descriptor shows which lock it wants. */
static const char *const package_programs[] = { "apt", "apt-get", "aptitude", "dpkg", "packagekitd",
	"synaptic", "unattended-upgr" };
static const char *const package_locks[] = { "/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock",
	"/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock" };

/* Filled in by the child with a timeout: no pointers. */
struct package_files {
	int process;					  /* descriptor of /proc/PID */
	struct own_file files[ARRAY_SIZE(package_locks)]; /* inode 0: no such file */
};

static void do_stat(void *argument)
{
	struct package_files *f = argument;

	for (size_t i = 0; i < ARRAY_SIZE(package_locks); i++) {
		char path[64];
		struct stat st;

		snprintf(path, sizeof(path), "root%s", package_locks[i]);
		if (fstatat(f->process, path, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		f->files[i] = (struct own_file){
			.inode = st.st_ino, .major = major(st.st_dev), .minor = minor(st.st_dev)
		};
	}
}

static bool is_package_program(const struct wait_node *n)
{
	return SPAN_ANY(span_of_string(n->name), span_equal, package_programs);
}

void wait_add_package_locks(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	struct package_files f = { .process = n->process };
	struct lock_line l;
	struct cursor all;

	if (!is_package_program(n) ||
		timeout_call(&r->timeout, do_stat, NULL, &f, sizeof(f), n->process, TIMEOUT_MS))
		return;
	all = wait_lock_lines(r);
	while (wait_lock_next(&all, &l)) {
		for (size_t i = 0; i < ARRAY_SIZE(package_locks); i++) {
			const struct own_file *file = &f.files[i];

			if (l.is_waiting || !l.pid || l.pid == n->stat.pid || !file->inode ||
				!is_same(&l, file->inode, file->major, file->minor))
				continue;
			wait_add_party(r, n, c->thread->record.tid,
				&(struct wait_found){ .relation = WAITS_RELATION_LOCK,
					.source = WAITS_SOURCE_LOCKS,
					.confidence = WAITS_MEDIUM,
					.pid = (uint32_t)l.pid,
					.detail =
						span_of(package_locks[i], strlen(package_locks[i])),
					.follows = true });
		}
	}
}
