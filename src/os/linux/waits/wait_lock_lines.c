/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/waits/wait_lock_lines.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/waits/wait_reader.h"

#define LOCKS_BYTES    (4u << 20) /* the kernel needs longer for each further part */
#define FDS_MAX	       4096	  /* descriptors of a process that are compared */
#define FILES_MAX      512	  /* of them with locks */
#define SEARCHES_MAX   256	  /* locks that are searched for in the descriptors of a process */
#define SEARCHES_AGAIN 4 /* searches for the owner of a lock, by the paths of its waiters */

/* --- the lines --- */

static bool parse(struct span line, struct lock_line *out)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct span word;
	int64_t pid;

	*out = (struct lock_line){ 0 };
	out->number = cursor_decimal(&c);
	if (c.failed || !cursor_skip(&c, ":"))
		return false;
	word = cursor_word(&c);
	out->is_waiting = span_equal(word, "->");
	out->type = out->is_waiting ? cursor_word(&c) : word;
	cursor_word(&c); /* ADVISORY */
	out->mode = cursor_word(&c);
	pid = cursor_signed(&c);
	out->pid = pid > 0 ? (uint64_t)pid : 0;
	cursor_blanks(&c);
	out->file.major = (uint32_t)cursor_hex(&c);
	if (!cursor_skip(&c, ":"))
		return false;
	out->file.minor = (uint32_t)cursor_hex(&c);
	if (!cursor_skip(&c, ":"))
		return false;
	out->file.inode = cursor_decimal(&c);
	out->begin = cursor_decimal(&c);
	cursor_blanks(&c);
	out->end = cursor_skip(&c, "EOF") ? UINT64_MAX : cursor_decimal(&c);
	return !c.failed; /* the last line may be cut */
}

