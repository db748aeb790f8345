/* SPDX-License-Identifier: BSD-2-Clause */
/* Letters as UTF-8. */
#pragma once

#include "base/buffer.h"

static inline void utf8_append(struct buffer *out, uint32_t letter)
{
	static const unsigned char leads[] = { 0, 0xc0, 0xe0, 0xf0 };
	unsigned more = letter < 0x80 ? 0 : letter < 0x800 ? 1 : letter < 0x10000 ? 2 : 3;

	buffer_char(out, (char)(leads[more] | letter >> 6 * more));
	for (unsigned i = more; i; i--)
		buffer_char(out, (char)(0x80 | (letter >> 6 * (i - 1) & 63)));
}

/* Returns how many bytes of a text to copy so that at most `most` are, and no part of a character.
 */
static inline size_t utf8_cut(const char *text, size_t size, size_t most)
{
	size_t at = most;

	if (size <= most)
		return size;
	while (at && most - at < 3 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	return ((unsigned char)text[at] & 0xc0) == 0x80 ? most : at;
}
