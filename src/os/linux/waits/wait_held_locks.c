/* SPDX-License-Identifier: BSD-2-Clause */
/* The locks of this host on lock files and database files. A command that is refused one of them
 * ends at once, so which process has it is read at the end, whichever command wanted it. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/lock_name.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/files/procfs.h"
#include "os/linux/waits/wait_reader.h"

#define FDS_MAX	  4096 /* that are looked at, of all owners together */
#define NAME_ROOM 32

/* Returns whether the file is one that programs lock to exclude each other. */
static bool is_for_locks(struct buffer *path)
{
	const char *text = buffer_cstr(path), *slash = strrchr(text, '/');

	return slash && (is_lock_name(slash + 1) || is_database_name(span_of_string(text)));
}

static bool is_descriptor_of(int process, const char *fd, uint64_t inode, struct buffer *path)
{
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	struct fdinfo info = { 0 };
	char name[NAME_ROOM];

	snprintf(name, sizeof(name), "fdinfo/%.20s", fd);
	if (procfs_read_at(process, name, &text, PROCFS_SMALL) < 0)
		return false;
	fdinfo_parse(&info, text.data, text.size);
	if (info.inode != inode)
		return false;
	snprintf(name, sizeof(name), "fd/%.20s", fd);
	buffer_reset(path);
	return procfs_link_at(process, name, path) >= 0 && is_for_locks(path);
}

/* Finds the name of the locked file by the descriptors of the process that has the lock. */
static bool find_path(const struct lock_line *l, unsigned *left, struct buffer *path)
{
	_cleanup_close_ int process = procfs_open((pid_t)l->pid);
	int table = process < 0 ? -1 : openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = table < 0 ? NULL : fdopendir(table);
	struct dirent *entry;

	if (!dir) {
		cleanup_close(&table);
		return false;
	}
	for (; *left && (entry = readdir(dir)); --*left) {
		if (entry->d_name[0] != '.' &&
			is_descriptor_of(process, entry->d_name, l->file.inode, path))
			return true;
	}
	return false;
}

static void emit_lock(struct wait_reader *r, const struct lock_line *l,
	const struct wait_entry *owner, const struct buffer *path)
{
	struct waits_held_lock lock = { .record = wait_record(r, 0, WAITS_HELD_LOCK),
		.owner_start_ticks = owner->start_ticks,
		.owner_pid = owner->pid,
		.is_exclusive = span_equal(l->mode, "WRITE") };
	struct record_tail tail[] = {
		{ &lock.owner_name, owner->name, strnlen(owner->name, sizeof(owner->name)) },
		{ &lock.path, (const char *)path->data, path->size },
	};

	RECORD_APPEND(&r->run->out, &lock, tail, ARRAY_SIZE(tail));
}

void wait_add_held_locks(struct wait_reader *r)
{
	const struct lock_line *l = (const void *)wait_lock_table(r)->lines.data;
	_cleanup_(buffer_fini) struct buffer path = { 0 };
	unsigned left = FDS_MAX;

	for (; l && l->number && left; l++) {
		const struct wait_entry *owner =
			l->pid && !l->is_waiting ? wait_table_get(&r->table, (uint32_t)l->pid)
						 : NULL;

		if (owner && find_path(l, &left, &path))
			emit_lock(r, l, owner, &path);
	}
}
