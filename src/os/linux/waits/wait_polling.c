/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread that sleeps for a short time often waits for a condition that the kernel does not know:
 * a lock file that disappears, a lock of a database that becomes free. Candidates are searched for
 * in the thread's working directory and among its descriptors. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/lock_name.h"
#include "base/units.h"
#include "os/linux/waits/wait_reader.h"

#define SLEEP_MAX   (30 * NS_PER_S) /* a longer sleep is no polling */
#define ENTRIES_MAX 4096
#define LOCK_BYTES  128 /* a lock file is empty or has a pid; lists of packages are larger */
#define FILES_MAX   4
#define PID_MAX	    (1u << 22) /* proc(5): the largest value of pid_max */

/* Filled in by the child with a timeout: no pointers. */
struct lock_files {
	int process; /* descriptor of /proc/PID */
	unsigned count;
	struct {
		char path[256]; /* below the working directory */
		char text[32];
		uint64_t modified_s;
	} files[FILES_MAX];
};

static void look_at(struct lock_files *l, int dir, const char *below, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	ssize_t got;

	if (l->count == FILES_MAX || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) ||
		!S_ISREG(st.st_mode) || st.st_size > LOCK_BYTES)
		return;
	snprintf(l->files[l->count].path, sizeof(l->files[0].path), "%s%s", below, name);
	l->files[l->count].modified_s = (uint64_t)st.st_mtime;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	got = fd < 0 ? 0 : read(fd, l->files[l->count].text, sizeof(l->files[0].text) - 1);
	if (got <= 0)
		l->files[l->count].text[0] = '\0';
	l->count++;
}

static void look_in(struct lock_files *l, const char *path, const char *below)
{
	int table = openat(l->process, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = table < 0 ? NULL : fdopendir(table);
	struct dirent *entry;

	if (!dir && table >= 0)
		close(table);
	for (unsigned i = 0; dir && i < ENTRIES_MAX && (entry = readdir(dir)); i++) {
		if (is_lock_name(entry->d_name))
			look_at(l, dirfd(dir), below, entry->d_name);
	}
}

static void do_look(void *argument)
{
	struct lock_files *l = argument;

	look_in(l, "cwd", "");
	look_in(l, "cwd/.git", ".git/");
}

/* Returns the number that is the whole text, as programs write their PID; 0: there is none. */
static uint32_t pid_in(const char *text)
{
	unsigned long pid;
	char *end;

	while (isblank((unsigned char)*text)) /* as UUCP does */
		text++;
	if (!isdigit((unsigned char)*text))
		return 0;
	pid = strtoul(text, &end, 10);
	return pid <= PID_MAX && (!*end || isspace((unsigned char)*end)) ? (uint32_t)pid : 0;
}

/* Returns whether the process itself has the file open: then it works under the lock. */
static bool has_open(struct wait_reader *r, const struct wait_node *n, struct span path)
{
	size_t count;
	const struct wait_end *ends =
		wait_ends_first(&r->ends, WAIT_END_PATH, wait_ends_hash_path(path), &count);

	for (size_t i = 0; i < count; i++) {
		if (ends[i].pid == n->stat.pid)
			return true;
	}
	return false;
}

/* Returns a process that has the file open. */
static uint32_t opener_of(
	struct wait_reader *r, const struct wait_node *n, struct span path, uint32_t *fd)
{
	size_t count;
	const struct wait_end *ends =
		wait_ends_first(&r->ends, WAIT_END_PATH, wait_ends_hash_path(path), &count);

	for (size_t i = 0; i < count; i++) {
		if (ends[i].pid != n->stat.pid) {
			*fd = ends[i].fd;
			return ends[i].pid;
		}
	}
	return 0;
}

static void add_file(struct wait_reader *r, const struct wait_node *n, const struct wait_call *c,
	const char *name, const char *text)
{
	struct wait_found found = { .relation = WAITS_RELATION_LOCK_FILE,
		.source = WAITS_SOURCE_FILE,
		.confidence = WAITS_LOW };
	struct buffer path = { 0 };

	if (procfs_link_at(n->process, "cwd", &r->more))
		return;
	buffer_append(&path, r->more.data, r->more.size);
	buffer_format(&path, "/%s", name);
	found.detail = span_of((const char *)path.data, path.size);
	found.pid = n->numberings == 1 ? pid_in(text) : 0; /* of another PID namespace */
	if (!found.pid || !wait_table_get(&r->table, found.pid)) {
		uint32_t opener = opener_of(r, n, found.detail, &found.fd);

		found.pid = opener ? opener : found.pid;
		found.source = opener ? WAITS_SOURCE_DESCRIPTORS : WAITS_SOURCE_FILE;
	}
	if (found.pid != n->stat.pid && !has_open(r, n, found.detail))
		wait_add_party(r, n, c->thread->record.tid, &found);
	buffer_fini(&path);
}

static void add_lock_files(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	struct lock_files l = { .process = n->process };

	if (timeout_call(&r->timeout, do_look, NULL, &l, sizeof(l), n->process, TIMEOUT_MS))
		return;
	for (unsigned i = 0; i < l.count; i++)
		add_file(r, n, c, l.files[i].path, l.files[i].text);
}

void wait_add_polled_causes(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	const struct waits_thread *t = c->thread;

	if (t->timeout_state == SOOTH_STATE_VALUE && t->timeout_ns > SLEEP_MAX)
		return;
	wait_add_polled_locks(r, n, c);
	wait_add_package_locks(r, n, c);
	add_lock_files(r, n, c);
}