static int compare(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

static int compare_files(const struct locked_file *x, const struct locked_file *y)
{
	int order = compare(x->inode, y->inode);

	order = order ? order : compare(x->major, y->major);
	return order ? order : compare(x->minor, y->minor);
}

static int by_file(const void *a, const void *b)
{
	const struct lock_line *x = *(struct lock_line *const *)a,
			       *y = *(struct lock_line *const *)b;
	int order = compare_files(&x->file, &y->file);

	return order ? order : compare(x->number, y->number);
}

static int by_pid(const void *a, const void *b)
{
	return compare((*(struct lock_line *const *)a)->pid, (*(struct lock_line *const *)b)->pid);
}

static void sort(struct buffer *lines, int (*by)(const void *a, const void *b))
{
	if (buffer_failed(lines))
		buffer_reset(lines);
	if (lines->size)
		qsort(lines->data, lines->size / sizeof(struct lock_line *),
			sizeof(struct lock_line *), by);
}

void lock_table_parse(struct lock_table *t)
{
	struct cursor c = cursor_over(t->text.data, t->text.size);
	struct lock_line l;

	while (!cursor_at_end(&c)) {
		if (parse(cursor_line(&c), &l))
			buffer_append(&t->lines, &l, sizeof(l));
	}
	buffer_append(&t->lines, &(struct lock_line){ 0 }, sizeof(l));
	if (buffer_failed(&t->lines))
		return;
	for (struct lock_line *i = (void *)t->lines.data; i->number; i++)
		buffer_append(i->is_waiting ? &t->waiters : &t->files, &i, sizeof(i));
	sort(&t->waiters, by_pid);
	sort(&t->files, by_file);
}

void lock_table_clear(struct lock_table *t)
{
	buffer_fini(&t->text);
	buffer_fini(&t->lines);
	buffer_fini(&t->files);
	buffer_fini(&t->waiters);
	buffer_fini(&t->owners);
	t->is_read = false;
}

struct lock_line *lock_table_wanted_by(const struct lock_table *t, uint32_t pid)
{
	struct lock_line key = { .pid = pid }, *const wanted = &key, *const * found, *l;
	size_t count = t->waiters.size / sizeof(l);

	found = count ? bsearch(&wanted, t->waiters.data, count, sizeof(l), by_pid) : NULL;
	for (l = found ? *found : NULL; l && l->is_waiting; l--) {
		if ((const void *)l == t->lines.data)
			return NULL;
	}
	return l && l->number == (*found)->number ? l : NULL;
}

/* Returns the place of the first lock that is not on a file before `file` in the order. */
static size_t find_file(const struct lock_table *t, const struct locked_file *file)
{
	struct lock_line *const *all = (void *)t->files.data;
	size_t low = 0, high = t->files.size / sizeof(*all);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_files(&all[middle]->file, file) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct lock_line *const *lock_table_of_file(
	const struct lock_table *t, const struct locked_file *file, size_t *count)
{
	struct lock_line *const *all = (void *)t->files.data;
	size_t first = find_file(t, file), end = t->files.size / sizeof(*all);

	*count = 0;
	while (first + *count < end && !compare_files(&all[first + *count]->file, file))
		++*count;
	return all + first;
}

bool lock_is_of_open_file(const struct lock_line *l)
{
	return span_equal(l->type, "FLOCK") || span_equal(l->type, "OFDLCK");
}

bool lock_is_in_fdinfo(const struct lock_line *l, struct span text)
{
	struct cursor c = cursor_over(text.data, text.size);
	struct lock_line own;

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor key = cursor_over(line.data, line.size);

		if (cursor_skip(&key, "lock:") &&
			parse(span_of((const char *)key.at, cursor_left(&key)), &own) &&
			own.pid == l->pid && !compare_files(&own.file, &l->file) &&
			own.begin == l->begin && own.end == l->end &&
			!span_compare(own.type, l->type) && !span_compare(own.mode, l->mode))
			return true;
	}
	return false;
}

bool lock_table_read(struct lock_table *t, size_t limit)
{
	bool is_cut = procfs_read(getpid(), "../locks", &t->text, limit) > 0;

	t->is_read = true;
	lock_table_parse(t);
	return !is_cut;
}

struct lock_table *wait_lock_table(struct wait_reader *r)
{
	if (!r->locks.is_read && !lock_table_read(&r->locks, LOCKS_BYTES))
		backend_limit(r->run, "owners of some locks of files",
			"only the first 4 MiB of /proc/locks are read", "");
	return &r->locks;
}

/* --- descriptors --- */

static bool read_fdinfo(struct wait_reader *r, int process, uint32_t fd)
{
	char name[48];

	snprintf(name, sizeof(name), "fdinfo/%u", fd);
	return procfs_read_at(process, name, &r->more, PROCFS_SMALL) >= 0;
}

/* Reads the fdinfo of each descriptor into r->more, until `visit` returns true. False: it did not,
 * and not all could be read. */
static bool visit_fds(struct wait_reader *r, int process,
	bool (*visit)(struct wait_reader *r, uint32_t fd, void *user), void *user)
{
	int table = openat(process, "fdinfo/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = table < 0 ? NULL : fdopendir(table);
	struct dirent *entry;

	if (!dir)
		cleanup_close(&table);
	for (unsigned i = 0; dir && (entry = readdir(dir)); i++) {
		uint32_t fd = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (i == FDS_MAX)
			return false;
		if (entry->d_name[0] != '.' && read_fdinfo(r, process, fd) && visit(r, fd, user))
			return true;
	}
	return dir != NULL;
}

static bool is_in_fdinfo(const struct wait_reader *r, const struct lock_line *l)
{
	return lock_is_in_fdinfo(l, span_of((const char *)r->more.data, r->more.size));
}

/* Returns whether a file with the inode of the fdinfo has locks, on any device. The device of a
 * file is only searched for then: it needs the list of mounts. */
static bool is_inode_locked(const struct lock_table *t, const struct buffer *fdinfo)
{
	struct lock_line *const *all = (void *)t->files.data;
	struct fdinfo info = { 0 };
	size_t first;

	fdinfo_parse(&info, fdinfo->data, fdinfo->size);
	first = find_file(t, &(struct locked_file){ .inode = info.inode });
	return info.inode && first < t->files.size / sizeof(*all) &&
	       all[first]->file.inode == info.inode;
}

static bool add_own_file(struct wait_reader *r, uint32_t fd, void *user)
{
	struct wait_node *n = user;
	const struct locked_file *all = (const void *)n->own_files.data;
	struct locked_file f = { .fd = fd };

	if (!is_inode_locked(&r->locks, &r->more) ||
		!wait_read_file_identity(r, n, fd, &f.inode, &f.major, &f.minor))
		return false;
	for (size_t i = 0; i < n->own_files.size / sizeof(f) && !f.is_again; i++)
		f.is_again = !compare_files(&all[i], &f);
	buffer_append(&n->own_files, &f, sizeof(f));
	return n->own_files.size >= FILES_MAX * sizeof(f);
}

const struct locked_file *wait_own_files(struct wait_reader *r, struct wait_node *n, size_t *count)
{
	if (!n->has_own_files && wait_lock_table(r)->files.size)
		visit_fds(r, n->process, add_own_file, n);
	n->has_own_files = true;
	*count = buffer_failed(&n->own_files) ? 0 : n->own_files.size / sizeof(struct locked_file);
	return (const void *)n->own_files.data;
}

bool wait_has_lock(
	struct wait_reader *r, struct wait_node *n, const struct lock_line *l, uint32_t *fd)
{
	size_t count;
	const struct locked_file *files = wait_own_files(r, n, &count);

	if (!lock_is_of_open_file(l) || n->lock_searches >= SEARCHES_MAX)
		return l->pid == n->stat.pid;
	n->lock_searches++;
	for (size_t i = 0; i < count; i++) {
		*fd = files[i].fd;
		if (!compare_files(&l->file, &files[i]) && read_fdinfo(r, n->process, *fd) &&
			is_in_fdinfo(r, l))
			return true;
	}
	return false;
}

/* --- owners --- */

struct maker {
	struct lock_line *l;
	struct lock_owner owner;
};

static bool is_made(struct wait_reader *r, uint32_t fd, void *user)
{
	struct maker *m = user;

	m->owner.fd = fd;
	m->owner.is_unsure = !is_in_fdinfo(r, m->l);
	return !m->owner.is_unsure;
}

/* Adds the process that made a lock, if a descriptor of it still has the lock: it may have passed
 * the lock on and ended, and another process may have its PID now. */
static void add_maker(struct wait_reader *r, struct lock_line *l)
{
	struct maker m = { l, { .pid = (uint32_t)l->pid, .is_unsure = true } };
	_cleanup_close_ int process = procfs_open(procfs_living((pid_t)l->pid));
	bool are_all_read = process >= 0 && visit_fds(r, process, is_made, &m);

	if (process >= 0 && !(are_all_read && m.owner.is_unsure))
		buffer_append(&r->locks.owners, &m.owner, sizeof(m.owner));
}

static void add_by_path(struct wait_reader *r, const struct lock_line *l, struct span path)
{
	size_t count;
	const struct wait_end *ends =
		wait_ends_first(&r->ends, WAIT_END_PATH, wait_ends_hash_path(path), &count);

	for (size_t i = 0; i < count; i++) {
		struct lock_owner owner = { .pid = ends[i].pid, .fd = ends[i].fd };
		_cleanup_close_ int process = procfs_open(procfs_living((pid_t)owner.pid));

		if (process >= 0 && read_fdinfo(r, process, owner.fd) && is_in_fdinfo(r, l))
			buffer_append(&r->locks.owners, &owner, sizeof(owner));
	}
}

const struct lock_owner *wait_lock_owners(
	struct wait_reader *r, struct lock_line *l, struct span path, size_t *count)
{
	struct buffer *owners = &r->locks.owners;

	if (!l->owners && l->searches++ < SEARCHES_AGAIN) {
		l->owner = (uint32_t)(owners->size / sizeof(struct lock_owner));
		if (l->pid)
			add_maker(r, l);
		if (l->owner == owners->size / sizeof(struct lock_owner))
			add_by_path(r, l, path);
		l->owners = (uint32_t)(owners->size / sizeof(struct lock_owner)) - l->owner;
	}
	*count = buffer_failed(owners) ? 0 : l->owners;
	return (const struct lock_owner *)(const void *)owners->data + l->owner;
}
