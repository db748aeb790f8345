/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sizes of open files are compared at both ends of the observation. A file that is emptied or
 * overwritten meanwhile does not grow, whatever its sizes are at these two moments; only the calls
 * show that.
 */
#include "analyze/diagnosis/file_growth.h"

#include <string.h>

#define MOUNTS_MAX 256
#define FILES_MAX  65536

#define O_APPEND_LINUX 02000

struct file_key {
	uint64_t inode;
	uint32_t device_major, device_minor;
};

struct look {
	struct map *out;
	const struct call_history *calls;
	const struct snapshot *last;
	struct map before; /* file_key -> uint64_t size */
	struct map open;   /* call_path: open at the end -> uint8_t */
	struct map seen;   /* file_key: by another descriptor -> uint8_t */
	uint64_t interval_ns;
};

static const struct fds_descriptor *written_file(const struct sooth_record *r)
{
	const struct fds_descriptor *d = record_as(r, FDS_DESCRIPTOR, sizeof(*d));
	bool is_file = d && (d->type == FDS_FILE || d->type == FDS_DELETED || d->type == FDS_MEMFD);

	return is_file && d->size_state == SOOTH_STATE_VALUE && !d->inode_state &&
			       !d->flags_state &&
			       (d->access == FDS_ACCESS_WRITE || d->access == FDS_ACCESS_BOTH)
		       ? d
		       : NULL;
}

static struct file_key key_of(const struct fds_descriptor *d)
{
	return (struct file_key){ d->inode, d->device_major, d->device_minor };
}

static struct call_path path_of(const struct fds_descriptor *d)
{
	struct span text = record_text(&d->record, &d->path);
	struct call_path path = { { 0 } };

	if (text.size)
		memcpy(path.text, text.data,
			text.size < sizeof(path.text) ? text.size : sizeof(path.text) - 1);
	return path;
}

static void take_first(struct look *l, const struct snapshot *first)
{
	struct batch all = snapshot_records(first);

	batch_for_each (r, &all) {
		const struct fds_descriptor *d = written_file(r);
		struct file_key key;
		uint64_t *size;

		if (!d)
			continue;
		key = key_of(d);
		size = map_put(&l->before, &key, NULL);
		if (size)
			*size = d->size_bytes;
	}
}

static const struct call_contents *contents_of(const struct look *l, const struct call_path *path)
{
	const struct call_file *f = l->calls ? map_get(&l->calls->files, path) : NULL;

	return f && f->moves[CALL_WRITTEN].calls ? &f->contents : NULL;
}

/* What was written once does not remain. */
static bool is_rewritten(const struct call_contents *c)
{
	return c && c->replaced_bytes + c->overwritten_bytes >= c->there_bytes &&
	       c->replaced_bytes + c->overwritten_bytes;
}

static void add(struct look *l, uint32_t mount, const struct file_growth *one)
{
	struct file_growth *g = one->most_bytes ? map_put(l->out, &mount, NULL) : NULL;
	uint64_t gained, written, files;

	if (!g)
		return;
	gained = g->gained_bytes + one->most_bytes;
	written = g->written_bytes + one->written_bytes;
	files = g->files + 1;
	if (one->most_bytes > g->most_bytes)
		*g = *one;
	g->gained_bytes = gained;
	g->written_bytes = written;
	g->files = files;
	g->interval_ns = l->interval_ns;
}

static uint64_t gain_of(const struct look *l, const struct fds_descriptor *d,
	const struct file_key *key, const struct call_contents *c)
{
	const uint64_t *before = map_get(&l->before, key);

	if (is_rewritten(c))
		return 0;
	if (before)
		return d->size_bytes > *before ? d->size_bytes - *before : 0;
	/* It was opened later: only the calls show what is new in it. */
	return c ? (c->there_bytes < d->size_bytes ? c->there_bytes : d->size_bytes) : 0;
}

/* Of a gain. One whose size was set and that is filled through a mapping keeps its position; memory
 * files are not followed by name, and one that is written by calls is at its end. */
