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
#define INSIDE_MAX                                                                                 \
	4 /* files in a lock directory: a pid, a host name; a folder of sources has more */
#define TEXT_SIZE 32
#define PID_MAX	  (1u << 22) /* proc(5): the largest value of pid_max */

/* Filled in by the child with a timeout: no pointers. */
struct lock_files {
	int process; /* descriptor of /proc/PID */
	unsigned count;
	struct {
		char path[256]; /* below the working directory */
		char text[TEXT_SIZE];
		bool is_directory;
	} files[FILES_MAX];
};

/* Returns the number that is the whole text, as programs write their PID, or comes after "pid"; 0:
 * there is none. */
static uint32_t pid_in(const char *text)
{
	unsigned long pid;
	char *end;

	while (isblank((unsigned char)*text)) /* as UUCP does */
		text++;
	if (!strncasecmp(text, "pid", 3))
		text += 3 + strspn(text + 3, " :=\t");
	if (!isdigit((unsigned char)*text))
		return 0;
	pid = strtoul(text, &end, 10);
	return pid <= PID_MAX && (!*end || isspace((unsigned char)*end)) ? (uint32_t)pid : 0;
}

/* Reads the begin of a small file; false: it is no such file. */
static bool read_small(int dir, const char *name, char text[TEXT_SIZE])
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	ssize_t got;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
		st.st_size > LOCK_BYTES)
		return false;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	got = fd < 0 ? 0 : read(fd, text, TEXT_SIZE - 1);
	text[got > 0 ? got : 0] = '\0';
	return true;
}

static DIR *open_directory(int at, const char *path, int flags)
{
	int table = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	DIR *dir = table < 0 ? NULL : fdopendir(table);

	if (!dir && table >= 0)
		close(table);
	return dir;
}

/* Reads a directory that mkdir(1) made as a lock: it is empty, or has a file with a PID. */
static bool read_lock_directory(int at, const char *name, char text[TEXT_SIZE])
{
	_cleanup_dir_ DIR *dir = open_directory(at, name, O_NOFOLLOW);
	struct dirent *entry;
	unsigned count = 0;

	while (dir && (entry = readdir(dir))) {
		char of_file[TEXT_SIZE];

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (++count > INSIDE_MAX || !read_small(dirfd(dir), entry->d_name, of_file))
			return false;
		if (pid_in(of_file))
			memcpy(text, of_file, TEXT_SIZE);
	}
	return dir;
}

static void add_file_with_name(struct lock_files *l, int dir, const char *below, const char *name)
{
	char text[TEXT_SIZE] = "";
	bool is_directory;

	if (l->count == FILES_MAX)
		return;
	is_directory = !read_small(dir, name, text);
	if (is_directory && !read_lock_directory(dir, name, text))
		return;
	snprintf(l->files[l->count].path, sizeof(l->files[0].path), "%s%s", below, name);
	memcpy(l->files[l->count].text, text, sizeof(text));
	l->files[l->count++].is_directory = is_directory;
}

static void search_folder(struct lock_files *l, const char *path, const char *below)
{
	_cleanup_dir_ DIR *dir = open_directory(l->process, path, 0);
	struct dirent *entry;

	for (unsigned i = 0; dir && i < ENTRIES_MAX && (entry = readdir(dir)); i++) {
		if (is_lock_name(entry->d_name))
			add_file_with_name(l, dirfd(dir), below, entry->d_name);
	}
}

static void run_search_job(void *argument)
{
	/* Where programs keep what belongs to one run, besides the folder they work in. */
	static const char *const folders[] = { "", ".git/", "run/", "tmp/", "var/", "lock/",
		"locks/", "data/" };
	struct lock_files *l = argument;
	char path[16];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "cwd/%s", folders[i]);
		search_folder(l, path, folders[i]);
	}
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
	const char *name, const char *text, enum waits_source source)
{
	struct wait_found found = {
		.relation = WAITS_RELATION_LOCK_FILE, .source = source, .confidence = WAITS_LOW
	};
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
		if (opener && source == WAITS_SOURCE_FILE)
			found.source = WAITS_SOURCE_DESCRIPTORS;
	}
	/* A shell that has the lock works, and sleeps in between. */
	if (found.pid == n->stat.ppid && found.pid && !strcmp(n->name, "sleep"))
		found.pid = n->stat.pid;
	if (found.pid != n->stat.pid && !has_open(r, n, found.detail))
		wait_add_party(r, n, c->thread->record.tid, &found);
	buffer_fini(&path);
}

static void add_lock_files(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	struct lock_files l = { .process = n->process };

	if (timeout_call(&r->timeout, run_search_job, NULL, &l, sizeof(l), n->process, TIMEOUT_MS))
		return;
	for (unsigned i = 0; i < l.count; i++)
		add_file(r, n, c, l.files[i].path, l.files[i].text,
			l.files[i].is_directory ? WAITS_SOURCE_DIRECTORY : WAITS_SOURCE_FILE);
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
