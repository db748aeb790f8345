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

#define LOCKS_BYTES (4u << 20) /* read at most; the kernel needs longer for each further part */
#define FDS_MAX	    4096       /* descriptors of a process that are compared */
#define FILES_MAX   512	       /* number of files with locks */
#define PATH_KEY    (UINT64_C(1) << 63)
#define PARTLY_KEY                                                                                 \
	(UINT64_C(1) << 62) /* bit in the key of a process that was not read, or not wholly */

/* --- the lines --- */

static bool parse_line(struct span line, struct lock_line *out)
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
	if (out->is_waiting && cursor_skip(&c, "<none>:0")) /* for a lease to be given up */
		return true;
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

static int compare_numbers(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

static int compare_files(const struct locked_file *x, const struct locked_file *y)
{
	int order = compare_numbers(x->inode, y->inode);

	order = order ? order : compare_numbers(x->major, y->major);
	return order ? order : compare_numbers(x->minor, y->minor);
}

/* Compares all but the number, which fdinfo does not have. */
static int compare_by_file(const void *a, const void *b)
{
	const struct lock_line *x = *(struct lock_line *const *)a,
			       *y = *(struct lock_line *const *)b;
	int order = compare_files(&x->file, &y->file);

	order = order ? order : compare_numbers(x->pid, y->pid);
	order = order ? order : compare_numbers(x->begin, y->begin);
	order = order ? order : compare_numbers(x->end, y->end);
	order = order ? order : span_compare(x->type, y->type);
	return order ? order : span_compare(x->mode, y->mode);
}

static int compare_by_pid(const void *a, const void *b)
{
	return compare_numbers(
		(*(struct lock_line *const *)a)->pid, (*(struct lock_line *const *)b)->pid);
}

static void sort_lines(struct buffer *lines, int (*by)(const void *a, const void *b))
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
		if (parse_line(cursor_line(&c), &l))
			buffer_append(&t->lines, &l, sizeof(l));
	}
	buffer_append(&t->lines, &(struct lock_line){ 0 }, sizeof(l));
	if (buffer_failed(&t->lines))
		return;
	for (struct lock_line *i = (void *)t->lines.data; i->number; i++)
		buffer_append(i->is_waiting ? &t->waiters : &t->files, &i, sizeof(i));
	sort_lines(&t->waiters, compare_by_pid);
	sort_lines(&t->files, compare_by_file);
}

void lock_table_clear(struct lock_table *t)
{
	buffer_fini(&t->text);
	buffer_fini(&t->lines);
	buffer_fini(&t->files);
	buffer_fini(&t->waiters);
	buffer_fini(&t->owners);
	buffer_fini(&t->read);
	t->is_read = false;
}

struct lock_line *lock_table_wanted_by(const struct lock_table *t, uint32_t pid)
{
	struct lock_line key = { .pid = pid }, *const wanted = &key, *const * found, *l;
	size_t count = t->waiters.size / sizeof(l);

	found = count ? bsearch(&wanted, t->waiters.data, count, sizeof(l), compare_by_pid) : NULL;
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
	if (!end)
		return NULL;
	while (first + *count < end && !compare_files(&all[first + *count]->file, file))
		++*count;
	return all + first;
}

bool lock_is_of_open_file(const struct lock_line *l)
{
	return span_equal(l->type, "FLOCK") || span_equal(l->type, "OFDLCK");
}

const struct lock_owner *lock_table_owner(const struct lock_table *t, uint32_t place)
{
	const struct lock_owner *all = (const void *)t->owners.data;

	return place && !buffer_failed(&t->owners) ? &all[place - 1] : NULL;
}

static void add_owner(struct lock_table *t, struct lock_line *l, struct lock_owner owner)
{
	const struct lock_owner *last = lock_table_owner(t, l->owner);

	if (last && last->pid == owner.pid)
		return;
	owner.next = l->owner;
	buffer_append(&t->owners, &owner, sizeof(owner));
	l->owner = (uint32_t)(t->owners.size / sizeof(owner));
}

const struct lock_owner *lock_table_owner_with(
	const struct lock_table *t, const struct lock_line *l, uint64_t pid)
{
	const struct lock_owner *o = lock_table_owner(t, l->owner);

	while (o && o->pid != pid)
		o = lock_table_owner(t, o->next);
	return o;
}

