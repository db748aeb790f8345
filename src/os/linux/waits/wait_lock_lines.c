/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/waits/wait_lock_lines.h"

#include <unistd.h>

#define LOCKS_BYTES (4u << 20)

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
	out->major = (uint32_t)cursor_hex(&c);
	if (!cursor_skip(&c, ":"))
		return false;
	out->minor = (uint32_t)cursor_hex(&c);
	if (!cursor_skip(&c, ":"))
		return false;
	out->inode = cursor_decimal(&c);
	if (c.failed)
		return false;
	out->begin = cursor_decimal(&c);
	cursor_blanks(&c);
	out->end = cursor_skip(&c, "EOF") ? UINT64_MAX : cursor_decimal(&c);
	return true;
}

struct cursor wait_lock_lines(struct wait_reader *r)
{
	if (!r->has_locks) {
		buffer_reset(&r->locks);
		r->has_locks = true;
		procfs_read(getpid(), "../locks", &r->locks, LOCKS_BYTES);
	}
	return cursor_over(r->locks.data, r->locks.size);
}

bool wait_lock_next(struct cursor *c, struct lock_line *out)
{
	while (!cursor_at_end(c)) {
		if (parse(cursor_line(c), out))
			return true;
	}
	return false;
}

size_t own_files_read(struct wait_reader *r, struct wait_node *n, struct own_file *files)
{
	size_t count = 0;

	for (uint32_t fd = 0; fd < OWN_FILES_MAX; fd++) {
		struct own_file *f = &files[count];

		f->fd = fd;
		count += wait_read_file_identity(r, n, fd, &f->inode, &f->major, &f->minor);
	}
	return count;
}

bool own_files_find(
	const struct own_file *files, size_t count, const struct lock_line *l, uint32_t *fd)
{
	for (size_t i = 0; i < count; i++) {
		if (files[i].inode == l->inode && files[i].major == l->major &&
			files[i].minor == l->minor) {
			*fd = files[i].fd;
			return true;
		}
	}
	return false;
}
