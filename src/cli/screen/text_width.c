/* SPDX-License-Identifier: BSD-2-Clause */
/* Characters and their columns. */
#include "cli/screen/text_width.h"

#include <langinfo.h>
#include <string.h>
#include <wchar.h>

#include "base/escape.h"

/* Characters that move, hide or reorder what a terminal shows. */
static bool is_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       c == 0x061c || (c >= 0xfff9 && c <= 0xfffb) || c >= 0xe0000;
}

uint32_t text_decode(const char *text, size_t size, size_t *used)
{
	size_t length = utf8_length(text, size);
	uint32_t c = length ? utf8_decode(text, length) : '?';

	*used = length ? length : 1;
	return is_harmful(c) ? '?' : c;
}

int text_char_width(bool is_utf8, uint32_t *character)
{
	int width;

	if (*character < 0x7f)
		return 1;
	if (!is_utf8) {
		*character = '?';
		return 1;
	}
	width = wcwidth((wchar_t)*character);
	if (width < 0)
		*character = '?';
	return width < 0 ? 1 : width;
}

int text_width(bool is_utf8, const char *text)
{
	size_t size = strlen(text), used;
	int width = 0;

	for (size_t at = 0; at < size; at += used) {
		uint32_t character = text_decode(text + at, size - at, &used);

		width += text_char_width(is_utf8, &character);
	}
	return width;
}

size_t text_row_of_words(bool is_utf8, const char *text, size_t size, int room)
{
	size_t at = 0, word = 0, used;
	int width = 0;

	while (at < size) {
		uint32_t character = text_decode(text + at, size - at, &used);
		int own = text_char_width(is_utf8, &character);

		if (width + own > room)
			break;
		if (character == ' ')
			word = at;
		width += own;
		at += used;
	}
	if (at == size)
		return size;
	if (text[at] == ' ' || !word)
		return at ? at : 1;
	return word;
}

bool text_is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}
