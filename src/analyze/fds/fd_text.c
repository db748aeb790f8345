/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Masks of Linux as words. The values are spelled out because a capture may come from another
 * system than the one that reads it (open(2), epoll_ctl(2), inotify(7)).
 */
#include "analyze/fds/fd_text.h"

#include <stddef.h>

#define ACCESS_MASK 3u

struct word {
	uint32_t bits;
	const char *text;
};

/* A name for several bits comes before names for some of them. */
static const struct word flags_everywhere[] = {
	{ 04010000, "sync" },
	{ 010000, "dsync" },
	{ 02000, "append" },
	{ 04000, "nonblock" },
	{ 020000, "async" },
	{ 01000000, "noatime" },
	{ 02000000, "cloexec" },
	{ 010000000, "path" },
	{ 0 },
};

static const struct word flags_most[] = {
	{ 020200000, "tmpfile" },
	{ 040000, "direct" },
	{ 0200000, "directory" },
	{ 0400000, "nofollow" },
	{ 0 },
};

static const struct word flags_aarch64[] = {
	{ 020040000, "tmpfile" },
	{ 0200000, "direct" },
	{ 040000, "directory" },
	{ 0100000, "nofollow" },
	{ 0 },
};

static const struct word epoll_events[] = {
	{ 0x1, "in" },
	{ 0x2, "pri" },
	{ 0x4, "out" },
	{ 0x8, "err" },
	{ 0x10, "hup" },
	{ 0x40, "rdnorm" },
	{ 0x80, "rdband" },
	{ 0x100, "wrnorm" },
	{ 0x200, "wrband" },
	{ 0x2000, "rdhup" },
	{ 1u << 28, "exclusive" },
	{ 1u << 29, "wakeup" },
	{ 1u << 30, "oneshot" },
	{ 1u << 31, "edge" },
	{ 0 },
};

static const struct word inotify_events[] = {
	{ 0xfff, "all" },
	{ 0x1, "access" },
	{ 0x2, "modify" },
	{ 0x4, "attrib" },
	{ 0x18, "close" },
	{ 0x8, "close_write" },
	{ 0x10, "close_nowrite" },
	{ 0x20, "open" },
	{ 0xc0, "move" },
	{ 0x40, "moved_from" },
	{ 0x80, "moved_to" },
	{ 0x100, "create" },
	{ 0x200, "delete" },
	{ 0x400, "delete_self" },
	{ 0x800, "move_self" },
	{ 0x2000, "unmount" },
	{ 0x4000, "overflow" },
	{ 0x8000, "ignored" },
	{ 0x04000000, "excl_unlink" },
	{ 0x80000000, "oneshot" },
	{ 0 },
};

static uint32_t emit_known(struct buffer *out, const struct word *words, uint32_t bits)
{
	for (; words->bits; words++) {
		if ((bits & words->bits) != words->bits)
			continue;
		if (out->size)
			buffer_char(out, ' ');
		buffer_string(out, words->text);
		bits &= ~words->bits;
	}
	return bits;
}

static void emit_rest(struct buffer *out, uint32_t bits)
{
	if (bits)
		buffer_format(out, "%s0x%x", out->size ? " " : "", bits);
}

void fd_flag_words(struct buffer *out, uint32_t flags, bool is_aarch64)
{
	/* No information: 64-bit programs always have it. */
	flags &= ~(is_aarch64 ? 0400000u : 0100000u);
	buffer_reset(out);
	flags = emit_known(out, flags_everywhere, flags & ~ACCESS_MASK);
	emit_rest(out, emit_known(out, is_aarch64 ? flags_aarch64 : flags_most, flags));
}

void fd_epoll_words(struct buffer *out, uint32_t events)
{
	buffer_reset(out);
	emit_rest(out, emit_known(out, epoll_events, events));
}

void fd_inotify_words(struct buffer *out, uint32_t mask)
{
	buffer_reset(out);
	emit_rest(out, emit_known(out, inotify_events, mask));
}
