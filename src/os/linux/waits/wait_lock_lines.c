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
	return !c.failed;
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