static uint64_t written_of(
	const struct fds_descriptor *d, const struct call_contents *c, uint64_t gained)
{
	if (d->type == FDS_MEMFD)
		return d->offset >= d->size_bytes ? gained : 0;
	return !c ? 0 : c->there_bytes < gained ? c->there_bytes : gained;
}

static void take_open(struct look *l, const struct fds_descriptor *d)
{
	struct file_growth one = { .size_bytes = d->size_bytes, .fd = d->fd, .is_open = true };
	bool is_memory = d->type == FDS_MEMFD, is_new;
	struct file_key key = key_of(d);
	const struct call_contents *c;

	one.path = path_of(d);
	map_put(&l->open, &one.path, NULL);
	map_put(&l->seen, &key, &is_new);
	if (!is_new)
		return;
	one.is_deleted = d->type == FDS_DELETED || (!d->deleted_state && d->is_deleted);
	one.is_append = (d->flags & O_APPEND_LINUX) != 0;
	c = contents_of(l, &one.path);
	one.most_bytes = gain_of(l, d, &key, c);
	one.written_bytes = written_of(d, c, one.most_bytes);
	one.space = is_memory ? NULL : file_space_of_mount(l->last, d->mount);
	if (one.space || is_memory)
		add(l, is_memory ? FILE_GROWTH_OF_MEMORY : d->mount, &one);
}

#define SHARED_MEMORY "/dev/shm/"

/* The file system of it; NULL and true: memory, of a tmpfs that was not measured. */
static bool find_space(const struct look *l, const char *path, const struct fds_filesystem **space)
{
	bool is_shared_memory = !strncmp(path, SHARED_MEMORY, strlen(SHARED_MEMORY));

	*space = file_space_of_path(l->last, path);
	if (is_shared_memory && *space && !(*space)->is_memory)
		*space = NULL;
	return *space ? is_shared_memory || call_is_on_disk(path) : is_shared_memory;
}

static void take_closed(struct look *l)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (l->calls && map_next(&l->calls->files, &position, &key, &value)) {
		const struct call_contents *c = contents_of(l, key);
		struct file_growth one = { .path = *(const struct call_path *)key };

		if (!c || is_rewritten(c) || map_get(&l->open, key) ||
			!find_space(l, one.path.text, &one.space))
			continue;
		one.most_bytes = one.written_bytes = c->there_bytes;
		one.size_bytes = c->end;
		add(l, one.space ? one.space->mount : FILE_GROWTH_OF_MEMORY, &one);
	}
}

static void compare(struct look *l, const struct snapshot *first)
{
	struct batch all = snapshot_records(l->last);

	map_init(&l->before, sizeof(struct file_key), sizeof(uint64_t), FILES_MAX);
	map_init(&l->open, sizeof(struct call_path), 1, FILES_MAX);
	map_init(&l->seen, sizeof(struct file_key), 1, FILES_MAX);
	take_first(l, first);
	batch_for_each (r, &all) {
		const struct fds_descriptor *d = written_file(r);

		if (d)
			take_open(l, d);
	}
	take_closed(l);
	map_fini(&l->before);
	map_fini(&l->open);
	map_fini(&l->seen);
}

bool file_growth_read(struct map *out, const struct check *e, const struct call_history *calls)
{
	const struct snapshot *first = check_first(e, &e->input->fds);
	struct look l = { .out = out, .calls = calls, .last = check_last(e, &e->input->fds) };
	const struct fds_process *begin = first ? snapshot_end(first, sizeof(*begin)) : NULL;
	const struct fds_process *end = l.last ? snapshot_end(l.last, sizeof(*end)) : NULL;

	map_init(out, sizeof(uint32_t), sizeof(struct file_growth), MOUNTS_MAX);
	if (!begin || !end || end->record.time_ns <= begin->record.time_ns ||
		end->descriptors_state > SOOTH_STATE_TRUNCATED)
		return false;
	l.interval_ns = end->record.time_ns - begin->record.time_ns;
	compare(&l, first);
	return true;
}
