/* SPDX-License-Identifier: BSD-2-Clause */
/* Text on a screen: its width, cut at an edge, or continued in the next row. */
#include <curses.h>
#include <stdlib.h>

#include "cli/screen/screen_state.h"

#define INDENT 2 /* of a continued row */

static int char_width(wchar_t c)
{
	return wcwidth(c) > 0 ? wcwidth(c) : 0;
}

int screen_chars(const char *text, wchar_t out[SCREEN_CHARS])
{
	size_t count = mbstowcs(out, text, SCREEN_CHARS - 1);
	int width = 0;

	if (count == (size_t)-1) {
		/* Not of this locale: bytes that are ASCII stand for themselves. */
		for (count = 0; text[count] && count < SCREEN_CHARS - 1; count++)
			out[count] =
				(unsigned char)text[count] < 0x80 ? (wchar_t)text[count] : L'?';
	}
	out[count] = L'\0';
	for (size_t i = 0; i < count; i++)
		width += char_width(out[i]);
	return width;
}

/* How many of these characters fit; `used` columns. */
static size_t fitting(const wchar_t *chars, int room, int *used)
{
	size_t count = 0;

	for (*used = 0; chars[count]; count++) {
		if (*used + char_width(chars[count]) > room)
			break;
		*used += char_width(chars[count]);
	}
	return count;
}

static void put_chars(int y, int x, int room, const wchar_t *chars)
{
	int used;
	size_t count = fitting(chars, room, &used);

	if (room <= 0)
		return;
	if (chars[count])
		count = fitting(chars, room - 1, &used);
	mvaddnwstr(y, x, chars, (int)count);
	if (chars[count])
		mvaddch(y, x + used, '>');
}

void screen_put(int y, int x, int room, const char *text)
{
	wchar_t chars[SCREEN_CHARS];

	screen_chars(text, chars);
	put_chars(y, x, room, chars);
}

/* How many characters of it stand in one row: whole words, where one fits. */
static size_t row_of_words(const wchar_t *chars, int room)
{
	int used;
	size_t count = fitting(chars, room, &used), word = count;

	if (!chars[count])
		return count;
	while (word && chars[word] != L' ')
		word--;
	if (word)
		return word;
	return count ? count : 1;
}

int screen_wrap(struct screen_place to, const char *text)
{
	wchar_t chars[SCREEN_CHARS];
	const wchar_t *at = chars;
	int rows = 0;

	screen_chars(text, chars);
	while (*at && rows < to.rows) {
		int x = to.x + (rows ? INDENT : 0), room = to.room - (rows ? INDENT : 0);
		size_t count = row_of_words(at, room);

		if (to.y >= 0 && rows + 1 == to.rows)
			put_chars(to.y + rows, x, room, at);
		else if (to.y >= 0)
			mvaddnwstr(to.y + rows, x, at, (int)count);
		for (at += count; *at == L' ';)
			at++;
		rows++;
	}
	return rows;
}