void lock_table_add_fdinfo(struct lock_table *t, struct span text, uint32_t pid, uint32_t fd)
{
	struct cursor c = cursor_over(text.data, text.size);
	struct lock_line **all = (void *)t->files.data, line, *const key = &line;
	size_t count = t->files.size / sizeof(*all);

	while (count && !cursor_at_end(&c)) {
		struct span value = cursor_line(&c);
		struct lock_line **i;

		if (!span_starts(value, "lock:") ||
			!parse_line(span_of(value.data + 5, value.size - 5), &line) ||
			!lock_is_of_open_file(&line))
			continue;
		i = bsearch(&key, all, count, sizeof(*all), compare_by_file);
		/* Equal locks cannot be distinguished: the process has each of them. */
		while (i && i > all && !compare_by_file(&key, i - 1))
			i--;
		for (; i && i < all + count && !compare_by_file(&key, i); i++)
			add_owner(t, *i, (struct lock_owner){ .pid = pid, .fd = fd });
	}
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

static void add_fdinfo(struct wait_reader *r, uint32_t pid, uint32_t fd)
{
	lock_table_add_fdinfo(
		&r->locks, span_of((const char *)r->more.data, r->more.size), pid, fd);
}

/* Returns whether locks were read: those of a process (its PID) or a path (its hash). */
static bool was_read(const struct wait_reader *r, uint64_t key)
{
	return buffer_has(&r->locks.read, &key, sizeof(key));
}

static void note_read(struct wait_reader *r, uint64_t key)
{
	buffer_append(&r->locks.read, &key, sizeof(key));
}

/* Adds the locks of a process, and calls `visit` with each fdinfo in r->more. */
static void read_process(struct wait_reader *r, int process, uint32_t pid,
	void (*visit)(struct wait_reader *r, uint32_t fd, struct wait_node *n), struct wait_node *n)
{
	int table = openat(process, "fdinfo/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = table < 0 ? NULL : fdopendir(table);
	struct dirent *entry = NULL;

	if (!dir)
		cleanup_close(&table);
	for (unsigned i = 0; dir && (entry = readdir(dir)) && i < FDS_MAX; i++) {
		uint32_t fd = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (entry->d_name[0] == '.' || !read_fdinfo(r, process, fd))
			continue;
		add_fdinfo(r, pid, fd);
		if (visit)
			visit(r, fd, n);
	}
	note_read(r, dir && !entry ? pid : pid | PARTLY_KEY);
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

static void add_own_file(struct wait_reader *r, uint32_t fd, struct wait_node *n)
{
	const struct locked_file *all = (const void *)n->own_files.data;
	struct locked_file f = { .fd = fd };
	size_t count = n->own_files.size / sizeof(f);

	if (count == FILES_MAX || !is_inode_locked(&r->locks, &r->more) ||
		!wait_read_file_identity(r, n, fd, &f.inode, &f.major, &f.minor))
		return;
	for (size_t i = 0; i < count && !f.is_again; i++)
		f.is_again = !compare_files(&all[i], &f);
	buffer_append(&n->own_files, &f, sizeof(f));
}

const struct locked_file *wait_own_files(struct wait_reader *r, struct wait_node *n, size_t *count)
{
	if (!n->has_own_files && wait_lock_table(r)->files.size)
		read_process(r, n->process, n->stat.pid, add_own_file, n);
	n->has_own_files = true;
	*count = buffer_failed(&n->own_files) ? 0 : n->own_files.size / sizeof(struct locked_file);
	return (const void *)n->own_files.data;
}

bool wait_has_lock(
	struct wait_reader *r, struct wait_node *n, const struct lock_line *l, uint32_t *fd)
{
	const struct lock_owner *own;
	size_t count;

	if (!lock_is_of_open_file(l))
		return l->pid == n->stat.pid;
	wait_own_files(r, n, &count);
	own = lock_table_owner_with(&r->locks, l, n->stat.pid);
	if (own)
		*fd = own->fd;
	return own != NULL;
}

/* --- owners --- */

/* Adds the locks of the process that made a lock: it may have passed the lock on and ended, and
 * another process may have its PID now. */
static void add_maker(struct wait_reader *r, struct lock_line *l)
{
	uint32_t pid = (uint32_t)l->pid;
	_cleanup_close_ int process = procfs_open(procfs_living((pid_t)pid));

	if (process < 0 || was_read(r, pid))
		return;
	if (!was_read(r, pid | PARTLY_KEY))
		read_process(r, process, pid, NULL, NULL);
	if (!was_read(r, pid) && !lock_table_owner_with(&r->locks, l, pid))
		add_owner(&r->locks, l, (struct lock_owner){ .pid = pid, .is_unsure = true });
}

/* Adds the locks of the processes that have the file open under that name. */
static void add_by_path(struct wait_reader *r, struct span path)
{
	uint64_t key = wait_ends_hash_path(path);
	size_t count;
	const struct wait_end *ends;

	if (was_read(r, key | PATH_KEY))
		return;
	note_read(r, key | PATH_KEY);
	ends = wait_ends_first(&r->ends, WAIT_END_PATH, key, &count);
	r->ends.is_cut |= count > FDS_MAX;
	for (size_t i = 0; i < count && i < FDS_MAX; i++) {
		_cleanup_close_ int process = procfs_open(procfs_living((pid_t)ends[i].pid));

		if (process >= 0 && read_fdinfo(r, process, ends[i].fd))
			add_fdinfo(r, ends[i].pid, ends[i].fd);
	}
}

const struct lock_owner *wait_lock_owners(
	struct wait_reader *r, struct lock_line *l, struct span path)
{
	if (l->pid && !lock_table_owner_with(&r->locks, l, l->pid))
		add_maker(r, l);
	if (!l->pid || !lock_table_owner_with(&r->locks, l, l->pid))
		add_by_path(r, path);
	return lock_table_owner(&r->locks, l->owner);
}
