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

#define ADDED_MAX 64 /* owners of locks for which one thread may wait */

/* --- a call that waits for a lock --- */

static void put_lock_path(struct wait_reader *r, const struct wait_node *n,
	const struct lock_line *l, uint32_t fd, struct buffer *out)
{
	char path[48];

	snprintf(path, sizeof(path), "fd/%u", fd);
	if (procfs_link_at(n->process, path, &r->more))
		buffer_format(out, "inode %llu", (unsigned long long)l->file.inode);
	else
		buffer_append(out, r->more.data, r->more.size);
}

static void add_owner(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	const struct lock_line *l, struct wait_found found, const struct lock_owner *owner)
{
	found.pid = owner->pid;
	found.fd = owner->fd;
	/* The lock of an open file outlives the process that made it, if a child has the file. */
	if (l->pid && owner->pid != l->pid)
		found.source = WAITS_SOURCE_INHERITED;
	if (owner->is_unsure && found.confidence > WAITS_MEDIUM)
		found.confidence = WAITS_MEDIUM;
	wait_add_party(r, n, tid, &found);
}

/* Adds the owners of the lock of an open file. Returns whether there are any. */
static bool add_by_descriptors(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	struct lock_line *l, struct wait_found found)
{
	const struct lock_table *t = &r->locks;
	const struct lock_owner *first = wait_lock_owners(r, l, found.detail),
				*maker = lock_table_owner_with(t, l, l->pid),
				*own = lock_table_owner_with(t, l, n->stat.pid);
	bool has_other = false;

	r->ends_state = wait_ends_state(&r->ends);
	for (const struct lock_owner *o = maker ? maker : first; o && !(maker && has_other);
		o = lock_table_owner(t, o->next)) {
		if (o->pid == n->stat.pid)
			continue;
		add_owner(r, n, tid, l, found, o);
		has_other = true;
	}
	/* Another owner could release the lock, so only without one it waits for itself. A process
	 * that tries again may want another lock. */
	if (own && !has_other && found.confidence == WAITS_HIGH) {
		if (r->ends_state) /* it may be one that could not be read */
			found.confidence = WAITS_MEDIUM;
		add_owner(r, n, tid, l, found, own);
	}
	return first != NULL;
}

static void add_owners(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	struct lock_line *l, uint32_t fd, enum waits_confidence confidence)
{
	struct buffer path = { 0 };
	struct wait_found found = { .relation = WAITS_RELATION_LOCK,
		.source = WAITS_SOURCE_LOCKS,
		.confidence = confidence,
		.pid = (uint32_t)l->pid,
		.follows = true };

	put_lock_path(r, n, l, fd, &path);
	found.detail = span_of((const char *)path.data, path.size);
	if (!lock_is_of_open_file(l)) {
		wait_add_party(r, n, tid, &found);
	} else if (!add_by_descriptors(r, n, tid, l, found)) {
		/* A living process with that PID is another one. */
		if (wait_table_get(&r->table, found.pid))
			found.pid = 0;
		wait_add_party(r, n, tid, &found);
	}
	buffer_fini(&path);
}

void wait_add_lock_owners(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	uint32_t fd = (uint32_t)c->thread->arguments[0], tid = c->thread->record.tid;
	const struct lock_table *t = wait_lock_table(r);
	struct lock_line *wanted = lock_table_wanted_by(t, n->stat.pid), *const *all = &wanted;
	size_t count = wanted != NULL;
	struct locked_file file;

	if (!wanted && wait_read_file_identity(r, n, fd, &file.inode, &file.major, &file.minor))
		all = lock_table_of_file(t, &file, &count);
	for (size_t i = 0; i < count && i < ADDED_MAX; i++) {
		if (wanted || all[i]->pid != n->stat.pid)
			add_owners(r, n, tid, all[i], fd, WAITS_HIGH);
	}
}

/* --- a process that tries again and again --- */

/* Adds a lock for writing that another process has on a file that this process has open. A process
 * that has the lock of the open file itself, as a child has from its parent, does not wait. A lock
 * of the process (POSIX) does not count, because it may be on another part of the file: SQLite has
 * such a lock while it is refused another. */
void wait_add_polled_locks(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	const struct lock_table *t = wait_lock_table(r);
	size_t files, count, added = 0;
	const struct locked_file *own = wait_own_files(r, n, &files);
	uint64_t last = 0;

	for (size_t i = 0; i < files; i++) {
		struct lock_line *const *all = lock_table_of_file(t, &own[i], &count);

		for (size_t j = 0; j < count && added < ADDED_MAX && !own[i].is_again; j++) {
			struct lock_line *l = all[j];
			uint32_t fd;

			if (span_equal(l->mode, "READ") || (l->pid && l->pid == last) ||
				wait_has_lock(r, n, l, &fd))
				continue;
			add_owners(r, n, c->thread->record.tid, l, own[i].fd, WAITS_MEDIUM);
			last = l->pid;
			added++;
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
	int process;					     /* descriptor of /proc/PID */
	struct locked_file files[ARRAY_SIZE(package_locks)]; /* inode 0: no such file */
};

static void run_stat_job(void *argument)
{
	struct package_files *f = argument;

	for (size_t i = 0; i < ARRAY_SIZE(package_locks); i++) {
		char path[64];
		struct stat st;

		snprintf(path, sizeof(path), "root%s", package_locks[i]);
		if (fstatat(f->process, path, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		f->files[i] = (struct locked_file){
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

	if (!is_package_program(n) || timeout_call(&r->timeout, run_stat_job, NULL, &f, sizeof(f),
					      n->process, TIMEOUT_MS))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(package_locks); i++) {
		size_t count;
		struct lock_line *const *all =
			lock_table_of_file(wait_lock_table(r), &f.files[i], &count);

		for (size_t j = 0; j < count; j++) {
			if (!all[j]->pid || all[j]->pid == n->stat.pid)
				continue;
			wait_add_party(r, n, c->thread->record.tid,
				&(struct wait_found){ .relation = WAITS_RELATION_LOCK,
					.source = WAITS_SOURCE_LOCKS,
					.confidence = WAITS_MEDIUM,
					.pid = (uint32_t)all[j]->pid,
					.detail = span_of_string(package_locks[i]),
					.follows = true });
		}
	}
}
